"""Verdicts for rationales of a table that has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from aurify.answers import Grader
from aurify.questions import Question
from aurify.rationales.reading import plain
from aurify.rationales.record import Rationale


def judged(
    rationales: Iterable[Rationale],
    questions: Sequence[Question],
    grader: Grader,
    texts: Mapping[str, str] = MappingProxyType({}),
) -> list[Rationale]:
    """The rationales of these questions, with verdicts: their own, or, where they have none, the grader's.

    A question is known by its id or by its text; ``texts`` holds the texts of questions that go by an id of the
    file's own (see ``read_with_texts``). The order is that of the table.
    """
    by_id = {question.id: question for question in questions}
    by_text = {plain(question.text): question for question in questions}

    def question_of(name: str) -> Question | None:
        found, text = by_id.get(name), plain(texts.get(name, name))
        if found is not None and plain(found.text) == text:
            return found
        return by_text.get(text) or found  # an id of the file's own may by chance be another question's

    asked = [(rationale, question_of(rationale.question_id)) for rationale in rationales]
    matched = [(replace(rationale, question_id=found.id), found) for rationale, found in asked if found is not None]
    open_ones = [(i, rationale, question) for i, (rationale, question) in enumerate(matched) if not rationale.verdict]
    grades = grader.grade_all([(r.text, question, r.finish_reason == "length") for _, r, question in open_ones])
    found = [rationale for rationale, _ in matched]
    for (index, rationale, _), grade in zip(open_ones, grades, strict=True):
        found[index] = replace(
            rationale, verdict=grade.verdict, reason=grade.reason, predicted=grade.predicted, score=grade.score
        )
    return found
