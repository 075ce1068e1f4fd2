"""Verdicts for rationales of a table that has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from aurify.answers import Grader
from aurify.questions import Question
from aurify.rationales.known_questions import KnownQuestions
from aurify.rationales.record import Rationale


class TableJudge:
    """Gives rationales their question, and verdicts: their own, or, where they have none, the grader's.

    A question is known by its id or by its text (see ``KnownQuestions``); ``texts`` holds the texts of questions that
    go by an id of the file's own (see ``read_with_texts``).
    """

    def __init__(
        self, questions: Sequence[Question], grader: Grader, texts: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._known = KnownQuestions(questions)
        self._grader, self._texts = grader, texts

    def question_of(self, name: str) -> Question | None:
        """The question that a rationale of this ``question_id`` is of."""
        return self._known.find(name, self._texts.get(name, name))

    def judged(self, rationales: Iterable[Rationale]) -> list[Rationale]:
        """Those of the questions, in their order, by the questions' ids and with verdicts."""
        asked = [(rationale, self.question_of(rationale.question_id)) for rationale in rationales]
        matched = [(replace(rationale, question_id=found.id), found) for rationale, found in asked if found is not None]
        open_ones = [
            (i, rationale, question) for i, (rationale, question) in enumerate(matched) if not rationale.verdict
        ]
        grades = self._grader.grade_all(
            [(r.text, question, r.finish_reason == "length") for _, r, question in open_ones]
        )
        found = [rationale for rationale, _ in matched]
        for (index, rationale, _), grade in zip(open_ones, grades, strict=True):
            found[index] = replace(
                rationale, verdict=grade.verdict, reason=grade.reason, predicted=grade.predicted, score=grade.score
            )
        return found
