"""From rationales to pools: which of them vote, on which question, and which of their answers are one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aurify.answers import Grader
from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError, UsageError
from aurify.questions import Question
from aurify.rationales import Rationale, RationaleTable, by_question
from aurify.rationales.record import Ending, Source
from aurify.voting.gather import pools_of, read_pools, unaided
from aurify.voting.pool import CandidatePool
from aurify.voting.settings import VoteSettings

HALF, MANY = Question("1", "How much?", "0.5", "number"), Question("2", "How many?", "4", "number")


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        yield grader


def rationale(
    question_id: str, text: str, *, predicted: str | None = None, verdict: Verdict | None = None,
    source: Source = "self", finish_reason: Ending = "stop",
) -> Rationale:  # fmt: skip
    return Rationale(
        question_id, (1, 2), text, predicted, verdict, "", source, "m", 0, 0, 0, finish_reason, -1.0
    )  # fmt: skip


def test_a_pool_holds_one_questions_rationales_in_their_order_and_groups_equal_answers(grader: Grader) -> None:
    rows = [
        rationale("2", "The answer is 4."), rationale("1", "The answer is 1/2."), rationale("1", "The answer is 3."),
        rationale("1", "The answer is 0.5."), rationale("9", "The answer is 1."), rationale("1", "Who knows?"),
    ]  # fmt: skip
    half, many = pools_of(rows, [HALF, Question("3", "Never drawn?", "1", "number"), MANY], grader)
    assert (half.question_id, half.question, many.question_id) == ("1", "How much?", "2")
    assert [one.text for one in half.candidates] == [row.text for row in rows if row.question_id == "1"]
    first, other, same, none = half.groups
    assert first == same != other
    assert none is None
    assert [one.right for one in half.candidates] == [None] * 4, "nobody has judged them"


def test_an_answer_is_the_rows_own_or_read_from_a_text_that_ended(grader: Grader) -> None:
    text = "The answer is 7."
    rows = [
        rationale("1", text), rationale("1", text, predicted="8"), rationale("1", text, finish_reason="length"),
        rationale("1", text, verdict=Verdict.UNPARSABLE),
    ]  # fmt: skip
    (pool,) = pools_of(rows, [HALF], grader)
    assert [one.answer for one in pool.candidates] == ["7", "8", None, None]
    assert [one.right for one in pool.candidates] == [None, None, None, False]


def test_what_was_drawn_with_the_answer_in_the_prompt_is_left_out_and_counted() -> None:
    own, hinted = rationale("1", "own"), rationale("1", "hinted", source="guide")
    said: list[str] = []
    assert unaided([own, hinted, own], "rows", said.append) == [own, own]
    assert said == ["rows: 1 rationales were drawn with the answer in the prompt; left out"]
    assert (unaided([own], "rows", said.append), unaided([], "rows", said.append), len(said)) == ([own], [], 1)
    with pytest.raises(AurifyError, match="all 2 rationales were drawn with the answer in the prompt"):
        unaided([hinted, hinted], "rows", said.append)


def test_new_ends_of_right_rationales_are_left_out_and_counted(tmp_path: Path) -> None:
    """Their beginning was kept since it led to the right answer; one that kept nothing is a sample like any other."""
    end, whole = (replace(rationale("1", "So 1/2.", predicted="1/2"), move="suffix", cut=cut) for cut in (1, 0))
    said: list[str] = []
    assert unaided([end, whole, end], "rows", said.append) == [whole]
    assert said == ["rows: 2 rationales are new ends of right ones; left out"]
    hinted = replace(end, source="guide", cut=0)
    with pytest.raises(AurifyError, match=r"all 2 .* in the prompt, or are new ends of right ones"):
        unaided([hinted, end], "rows", said.append)
    table = RationaleTable(tmp_path / "table")
    table.append([end, whole, hinted])
    table.flush(1)
    for more in ({"answers": "text"}, {}):
        said.clear()
        asked = VoteSettings(file=str(table.folder), **more)
        (pool,) = every_pool(str(table.folder), asked, said.append)
        assert len(pool.candidates) == 1
        assert f"{table.folder}: 1 rationales are new ends of right ones; left out" in said


def every_pool(file: str, settings: VoteSettings, say: Callable[[str], None]) -> list[CandidatePool]:
    return [pool for some in read_pools(file, settings, say) for pool in some]


def written(folder: Path, rows: list[dict[str, Any]]) -> str:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / "rows.jsonl")


TEMPLATED = "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n"
VERL = [{"input": TEMPLATED, "output": f"The answer is {n}.", "gts": "4", "score": n == 4} for n in (4, 4, 5)]
TRL = [{"prompt": TEMPLATED, "completion": f"The answer is {n}.", "answer": "4", "accuracy_reward": n == 4}
       for n in (4, 4, 5)]  # fmt: skip
PLAIN = {"input": "3+3?", "output": "The answer is 6.", "gts": "6", "score": 1.0}
LISTED = {"question": "2+2?", "answer": "4", "samples": [f"The answer is {n}." for n in (4, 4, 5)]}
CHOICE = {"question": "2+2?", "choices": ["3", "4"], "answer": 1, "samples": ["The answer is (B).", "It is (A)."]}
FOUR = ("2+2?", [True, True, False])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (VERL, [FOUR]),
        (TRL, [FOUR]),
        ([PLAIN, *VERL], [("3+3?", [True]), FOUR]),
        ([{**row, "id": "x"} for row in VERL], [FOUR]),
        ([LISTED], [FOUR]),
        ([CHOICE], [("2+2?\nOptions:\n(A) 3\n(B) 4", [True, False])]),
    ],
)
def test_rows_that_hold_their_gold_answers_are_their_own_questions(
    tmp_path: Path, rows: list[dict[str, Any]], expected: list[tuple[str, list[bool]]]
) -> None:
    file = written(tmp_path, rows)
    for source in (file, str(tmp_path)):  # a folder is read as one file
        for more in ({}, {"answers": "choice" if rows == [CHOICE] else "number"}):
            pools = every_pool(source, VoteSettings(file=source, **more), lambda line: None)
            assert [(pool.question, [one.right for one in pool.candidates]) for pool in pools] == expected


def test_fields_of_own_questions_are_chosen_and_bad_rows_left_out(tmp_path: Path) -> None:
    said: list[str] = []
    rows = [{"asks": "2+2?", "g": "4", "samples": LISTED["samples"]}, {"asks": "3+3?", "g": "", "samples": ["So 6."]}]
    file = written(tmp_path, rows)
    chosen = {"file": file, "question_field": "asks", "answer_field": "g"}
    with pytest.raises(AurifyError, match=r"rows.jsonl:2: 'answer' is empty"):
        every_pool(file, VoteSettings(**chosen), said.append)
    (pool,) = every_pool(file, VoteSettings(**chosen, skip_bad=True), said.append)
    assert (pool.question, [one.right for one in pool.candidates]) == FOUR
    assert said == ["1 rationales are of rows without an answer"]
    with pytest.raises(AurifyError, match="no field 'h'"):
        every_pool(file, VoteSettings(file=file, question_field="asks", answer_field="h"), said.append)
    said.clear()
    file = written(tmp_path, [{"question": "2+2?", "predicted": "4", "text": "four", "g": "4"}, {"question": "3+3?"}])
    (pool,) = every_pool(file, VoteSettings(file=file, answer_field="g", skip_bad=True), said.append)
    assert [one.right for one in pool.candidates] == [None]
    assert said[0].startswith(f"{file}: 1 rows left out, {file}:2: a sample")
    assert said[1].startswith("--answer-field: not looked at, since the rows of")


def test_all_are_voted_on_by_name_where_some_rows_hold_no_gold_answer(tmp_path: Path) -> None:
    file = written(tmp_path, [*VERL, {**PLAIN, "gts": None}])
    pools = every_pool(file, VoteSettings(file=file, answers="number"), lambda line: None)
    assert [(pool.question, [one.right for one in pool.candidates]) for pool in pools] == [
        ("2+2?", [None] * 3), ("3+3?", [None]),
    ]  # fmt: skip


def test_where_nobody_knows_the_answer_the_rows_say_how_it_is_read_or_the_user(tmp_path: Path) -> None:
    said: list[str] = []
    rows = [{"question": name, "text": f"so {number}", "predicted": number} for name in "ba" for number in ("1", "2")]
    found = every_pool(file := written(tmp_path, rows), VoteSettings(file=file), said.append)
    assert [(pool.question, [one.answer for one in pool.candidates]) for pool in found] == [
        ("b", ["1", "2"]), ("a", ["1", "2"]),
    ]  # fmt: skip
    assert said == ["answers: number (inferred; --answers says otherwise)"]
    file = written(tmp_path, [{"question": "a", "text": "The answer is 3."}])
    with pytest.raises(UsageError, match="say with --answers how to read them"):
        every_pool(file, VoteSettings(file=file), said.append)
    (pool,) = every_pool(file, VoteSettings(file=file, answers="number"), said.append)
    assert pool.candidates[0].answer == "3"
    file = written(tmp_path, [{"prompt": "a", "completion": "The answer is 3."}])  # a sample is not its own gold answer
    with pytest.raises(UsageError, match="say with --answers how to read them"):
        every_pool(file, VoteSettings(file=file), said.append)


def test_rationales_on_other_questions_are_counted_and_none_on_these_is_an_error(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "asked.jsonl").write_text(json.dumps({"id": "1", "question": "How much?", "answer": "0.5"}) + "\n")
    settings = VoteSettings(file="rows.jsonl", data=str(tmp_path / "asked.jsonl"))
    texts = [{"question": "How much?", "text": "The answer is 1/2."}, {"question": "How many?", "text": "So 4."}]
    (pool,) = every_pool(written(tmp_path, texts), settings, said.append)
    assert [one.right for one in pool.candidates] == [True]
    assert said == [f"1 rationales are on other questions than those of {settings.data}"]
    with pytest.raises(AurifyError, match="none of its 1 rationales is on a question of"):
        every_pool(written(tmp_path, texts[1:]), settings, said.append)


@pytest.mark.parametrize("known", [True, False])
def test_a_table_is_read_some_questions_at_a_time_with_the_same_pools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    draw, table = random.Random(1), RationaleTable(tmp_path / "rationales")
    asked = [{"id": f"q{i}", "question": f"What is {i}?", "answer": str(i)} for i in range(40)]
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in draw.sample(asked, 33)))
    for step in range(30):  # a run comes back to its questions, some known by their texts
        for row in draw.sample(asked, 7):
            name = row["id"] if draw.random() < 0.7 or not known else row["question"]
            answer = str(draw.choice([row["answer"], "77", "88"]))
            one = rationale(name, f"{step}: {answer}", predicted=answer, source=draw.choice(["self", "self", "guide"]))
            table.append([replace(one, verdict=Verdict.RIGHT if answer == row["answer"] else Verdict.WRONG, step=step)])
        table.flush(step)
    settings = VoteSettings(file=str(tmp_path), data=str(tmp_path / "asked.jsonl") if known else None)
    said: list[list[str]] = [[], []]
    (whole,) = read_pools(str(tmp_path), settings, said[0].append)
    monkeypatch.setattr(by_question, "ROWS_TOGETHER", 20)
    some = list(read_pools(str(tmp_path), settings, said[1].append))
    assert [pool for pools in some for pool in pools] == whole
    assert said[0] == said[1]
    assert len(said[0]) == 2
    assert len(some) > 5
    assert max(sum(len(pool.candidates) for pool in pools) for pools in some) <= 20
    for files in (1 + len(some) // 2, 3, 2):  # fewer than there are pieces, whose rows then lie together first
        monkeypatch.setattr(by_question, "MOST_FILES", files)
        assert list(read_pools(str(tmp_path), settings, said[1].append)) == some
