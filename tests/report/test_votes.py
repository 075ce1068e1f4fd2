"""Votes beside a run: what aurify vote wrote is what the page shows, and can be filtered by."""

from __future__ import annotations

import json

import pytest
from invented_run import write_run

from aurify.errors import AurifyError
from aurify.report.content import read_content
from aurify.report.make import make_report
from aurify.report.votes import read_votes
from aurify.voting.ballots import run_vote
from aurify.voting.settings import VoteSettings

SAMPLES = {"q6": ["4", "4.0", "5"], "q7": ["5", "5", "4"], "q8": ["4", "5"]}
"""What was drawn for three of the run's held-out questions; 4 is right."""


@pytest.fixture
def voted(tmp_path):
    """A run, and the same samples voted on by three and by the first alone."""
    write_run(tmp_path / "run")
    questions = [{"id": key, "question": f"What is {key}?", "answer": "4"} for key in SAMPLES]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in questions))
    files = []
    for name, n in (("all", 3), ("first", 1)):
        rows = [{"id": key, "samples": [f"So the answer is {one}." for one in own[:n]]} for key, own in SAMPLES.items()]
        (tmp_path / f"{name}-samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        settings = VoteSettings(file=str(tmp_path / f"{name}-samples.jsonl"), data=str(tmp_path / "questions.jsonl"))
        files.append(tmp_path / f"{name}.jsonl")
        files[-1].write_text("".join(json.dumps(one.to_dict()) + "\n" for one in run_vote(settings)))
    return tmp_path / "run", files


def test_each_question_has_its_votes_and_what_is_odd_about_them(voted):
    run, files = voted
    content = read_content([run], files)
    items = {item["id"]: item for item in content.runs[0].items(content.votes)}
    text = "So the answer is {}.".format
    first = [text("4"), "4", None, True, 1]
    others = [[text("4.0"), "4.0", None, True, 0], [text("5"), "5", None, False, 0]]
    assert items["q6"]["votes"] == [
        ["all", "4", 2 / 3, 1.0, 3, [["4", 2], ["5", 1]], [first, *others]],
        ["first", "4", 1, 1.0, 1, [["4", 1]], [first]],
    ]
    found = {key: {flag for flag in items[key]["flags"] if flag in ("misvoted", "disputed")} for key in SAMPLES}
    assert found == {"q6": set(), "q7": {"misvoted"}, "q8": set()}, "a tie that holds the right answer is not wrong"
    assert "votes" not in items["q9"]


def test_where_files_differ_the_question_says_so(voted):
    run, (first, _) = voted
    lines = [json.loads(line) for line in first.read_text().splitlines()]
    other = first.with_name("other.jsonl")
    for line in lines:
        line["votes"].reverse()
    other.write_text("".join(json.dumps(line) + "\n" for line in lines))
    content = read_content([run], [first, other])
    assert all("disputed" in item["flags"] for item in content.runs[0].items(content.votes) if "votes" in item)


VOTE = {"question_id": "q1", "answer": None, "votes": [], "candidates": []}


@pytest.mark.parametrize(
    "line",
    ['{"question_id": "q1"}', "[]", "no", json.dumps(VOTE | {"question_id": 1}),
     json.dumps(VOTE | {"candidates": [{"text": 1, "answer": None}]}), json.dumps(VOTE | {"votes": [{"answer": "4"}]})],
)  # fmt: skip
def test_what_is_no_vote_is_one_clear_line(tmp_path, line):
    (tmp_path / "rows.jsonl").write_text(json.dumps(VOTE) + "\n" + line + "\n")
    with pytest.raises(AurifyError, match=r"rows\.jsonl:2: not a line of a vote"):
        read_votes([tmp_path / "rows.jsonl"])
    with pytest.raises(AurifyError, match="nowhere: cannot be read"):
        read_votes([tmp_path / "nowhere"])


def test_the_page_shows_them(open_page, faults_of, voted):
    run, files = voted
    page = open_page(make_report([run], votes=files).as_uri())
    page.select_option("#flag", "misvoted")
    page.wait_for_function("() => document.getElementById('count').textContent.startsWith('1 of')")
    page.locator(".row").first.click()
    votes = page.locator("#detail section[aria-label=Votes]")
    assert votes.locator("h4 .verdict").all_inner_texts() == ["wrong", "wrong"]
    assert not votes.locator("pre").first.is_visible()
    votes.locator("summary").first.click()
    samples = votes.locator("details").first.locator("li")
    assert samples.locator("pre").all_inner_texts() == [f"So the answer is {one}." for one in SAMPLES["q7"]]
    assert samples.locator(".verdict").all_inner_texts() == ["wrong", "wrong", "right"]
    assert samples.locator(".facts").first.inner_text() == "answer read: 5 · the vote's choice"
    assert votes.locator("meter").evaluate_all("all => all.map(one => [one.value, one.max])") == [
        [2, 3],
        [1, 3],
        [1, 1],
    ]
    assert not faults_of(page)
    assert page.locator("#flag option[value=disputed]").count() == 1


def test_without_votes_nothing_asks_for_them(run_folder):
    assert "misvoted" not in make_report([run_folder]).read_text().partition("<script")[0]
