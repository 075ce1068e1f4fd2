"""The type of an answer is chosen row by row, where the grader can read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aurify.answers import Grader
from aurify.questions import LoadedQuestions, read_questions

ODD_NUMBERS = {
    "1 250": "1250", "1\u202f250": "1250", "3.0×10^8": "300000000", "12 apples": "12", "(-5)": "-5", "€12.50": "12.5",
    "45 km/h": "45", "−12": "-12", "$1,450.00": "1450", "40%": "40%", "3/4": "3/4", "9 (apples)": "9",
    r"\$23.40": "23.4", r"$\$1,200$": "1200", "**12**": "12", r"\(12\)": "12", "$7$": "7",
}  # fmt: skip
NO_NUMBERS = ["no solution", "7 Up", "5 PM", "5:45", "3-2", "12 May 1945", "x-ray", "Apollo 13", "seven"]


def load(folder: Path, golds: list[Any], **options: Any) -> LoadedQuestions:
    rows = [{"question": f"q{n}?", "answer": answer} for n, answer in enumerate(golds)]
    (folder / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_questions(folder / "f.jsonl", skip_bad=True, **options)


@pytest.mark.parametrize("answer", ODD_NUMBERS)
def test_a_number_written_otherwise_is_a_number(tmp_path: Path, answer: str) -> None:
    for told in (None, "number"):
        found = load(tmp_path, ["12", answer, "7"], answers=told)
        assert [one.answer_type for one in found] == ["number"] * 3
        assert found[1].answer == ODD_NUMBERS[answer]
    assert found.notes == []


@pytest.mark.parametrize("answer", NO_NUMBERS)
def test_an_odd_row_among_numbers_is_text_alone_and_said(tmp_path: Path, answer: str) -> None:
    found = load(tmp_path, ["12", answer, "7"])
    assert [(one.answer_type, one.answer) for one in found] == [("number", "12"), ("text", answer), ("number", "7")]
    (note,) = found.notes
    assert f"1 of 3 answers are not numbers, and are compared as text: {tmp_path}/f.jsonl:2 " in note
    told = load(tmp_path, ["12", answer, "7"], answers="number")
    assert [where for where, _ in told.skipped] == [f"{tmp_path}/f.jsonl:2"]


def test_numbers_among_words_stay_words(tmp_path: Path) -> None:
    found = load(tmp_path, ["Paris", "12 apples", "1945", "Rome"])
    assert [(one.answer_type, one.answer) for one in found][1:3] == [("text", "12 apples"), ("text", "1945")]
    assert found.notes == []


def test_latex_among_numbers_and_numbers_among_latex(tmp_path: Path) -> None:
    assert [one.answer_type for one in load(tmp_path, ["1", "2", "3", "\\sqrt{2}"])] == ["number"] * 3 + ["math"]
    assert [one.answer_type for one in load(tmp_path, ["1", "\\sqrt{2}", "\\pi"])] == ["math"] * 3


def test_mathematics_in_plain_signs_among_numbers(tmp_path: Path) -> None:
    found = load(tmp_path, ["12", "(2,8)", "7", "x + 3", "9", "3 or 4", "5:45", "Paris", "8", "(A, B)", "6"])
    assert [one.answer for one in found if one.answer_type == "math"] == ["(2,8)", "x + 3", "3 or 4"]
    assert [one.answer for one in found if one.answer_type == "text"] == ["5:45", "Paris", "(A, B)"]
    assert "6 of 11 answers are not numbers, and are compared as text or mathematics" in found.notes[0]
    found = load(tmp_path, ["x+1", "(2,8)", "5", "Paris"])
    assert [one.answer_type for one in found] == ["math", "math", "number", "text"], "most are numbers or mathematics"
    found = load(tmp_path, ["(2,8)", "Paris", "5", "Rome", "the 3rd"])
    assert {one.answer_type for one in found} == {"text"}


def test_several_acceptable_answers(tmp_path: Path) -> None:
    found = load(tmp_path, [["4.5", "9/2"], ["12", "twelve"], ["1,000"], "7"])
    assert [(one.answer, one.accepted, one.answer_type) for one in found] == [
        ("4.5", ("9/2",), "number"),
        ("12", ("twelve",), "text"),  # one of the two is no number
        ("1000", (), "number"),
        ("7", (), "number"),
    ]


def test_a_letter_is_a_choice_where_its_question_lists_it(tmp_path: Path) -> None:
    rows = [
        {"question": "Which?\n(A) x\n(B) y", "answer": "B"},
        {"question": "1 + 1?", "answer": "2"},
        {"question": "1 + 2?", "answer": "3"},
        {"question": "Which letter?", "answer": "B"},
    ]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_questions(tmp_path / "f.jsonl")
    assert [(one.answer, one.answer_type) for one in found] == [
        ("(B)", "choice"), ("2", "number"), ("3", "number"), ("B", "text"),
    ]  # fmt: skip


@pytest.mark.parametrize("answer", ["None", "unknown", "NA", "-", "?", "—", "hidden", "(B)", "D."])
def test_what_stands_for_no_answer_among_numbers_is_a_bad_row(tmp_path: Path, answer: str) -> None:
    found = load(tmp_path, ["12", answer, "7"])
    assert [one.answer for one in found] == ["12", "7"]
    ((_, reason),) = found.skipped
    assert "--answers text takes it as it is" in reason
    assert [one.answer for one in load(tmp_path, ["Paris", answer, "12"])][-1] == "12"


@pytest.mark.parametrize("answer", ["None", "unknown", "-", "?", "(B)"])
def test_among_words_the_same_may_be_an_answer(tmp_path: Path, answer: str) -> None:
    assert [one.answer for one in load(tmp_path, ["Paris", answer, "Rome", "12"])][1] == answer


@pytest.mark.parametrize("answer", [")", "[", "\\", "*", "+", "?", "("])
def test_a_lone_sign_among_numbers_is_no_pattern(tmp_path: Path, answer: str) -> None:
    found = load(tmp_path, ["12", answer, "7"])
    assert len(found) + len(found.skipped) == 3
    assert [one.answer for one in found if one.answer != answer] == ["12", "7"]


def test_a_letter_is_a_bad_row_where_the_question_asks_to_choose_and_lists_nothing(tmp_path: Path) -> None:
    rows = [
        {"question": "Which of the following is prime?", "answer": "B"},
        {"question": "Which of the following is prime?\n(A) 4\n(B) 5", "answer": "B"},
        {"question": "Which city?", "answer": "Paris"},
        {"question": "Which letter comes first?", "answer": "A"},
    ]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_questions(tmp_path / "f.jsonl", skip_bad=True)
    assert [one.answer for one in found] == ["(B)", "Paris", "A"]
    ((_, reason),) = found.skipped
    assert "the answer is 'B', but the question lists no options" in reason


@pytest.mark.parametrize(("answer", "number"), [("x = 5", "5"), ("about 5", "5"), ("≈ 5", "5"), ("5 lakh", "500000")])
def test_a_number_said_otherwise_is_one(tmp_path: Path, answer: str, number: str) -> None:
    assert load(tmp_path, ["12", answer, "7"])[1].answer == number


def test_measures_and_prices_make_a_file_of_numbers(tmp_path: Path) -> None:
    found = load(tmp_path, ["1 250", "3.0×10^8", "12 apples", "(-5)", "€12.50", "7", "Paris"])
    assert [one.answer for one in found] == ["1250", "300000000", "12", "-5", "12.5", "7", "Paris"]
    assert [one.answer_type for one in found] == ["number"] * 6 + ["text"]
    assert "Paris" in found.notes[0]
    found = load(tmp_path, ["7 Up", "5 km", "Paris", "Rome"])
    assert {one.answer_type for one in found} == {"text"}


def test_a_letter_among_numbers_is_a_bad_row_unless_the_question_asks_for_one(tmp_path: Path) -> None:
    asked = ["1 + 1?", "How far is it?", "Which point is nearest?", "Is A or B larger?", "1 + 2?", "1 + 3?", "1 + 4?"]
    rows = [
        {"question": one, "answer": two} for one, two in zip(asked, ["2", "C", "C", "B", "3", "4", "5"], strict=True)
    ]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_questions(tmp_path / "f.jsonl", skip_bad=True)
    assert [one.answer for one in found] == ["2", "C", "B", "3", "4", "5"]


def test_a_letter_among_formulas_is_a_bad_row_where_the_question_lists_and_names_none(tmp_path: Path) -> None:
    boxed = {"problem_type": "Algebra", "solution": "So \\boxed{x}."}
    asked = ["How far is it?", "Is $A$ or $B$ larger?", "Which is it? A) 1 B) 2 C) 3", "Which variable is free?"]
    rows = [{"problem": one, "answer": "B", **boxed} for one in asked] + [{"problem": "P?", "answer": "x^2", **boxed}]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_questions(tmp_path / "f.jsonl", skip_bad=True)
    assert [one.text for one in found] == [*asked[1:], "P?"]
    assert "names no such letter" in found.skipped[0][1]


@pytest.mark.parametrize(
    "options", ["(A) x (B) y", "a) x\nb) y", "- A. x\n- B. y", "Answer Choices: (a) x (b) y (c) z"]
)
def test_options_in_one_line_in_small_letters_and_in_bullets(tmp_path: Path, options: str) -> None:
    rows = [{"question": f"Which is it, {n}?\n{options}", "answer": gold} for n, gold in enumerate(["A", "b", "(B)"])]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_questions(tmp_path / "f.jsonl")
    assert [(one.answer, one.answer_type) for one in found] == [(letter, "choice") for letter in ("(A)", "(B)", "(B)")]


def test_small_letters_of_options_that_are_not_listed_are_bad_rows(tmp_path: Path) -> None:
    found = load(tmp_path, ["a", "b", "d"])
    assert [reason.partition(" (")[0] for _, reason in found.skipped] == [
        f"the answer is '{letter}', but the question lists no options" for letter in "abd"
    ]
    assert [one.answer for one in load(tmp_path, ["a", "b", "z"])] == ["a", "b", "z"], "letters, and no options"
    assert [one.answer for one in load(tmp_path, ["e", r"\pi", "i"])] == ["e", r"\pi", "i"]


def test_letters_without_options_among_choices_are_said(tmp_path: Path) -> None:
    rows = [{"question": f"Q{n}?\nA. x\nB. y", "answer": "B"} for n in range(2)]
    rows += [{"question": "Q3?\nA - x\nB - y", "answer": "B"}, {"question": "Where?", "answer": "Paris"}]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_questions(tmp_path / "f.jsonl")
    assert [one.answer_type for one in found] == ["choice", "choice", "text", "text"]
    (note,) = found.notes
    assert "1 of 4 answers are letters whose questions list no options that can be read" in note
    assert note.endswith("f.jsonl:3 'B'")


def test_a_truth_value_is_said_in_either_wording_and_a_text_in_its_own(tmp_path: Path) -> None:
    right = {True: ("Yes", "true", "The answer is yes."), False: ("no", "False", "So the answer is no.")}
    with Grader() as grader:
        for question, value in zip(load(tmp_path, [True, False]), (True, False), strict=True):
            assert question.answer == str(value)
            assert all(grader.grade(text, question).right for text in right[value])
            assert not any(grader.grade(text, question).right for text in right[not value])
        for question in load(tmp_path, ["True", "yes"]):
            assert grader.grade(question.answer, question).right
            assert not grader.grade({"True": "yes", "yes": "True"}[question.answer], question).right
    listed = {"question": "Is it?\n(A) True\n(B) False", "answer": True}
    (tmp_path / "g.jsonl").write_text(json.dumps(listed) + "\n")
    (choice,) = read_questions(tmp_path / "g.jsonl", answers="choice")
    assert (choice.answer, choice.accepted) == ("(A)", ("True",))


OPTIONS = {"question": "Which is a fruit?", "choices": ["stone", "apple", "car"]}


@pytest.mark.parametrize(
    ("rows", "answers"),
    [
        ([{**OPTIONS, "answer": 1}, {**OPTIONS, "answer": 0}], ["(B)", "(A)"]),
        ([{**OPTIONS, "answer": "apple"}, {**OPTIONS, "answer": "C"}], ["(B)", "(C)"]),
        ([{**OPTIONS, "answer": 3}, {**OPTIONS, "answer": 1}], ["(C)", "(A)"]),  # counted from 1
        ([OPTIONS, {**OPTIONS, "answer": "a pear"}], ["", ""]),
        ([{"question": "2+2?", "answer": "4"}, {"question": "3+3?"}], ["4", ""]),
    ],
)
def test_who_judges_by_the_whole_row_is_told_the_letter_of_the_right_option(
    rows: list[dict[str, Any]], answers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "rewards_of_options.py").write_text(
        "def by_row(completions, **columns):\n    return [1.0]\n"
        "def by_truth(solution_str, ground_truth):\n    return float(solution_str == ground_truth)\n"
    )
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = read_questions(tmp_path / "f.jsonl", answers="rewards_of_options:by_row")
    assert [one.answer for one in found] == answers
    assert [json.loads(one.columns) for one in found] == rows  # as they are
    assert all("(B) apple" in one.text for one in found if "fruit" in one.text)
    true = read_questions(tmp_path / "f.jsonl", answers="rewards_of_options:by_truth", skip_bad=True)
    assert [one.answer for one in true] == [answer for answer in answers if answer]
    with Grader() as grader:
        for one in true:
            assert grader.grade(one.answer, one).right
            assert not grader.grade("(Z)", one).right
