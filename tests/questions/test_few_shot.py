from __future__ import annotations

from pathlib import Path

import pytest

from aurify.errors import AurifyError
from aurify.questions.few_shot import parse_few_shot

BBH = """CANARY
-----
Sort words.

Q: Question: sort b a
Options:
- x
A: Let's think step by step.
a, then b. So the answer is a b.

Q: sort c
A: Let's think step by step.
Only c. The answer is here. So the answer is c."""


def test_worked_examples_are_taken_apart_and_put_together() -> None:
    shots = parse_few_shot(BBH)
    assert [(one.question, one.answer) for one in shots.examples] == [
        ("Question: sort b a\nOptions:\n- x", "a b"),
        ("sort c", "c"),
    ]
    assert shots.answer_lead == "So the answer is"
    assert shots.render("sort e d") == BBH.partition("-----\n")[2] + "\n\nQ: sort e d\nA: Let's think step by step.\n"


def test_the_hinted_guide_states_every_answer_first() -> None:
    hinted = parse_few_shot(BBH).render("sort e d", "d e")
    assert hinted == (
        "Sort words.\n\n"
        "Q: Question: sort b a\nOptions:\n- x\nA: The answer is a b. Let's think step by step.\n"
        "a, then b. So the answer is a b.\n\n"
        "Q: sort c\nA: The answer is c. Let's think step by step.\n"
        "Only c. The answer is here. So the answer is c.\n\n"
        "Q: sort e d\nA: The answer is d e. Let's think step by step.\n"
    )


def test_answers_alone() -> None:
    assert parse_few_shot(BBH).render_direct("sort e d").endswith("Q: sort c\nA: c\n\nQ: sort e d\nA:")


def test_another_form_is_followed() -> None:
    text = (
        "Question: 1+1?\r\nAnswer: One and one. The answer is 2.\r\n\r\nQuestion: 2+2?\r\nAnswer: Two. The answer is 4."
    )
    shots = parse_few_shot(text)
    assert (shots.ask, shots.reply, shots.think, shots.answer_lead) == ("Question", "Answer", "", "The answer is")
    assert shots.render("3+3?") == text.replace("\r", "") + "\n\nQuestion: 3+3?\nAnswer:"
    assert shots.render("3+3?", "6").endswith("Answer: The answer is 4. Two. The answer is 4.\n\n"
                                              "Question: 3+3?\nAnswer: The answer is 6.")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no worked example"),
        ("just text", "no worked example"),
        ("Q: a\n\nQ: b\nA: So the answer is c.", "worked example 1 has no line 'A: …'"),
        ("Q: a\nA: So the answer is c.\n\nQ: b\nA: who knows", "worked example 2 does not end in"),
    ],
)
def test_texts_without_worked_examples(text: str, reason: str) -> None:
    with pytest.raises(AurifyError, match=reason):
        parse_few_shot(text)


def test_the_prompt_files_of_big_bench_hard_come_back_as_they_are(shared_data: Path) -> None:
    files = sorted((shared_data / "bbh" / "cot-prompts").glob("*.txt"))
    assert len(files) == 27
    for file in files:
        text = file.read_text("utf-8")
        shots = parse_few_shot(text, str(file))
        think = " Let's think step by step." + ("" if file.stem == "sports_understanding" else "\n")
        assert shots.render("new?") == text.partition("-----\n")[2].strip() + f"\n\nQ: new?\nA:{think}"
        assert len(shots.examples) == 3
        assert shots.answer_lead == "So the answer is"
        assert all(one.rationale.rstrip(".").endswith(f"So the answer is {one.answer}") for one in shots.examples)
        assert shots.render("new?", "(Z)").count("The answer is ") >= 4
