"""Questions to measure on are others than those that are trained on."""

from __future__ import annotations

from dataclasses import replace

from aurify.questions import Question
from aurify.questions.apart import kept_apart, on_both_sides


def made(numbers: range, text: str = "What is {}?", task: str = "sums") -> list[Question]:
    return [Question(str(i), text.format(i), str(i), "number", task, where=f"f.jsonl:{i + 1}") for i in numbers]


def test_other_questions_of_the_same_ids_get_ids_of_their_own() -> None:
    said: list[str] = []
    train, measured = made(range(6)), made(range(4, 9), "How much is {}?")
    kept = kept_apart(train, measured, said.append)
    assert said == ["2 ids are of two questions, as '4': the held-out ones get other ids"]
    assert kept[2:] == measured[2:]
    assert [replace(one, id=other.id) for one, other in zip(kept, measured, strict=True)] == measured
    assert len({one.id for one in [*train, *kept]}) == 11
    assert kept == kept_apart(train, measured, said.append), "a resumed run has the same ids"
    alike = kept_apart(train, made(range(4), "What?"), said.append)
    assert len({one.id for one in [*train, *alike]}) == 10, "of the same text, too"


def test_what_is_trained_on_and_measured_on_is_said() -> None:
    said: list[str] = []
    train, measured = made(range(6)), made(range(4, 9))
    assert on_both_sides(train, measured) == measured[:2]
    assert kept_apart(train, measured, said.append) == measured
    assert said == ["2 questions are trained on and measured on, as '4': that is no held-out accuracy"]
    said.clear()
    others = [replace(one, id=f"b{one.id}") for one in measured]
    assert not on_both_sides(train, others)
    assert kept_apart(train, others, said.append) == others
    assert said == ["2 of the held-out questions have the text of one that is trained on"]
    assert kept_apart([], [], said.append) == []
