"""A judge on a real port: strict replies, a cap, nothing paid for twice, and its reason in the table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from teacher_server import Act, TeacherServer

from aurify.answers import Grader, Verdict
from aurify.collecting.judge import JUDGE, RUBRIC, read_verdict
from aurify.errors import AurifyError, UsageError
from aurify.questions import Question

WHO = "What is 3 plus 4? Who wrote Faust?"  # the stand-in reads a sum
ASKED = Question("q1", WHO, "Goethe", "judge")


def says(**fields: object) -> Act:
    return Act(reply={"content": json.dumps(fields)})


def by_text(number: int, body: dict[str, object]) -> Act:
    said = str(body["messages"][-1]["content"])  # type: ignore[index]
    right = "Johann" in said.partition("Response, up to the end of this message:")[2]
    return says(reason="names the author" if right else "names another", verdict="right" if right else "wrong")


def judge(server: TeacherServer, folder: Path | None = None, **more: object) -> Grader:
    made = replace(JUDGE, judge_model="j", judge_api=server.url, **more)  # type: ignore[arg-type]
    return Grader(kind=made.at(folder))


@pytest.mark.parametrize(
    ("reply", "verdict", "reason"),
    [
        ('{"reason": "It is so.", "verdict": "right"}', "right", "judge: It is so."),
        ('{"verdict": "wrong", "reason": "No."}', "wrong", "judge: No."),
        ('```json\n{"reason": "a", "verdict": "right"}\n```', "right", "judge: a"),
        ('<think>right?</think>{"reason": "a", "verdict": "wrong"}', "wrong", "judge: a"),
        ('{"reason": "a\\u001b[31m", "verdict": "right"}', "right", "judge: a"),
        ("right", "unparsable", "the judge's reply is unreadable: no JSON object: 'right'"),
        ('The verdict: {"reason": "a", "verdict": "right"}', "unparsable", "no JSON object"),
        ('{"verdict": "right"}', "unparsable", "expected an object with reason and verdict"),
        ('{"reason": "a", "verdict": "right", "score": 1}', "unparsable", "and nothing else"),
        ('{"reason": "a", "verdict": "Right"}', "unparsable", 'expected "right" or "wrong"'),
        ('{"reason": "a", "verdict": true}', "unparsable", 'expected "right" or "wrong"'),
        ('{"reason": 1, "verdict": "right"}', "unparsable", "a text as the reason"),
        ('[{"reason": "a", "verdict": "right"}]', "unparsable", "expected an object"),
        ("<think>right", "unparsable", "the thought is never closed"),
        ("", "unparsable", "no JSON object"),
    ],
)
def test_a_reply_is_read_strictly(reply, verdict, reason):
    found = read_verdict(reply, "stop")
    assert str(found.verdict) == verdict
    assert reason in found.reason


def test_the_judge_sees_rubric_question_reference_and_response(server, tmp_path):
    server.behave = by_text
    (tmp_path / "rubric.txt").write_text("Only full names count.")
    with judge(server) as grader, judge(server, judge_rubric=str(tmp_path / "rubric.txt")) as strict:
        grades = grader.grade_all([(f"It was {who}.", ASKED, False) for who in ("Johann Goethe", "Schiller")])
        strict.grade("Goethe", replace(ASKED, answer=""))
    assert [(str(one.verdict), one.reason) for one in grades] == [
        ("right", "judge: names the author"), ("wrong", "judge: names another"),
    ]  # fmt: skip
    first, last = server.seen[0].body["messages"], server.seen[-1].body["messages"]
    assert RUBRIC in first[0]["content"]
    assert all(part in first[1]["content"] for part in (WHO, "Reference answer:\nGoethe", "Response"))
    assert "Only full names count." in last[0]["content"]
    assert "Reference answer" not in last[1]["content"]
    assert server.seen[0].body["temperature"] == 0


def test_nothing_is_asked_twice_and_a_cap_ends_it(server, tmp_path):
    server.behave = by_text
    for _ in range(2):
        with judge(server, tmp_path) as grader:
            assert grader.grade("Johann Goethe", ASKED).right
            assert grader.grade("Johann Goethe", ASKED).right
    assert len(server.seen) == 1
    assert (tmp_path / "judge.sqlite").is_file()
    prices = {"judge_price_in": 10.0, "judge_price_out": 10.0}
    with (
        judge(server, tmp_path, judge_money_cap=1e-6, **prices) as grader,
        pytest.raises(AurifyError, match=r"the judge stops: --judge-money-cap 1e-06: .*pays for nothing twice"),
    ):
        grader.grade("Schiller", ASKED)
    assert len(server.seen) == 1


def test_what_the_server_will_not_answer_is_left_out(server):
    server.behave = lambda number, body: by_text(number, body) if number == 0 else Act(status=400)
    with judge(server) as grader:
        grades = [grader.grade(text, ASKED) for text in ("Johann Goethe", "Goethe")]
    assert [grade.verdict for grade in grades] == [Verdict.RIGHT, Verdict.LEFT_OUT]
    assert grades[1].reason.startswith("the judge gave no reply; its server last said: q1: status 400")


def test_a_judge_that_never_replied_ends_the_run(server):
    server.behave = lambda number, body: Act(status=400)
    with judge(server) as grader, pytest.raises(AurifyError, match=r"--answers judge: the judge gave no reply; .*400"):
        grader.grade("Goethe", ASKED)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"judge_model": None}, "which model judges"),
        ({"judge_api": "localhost"}, "--judge-api: expected a URL"),
        ({"judge_key_env": "NO_SUCH_KEY"}, "no key: put it in the environment variable NO_SUCH_KEY"),
        ({"judge_money_cap": 1.0}, "no price is known for 'j'"),
        ({"judge_price_in": 1.0}, "go together"),
        ({"judge_rubric": "no/such/file"}, "--judge-rubric no/such/file: cannot be read"),
    ],
)
def test_what_it_cannot_do_is_refused_in_a_line(given, message):
    made = replace(JUDGE, **{"judge_model": "j", "judge_api": "http://127.0.0.1:9/v1", **given})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=message) as refused:
        made.at(None)
    assert "\n" not in str(refused.value)


def test_the_command_line_keeps_its_reason(server, run_aurify):
    server.behave = by_text
    rows = [{"question": WHO, "pred": pred} for pred in ("Johann Goethe", "Schiller")]
    done = run_aurify(
        "grade", "-", "--answers", "judge", "--judge-model", "j", "--judge-api", server.url,
        stdin="".join(json.dumps(row) + "\n" for row in rows),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["verdict"], row["reason"]) for row in found] == [
        ("right", "judge: names the author"), ("wrong", "judge: names another"),
    ]  # fmt: skip
    refused = run_aurify("grade", "-", "--answers", "judge", stdin=json.dumps(rows[0]))
    assert refused.returncode == 2
    assert "which model judges? --judge-model NAME" in refused.stderr
    assert "Traceback" not in refused.stderr
