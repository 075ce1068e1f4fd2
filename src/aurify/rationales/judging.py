"""Verdicts for rationales of a table that has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aurify.answers import Grader
from aurify.questions import Question
from aurify.rationales.record import Rationale


def judged(rationales: Iterable[Rationale], questions: Sequence[Question], grader: Grader) -> list[Rationale]:
    """The rationales of these questions, with verdicts: their own, or, where they have none, the grader's.

    A question is known by its id or by its text. The order is that of the table.
    """
    by_name = {question.text: question for question in questions} | {question.id: question for question in questions}
    matched = [
        (replace(rationale, question_id=by_name[rationale.question_id].id), by_name[rationale.question_id])
        for rationale in rationales
        if rationale.question_id in by_name
    ]
    open_ones = [(i, rationale, question) for i, (rationale, question) in enumerate(matched) if not rationale.verdict]
    grades = grader.grade_all([(r.text, question, r.finish_reason == "length") for _, r, question in open_ones])
    found = [rationale for rationale, _ in matched]
    for (index, rationale, _), grade in zip(open_ones, grades, strict=True):
        found[index] = replace(rationale, verdict=grade.verdict, reason=grade.reason, predicted=grade.predicted)
    return found
