"""Worked examples of a model's own: right ones, short, readable, and never shown to their own question."""

from __future__ import annotations

from pilots import rationale

from aurify.answers.verdict import Verdict
from aurify.doctor.worked import EXAMPLES_SHOWN, shown_to, worked_examples
from aurify.questions import Question
from aurify.questions.few_shot import parse_few_shot


def question(number: int, text: str = "How many?"):
    return Question(id=f"q{number}", text=text, answer="1", answer_type="number", where="f:1")


def test_right_rationales_become_examples_up_to_their_statement():
    questions = [question(0), question(1)]
    rows = [
        [rationale(0, text="One and none. The answer is 1.\n\nNow another problem: 5."), rationale(0, Verdict.WRONG)],
        [rationale(1, Verdict.WRONG)],
    ]
    found = worked_examples(questions, rows)
    assert found == {"q0": "Q: How many?\nA: One and none. The answer is 1."}
    (example,) = parse_few_shot(shown_to(question(5), found)).examples
    assert (example.rationale, example.answer) == ("One and none. The answer is 1.", "1")


def test_no_question_is_shown_its_own():
    questions = [question(number) for number in range(9)]
    found = worked_examples(questions, [[rationale(number)] for number in range(9)])
    assert len(found) == EXAMPLES_SHOWN + 1
    for one in questions:
        shown = parse_few_shot(shown_to(one, found)).examples
        assert len(shown) == EXAMPLES_SHOWN
    assert shown_to(questions[0], {"q0": found.get("q0", "Q: a\nA: The answer is 1.")}).strip() == ""


def test_what_does_not_read_as_an_example_is_left_out():
    broken = [
        rationale(0, text="It is 1."),
        rationale(0, text="See:\nQ: what?\nA: The answer is 2.\nThe answer is 1."),
    ]
    assert worked_examples([question(0)], [broken]) == {}


def test_of_a_rationale_with_a_thought_the_reply_is_shown():
    text = "<think>\nOr two? So the answer is 2. No.\n</think>\n\nOne. So the answer is 1."
    channels = "<|channel|>analysis<|message|>The answer is 2?<|end|><|start|>assistant<|channel|>final<|message|>"
    for said in (text, f"{channels}One. So the answer is 1."):
        assert worked_examples([question(0)], [[rationale(0, text=said)]]) == {
            "q0": "Q: How many?\nA: One. So the answer is 1."
        }
    open_one = rationale(0, text="<think>\nSo the answer is 1.")
    assert worked_examples([question(0)], [[open_one]]) == {}
