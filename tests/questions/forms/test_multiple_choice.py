"""Options in columns end up in the question, and the right one is a letter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aurify.questions import LoadedQuestions, read_questions

Load = Callable[..., LoadedQuestions]

TEXTS = ["four", "five", "six", "eight"]
LISTED = "How many?\nOptions:\n(A) four\n(B) five\n(C) six\n(D) eight"
LABELLED = [{"label": label, "text": text} for label, text in zip("ABCD", TEXTS, strict=True)]
ASK = {"question": "How many?"}

OF_THREE = {
    "MMLU": {**ASK, "choices": TEXTS, "answer": 2},
    "MMLU's CSV": {**ASK, "A": "four", "B": "five", "C": "six", "D": "eight", "answer": "C"},
    "MMLU-Pro": {**ASK, "options": TEXTS, "answer": "C", "answer_index": 2, "cot_content": ""},
    "ARC": {**ASK, "choices": {"text": TEXTS, "label": ["A", "B", "C", "D"]}, "answerKey": "C"},
    "ARC, digits": {**ASK, "choices": {"text": TEXTS, "label": ["1", "2", "3", "4"]}, "answerKey": "3"},
    "ARC's source": {"question": {"stem": "How many?", "choices": LABELLED}, "answerKey": "C"},
    "AQuA": {**ASK, "options": ["A)four", "B)five", "C)six", "D)eight"], "correct": "C", "rationale": "So: C"},
    "CommonsenseQA": {**ASK, "choices": {"label": ["A", "B", "C", "D"], "text": TEXTS}, "answerKey": "C"},
    "OpenBookQA": {"question_stem": "How many?", "choices": LABELLED, "answerKey": "c"},
    "MedQA": {**ASK, "options": dict(zip("ABCD", TEXTS, strict=True)), "answer": "six", "answer_idx": "C"},
    "MedMCQA": {**ASK, "opa": "four", "opb": "five", "opc": "six", "opd": "eight", "cop": 2, "choice_type": "single"},
    "MathQA": {"Problem": "How many?", "options": "a ) four , b ) five , c ) six , d ) eight", "correct": "c"},
    "by text": {**ASK, "choices": TEXTS, "answer": "six"},
    "by letter and text": {**ASK, "choices": TEXTS, "answer": "(C) six"},
    "JSON text": {**ASK, "choices": '["four", "five", "six", "eight"]', "answer": "C"},
    "Python text": {**ASK, "choices": "['four', 'five', 'six', 'eight']", "answer": "2"},
    "TruthfulQA": {**ASK, "mc1_targets": {"choices": TEXTS, "labels": [0, 0, 1, 0]}},
    "listed already": {"question": LISTED, "choices": TEXTS, "answer": 2},
    "AGIEval": {
        "query": "How many?",
        "choices": [f"({a}){b}" for a, b in zip("ABCD", TEXTS, strict=True)],
        "gold": [2],
    },
    "QuALITY": {**ASK, "options": TEXTS, "gold_label": 2},
    "ReClor": {**ASK, "answers": TEXTS, "label": 2},
    "CosmosQA": {**ASK, **{f"answer{n}": text for n, text in enumerate(TEXTS)}, "label": 2},
    "conversation": {"messages": [{"role": "user", "content": "How many?"}], "choices": TEXTS, "answer": "C"},
}


@pytest.mark.parametrize("name", OF_THREE)
def test_the_forms_of_known_sets(load: Load, name: str) -> None:
    (question,) = load(OF_THREE[name])
    assert (question.text, question.answer, question.answer_type) == (LISTED, "(C)", "choice")


@pytest.mark.parametrize("answer", ["1e999", "-1e999", '"[0, 1]"', '"[]"', "[0, 1]", '"\\ud800"'])
def test_an_answer_that_no_option_is_makes_a_bad_row_and_says_nothing_of_how_the_file_counts(
    answer: str, tmp_path: Path
) -> None:
    lines = [f'{{"question": "q?", "choices": ["x", "y"], "answer": {mark}}}\n' for mark in (answer, 1, 2)]
    (tmp_path / "rows.jsonl").write_text("".join(lines))
    found = read_questions(tmp_path / "rows.jsonl", skip_bad=True)
    assert [one.answer for one in found] == ["(A)", "(B)"]
    assert "counted from 1" in found.notes[0]
    assert len(found.skipped) == 1


def test_an_answer_by_number_is_counted_as_the_whole_file_counts(load: Load) -> None:
    rows = [{"question": f"q{n}?", "option1": "x", "option2": "y", "answer": str(n)} for n in (1, 2)]
    found = load(*rows)
    assert [one.answer for one in found] == ["(A)", "(B)"], "WinoGrande counts from 1"
    assert "counted from 1" in found.notes[0]
    rows = [{"premise": f"p{n}.", "question": "effect", "choice1": "x", "choice2": "y", "label": n} for n in (0, 1)]
    found = load(*rows)
    assert [one.answer for one in found] == ["(A)", "(B)"], "COPA from 0"
    assert found.notes == []
    assert found[0].text == "p0.\n\neffect\nOptions:\n(A) x\n(B) y"
    found = load({**ASK, "choices": TEXTS, "answer": 0}, {**ASK, "choices": TEXTS, "answer": 4})
    assert [one.answer for one in found] == ["(A)"]
    assert (
        "'answer' is 4: expected a letter from A to D, an option's text or label, or a number from 0 to 3"
        in (found.skipped[0][1])
    )


def test_numbers_as_options_are_named_by_their_text_or_their_place(load: Load) -> None:
    numbers = ["42", "36", "48", "1"]
    rows = [{"question": f"q{n}?", "choices": numbers, "answer": mark} for n, mark in enumerate(["36", 42, 1, "1"])]
    assert [one.answer for one in load(*rows)] == ["(B)", "(A)", "(B)", "(D)"]


def test_distractors_are_shuffled_by_the_question_alone(load: Load) -> None:
    wrong = {f"Incorrect Answer {n}": text for n, text in enumerate(["four", "five", "eight"], start=1)}
    rows = [{"Question": f"How many {n}?", "Correct Answer": "six", **wrong} for n in range(40)]
    found = load(*rows)
    assert len(found) == 40
    assert all(one.text.partition(f"\n{one.answer} ")[2].startswith("six") for one in found)
    assert {one.answer for one in found} == {"(A)", "(B)", "(C)", "(D)"}
    turned = [
        {"distractors": ["eight", "four", "five"], "question": row["Question"], "correct_answer": "six"} for row in rows
    ]
    again = load(*turned)
    assert [(one.text, one.answer) for one in again] == [(one.text, one.answer) for one in found], (
        "whatever their order"
    )


def test_distractors_beside_options_in_an_order_of_their_own(load: Load) -> None:
    """As lm-evaluation-harness shuffles GPQA: a letter means the row's order, whatever ours would be."""
    wrong = ["four", "five", "eight"]
    beside = {f"Incorrect Answer {n}": text for n, text in enumerate(wrong, start=1)}
    asked = [{"Question": f"How many {n}?", "Correct Answer": "six", **beside} for n in range(8)]
    turned = [[*wrong[: n % 4], "six", *wrong[n % 4 :]] for n in range(8)]
    listed = ["How many {}?\nOptions:\n(A) {}\n(B) {}\n(C) {}\n(D) {}".format(n, *t) for n, t in enumerate(turned)]

    def texts(*beside: dict[str, Any]) -> list[str]:
        found = load(*({**row, **more} for row, more in zip(asked, beside, strict=True)))
        assert all(f"\n{one.answer} six" in one.text for one in found)
        return [one.text for one in found]

    shuffled = [{"choices": options, "answer": f"({'ABCD'[options.index('six')]})"} for options in turned]
    assert texts(*shuffled) == listed
    assert texts(*({**row, "answer": row["choices"].index("six")} for row in shuffled)) == listed, "by number"
    columns = [{f"choice{n}": text for n, text in enumerate(options, start=1)} for options in turned]
    assert texts(*({**c, "answer": row["answer"]} for c, row in zip(columns, shuffled, strict=True))) == listed
    assert texts(*({"choices": options} for options in turned)) == listed, "by the right one's text"
    ours = texts(*({} for _ in asked))
    cut = [{"choices": [text for text in options if text != "six"]} for options in turned]
    assert texts(*cut) == ours, "nothing says which of them is right"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**ASK, "choices": TEXTS, "answer": "E"}, "'answer' is 'E': expected a letter from A to D"),
        ({**ASK, "choices": TEXTS, "answer": None}, "no answer: expected a field named answerkey"),
        ({**ASK, "choices": TEXTS, "answer": "A", "answerKey": "B"}, r"two answers: 'answerkey' says \(B\) and"),
        ({**ASK, "choices": TEXTS, "answer": ["A", "C"]}, "'answer' names 2 options: expected one"),
        ({**ASK, "choices": ["four"], "answer": 0}, "'choices' holds 1 options: expected 2 to 26"),
        ({**ASK, "choices": [str(n) for n in range(27)], "answer": 0}, "'choices' holds 27 options"),
        ({**ASK, "choices": ["four", None], "answer": 0}, "'choices' is null"),
        ({**ASK, "correct_answer": "x", "distractor1": "X "}, "'correct_answer' is also among the wrong answers"),
        ({**ASK, "choices": TEXTS, "answer": -1}, "'answer' is -1: expected a letter"),
    ],
)
def test_rows_without_one_right_option_are_bad(load: Load, row: dict[str, Any], reason: str) -> None:
    found = load(row)
    assert len(found) == 0
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(found.skipped[0][1])


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"question": "3 + 4?", "a": 3, "b": 4, "answer": 7}, "7"),
        ({"question": "3 + 4?", "a": "3", "b": "4", "answer": "7"}, "7"),
        ({"question": "q?", "choices": [], "answer": 7}, "7"),
        ({"question": "q?", "options": {"temperature": 1.0}, "answer": 7}, "7"),
        ({"question": "q?", "choices": [{"index": 0, "message": {"content": "7"}}], "answer": 7}, "7"),
        ({"question": "q?", "solution1": "so 7", "solution2": "it is 7", "answer": 7}, "7"),
        ({"question": "q?", "option1": "only one", "answer": 7}, "7"),
    ],
)
def test_rows_that_only_look_like_multiple_choice(load: Load, row: dict[str, Any], answer: str) -> None:
    (question,) = load(row)
    assert (question.text, question.answer, question.answer_type) == (row["question"], answer, "number")


@pytest.mark.parametrize("answers", [["A", "C", "B"], ["(A)", "(B)", "(C)"]])
def test_letters_without_options_are_bad_rows_unless_told(load: Load, answers: list[str]) -> None:
    rows = [{"question": f"q{n}?", "answer": answer} for n, answer in enumerate(answers)]
    found = load(*rows)
    assert len(found) == 0
    assert "the question lists no options" in found.skipped[0][1]
    assert [one.answer_type for one in load(*rows, answers="text")] == ["text"] * 3
    assert [one.answer for one in load(*rows, answers="choice")] == [f"({one.strip('()')})" for one in answers]
    words = load(*rows, {"question": "Which word?", "answer": "cab"})
    assert [one.answer_type for one in words] == ["text"] * 4, "letters among words are words"


def test_answers_that_no_label_counts_are_acceptable_ones(load: Load) -> None:
    found = load(
        {**ASK, "answers": TEXTS},
        {**ASK, "answers": TEXTS, "label": "easy"},
        {**ASK, "answers": TEXTS, "answer": "six", "label": 2},
        {**ASK, "answers": TEXTS, "label": 9},
    )
    assert [(one.answer, len(one.accepted)) for one in found] == [("four", 3), ("four", 3), ("six", 0), ("four", 3)]
    assert {one.answer_type for one in found} == {"text"}


def test_a_story_stands_before_its_question(load: Load) -> None:
    (found,) = load({"narrative": "Al lied.", "question": "Who lied?", "choices": "['Al', 'Bo']", "answer_index": 0})
    assert found.text == "Al lied.\n\nWho lied?\nOptions:\n(A) Al\n(B) Bo"


def test_a_text_beside_the_question_is_its_passage(load: Load) -> None:
    row = {"text": "All birds fly.", "question": "What follows?", "options": TEXTS, "answer": 0}
    (found,) = load(row)
    assert found.text.startswith("All birds fly.\n\nWhat follows?\nOptions:")
    (found,) = load({**row, "text": "Q: What follows? Answer: four"})
    assert found.text.startswith("What follows?"), "it is the question again, and tells the answer"
