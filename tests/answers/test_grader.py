"""Whole rationales get the right verdict, with a reason, whatever they hold."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers import Grader, Verdict
from aurify.errors import UsageError
from aurify.questions.record import Question


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(timeout=5) as grader:
        yield grader


def question(answer: str, kind: str, text: str = "", accepted: tuple[str, ...] = ()) -> Question:
    return Question(id="q", text=text, answer=answer, answer_type=kind, accepted=accepted)


@pytest.mark.parametrize(
    ("text", "answer", "kind", "verdict"),
    [
        ("3+5=8. So the answer is 8.", "8", "number", "right"),
        ("3+5=9. So the answer is 9.", "8", "number", "wrong"),
        ("3+5=8, as everybody knows, and 8 it is.", "8", "number", "unparsable"),
        ("So the answer is eight.", "8", "number", "unparsable"),
        ("work\n#### 1,450", "1450", "number", "right"),
        ("So the answer is (B).", "(B)", "choice", "right"),
        ("So the answer is (A).", "(B)", "choice", "wrong"),
        ("So the answer is no.", "No", "text", "right"),
        ("So the answer is ] ] >.", "]]>", "text", "right"),
        ("Hence $\\boxed{\\dfrac{1}{2}}$.", "\\frac12", "math", "right"),
        ("Hence $\\boxed{0.5}$.", "\\frac12", "math", "right"),
        ("Hence $\\boxed{7}$.", "\\frac12", "math", "wrong"),
    ],
)
def test_verdicts(grader: Grader, text: str, answer: str, kind: str, verdict: str) -> None:
    grade = grader.grade(text, question(answer, kind))
    assert grade.verdict == verdict
    assert grade.reason


def test_truncated_counts_whatever_it_states(grader: Grader) -> None:
    grade = grader.grade("So the answer is 8.", question("8", "number"), truncated=True)
    assert (grade.verdict, grade.predicted) == (Verdict.TRUNCATED, None)


def test_any_accepted_answer_is_right(grader: Grader) -> None:
    assert grader.grade("So the answer is 9.", question("8", "number", accepted=("9",))).right
    assert not grader.grade("So the answer is 7.", question("8", "number", accepted=("9",))).right


def test_an_option_may_be_named_by_its_text(grader: Grader) -> None:
    asked = question("(B)", "choice", "When?\nOptions:\n(A) today\n(B) tomorrow")
    assert grader.grade("So the answer is tomorrow.", asked).right
    assert grader.grade("So the answer is today.", asked).verdict is Verdict.WRONG
    assert grader.grade("So the answer is never.", asked).verdict is Verdict.UNPARSABLE
    bare = question("Monsters, Inc", "choice", "Which?\nOptions:\n(A) Monsters\n(B) Inc")
    assert grader.grade("So the answer is Monsters, Inc.", bare).right


def test_an_unreadable_gold_answer_is_said(grader: Grader) -> None:
    grade = grader.grade_answer("8", "eight", "number")
    assert grade.verdict is Verdict.UNPARSABLE
    assert "gold" in grade.reason


def test_an_unknown_type_names_the_nearest(grader: Grader) -> None:
    with pytest.raises(UsageError, match="did you mean 'number'"):
        grader.grade_answer("8", "8", "nmber")


def test_order_is_kept_and_equal_work_done_once(grader: Grader) -> None:
    items = [(f"So the answer is {i % 3}.", question("1", "number"), i == 4) for i in range(6)]
    verdicts = [str(grade.verdict) for grade in grader.grade_all(items)]
    assert verdicts == ["wrong", "right", "wrong", "wrong", "truncated", "wrong"]


def test_a_rationale_is_judged_once_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own question, its own gold answer: another of either is judged again. A judge of ours counts."""
    log = tmp_path / "judged"
    judge = f"def judge(pred, gold):\n    open({str(log)!r}, 'a').write(pred + ' ')\n    return pred == gold\n"
    (tmp_path / "counting_judge.py").write_text(judge)
    monkeypatch.syspath_prepend(str(tmp_path))
    text, asked = "So the answer is 4.", question("4", "counting_judge:judge")
    twice = [(text, asked, False), (text, asked, False)]
    with Grader() as grader:  # its processes find the judge, which those of a shared one had begun too early for
        for _ in range(3):
            assert [grade.right for grade in grader.grade_all(twice)] == [True] * 2
        assert log.read_text() == "4 "
        assert not grader.grade(text, question("5", "counting_judge:judge")).right
        assert grader.grade(text, asked, truncated=True).verdict == "truncated"
        assert log.read_text() == "4 4 "


@given(st.text(), st.sampled_from(["number", "choice", "text"]))
def test_no_text_raises(text: str, kind: str) -> None:
    with Grader() as grader:
        grade = grader.grade(text, question("(A)" if kind == "choice" else "5", kind))
    assert grade.reason
    assert grade.predicted is None or grade.verdict in ("right", "wrong")


@given(
    st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**9, min_value=-(10**9))
)
def test_a_number_equals_itself(number: object) -> None:
    with Grader() as grader:
        assert grader.grade_answer(f"So the answer is {number}.", str(number), "number").right


@given(st.sampled_from("ABCDEFGHIJKLMNOPQR"), st.sampled_from("ABCDEFGHIJKLMNOPQR"))
def test_choices_are_symmetric(a: str, b: str) -> None:
    with Grader() as grader:
        assert (
            grader.grade_answer(a, f"({b})", "choice").right
            == grader.grade_answer(f"({b})", a, "choice").right
            == (a == b)
        )


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1, max_size=6).map(" ".join))
def test_a_text_equals_itself(words: str) -> None:
    with Grader() as grader:
        assert grader.grade(f"So the answer is {words}.", question(words, "text")).right


def test_gsm8k_model_solutions_are_judged_as_their_authors_did(grader: Grader, shared_data: Path) -> None:
    agree = total = 0
    for line in (shared_data / "gsm8k/example_model_solutions.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        gold = row["ground_truth"].rpartition("A:")[2].strip()
        for solution in (value for value in row.values() if isinstance(value, dict)):
            total += 1
            agree += grader.grade(solution["solution"], question(gold, "number")).right == solution["is_correct"]
    assert (agree, total) == (3676, 3676)


def test_math_gold_answers_equal_themselves(grader: Grader, shared_data: Path) -> None:
    for part in ("train", "test"):
        with gzip.open(shared_data / f"math/{part}.jsonl.gz", "rt", encoding="utf-8") as lines:
            golds = [json.loads(line)["answer"] for line in lines]
        assert not [gold for gold in golds if gold is not None and not grader.grade_answer(gold, gold, "math").right]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("They are equal", "right"),
        ("they are equal.", "right"),
        ("They are not equal", "unparsable"),
        ("I do not know.", "unparsable"),
    ],
)
def test_a_gold_answer_that_is_a_sentence_is_right_in_its_own_words(grader: Grader, text: str, verdict: str) -> None:
    assert str(grader.grade_answer(text, "They are equal", "text").verdict) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("<think>Hm.</think>\n<answer>\n(1) Zoey is a knave\n(2) Oliver is a knight\n</answer>", "right"),
        ("<think>Hm.</think>\n(1) Zoey is a knave\n(2) Oliver is a knight", "right"),
        ("<answer>(1) Zoey is a knight\n(2) Oliver is a knight</answer>", "unparsable"),
    ],
)
def test_a_gold_answer_of_several_lines_is_right_in_its_own_words(grader: Grader, text: str, verdict: str) -> None:
    gold = "(1) Zoey is a knave\n(2) Oliver is a knight"
    assert str(grader.grade_answer(text, gold, "text").verdict) == verdict
