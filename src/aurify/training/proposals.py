"""What a step learns from: rationales as its method wants them, drawn from the model or given beforehand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from aurify.methods import Method
from aurify.questions import Prompts, Question
from aurify.rationales import Drawing, Rationale
from aurify.rationales.draw import Request
from aurify.training.first_rationales import Given, Starter


class Proposed(NamedTuple):
    """What was drawn for a question: a first rationale for its chain, if it was asked for and found, and proposals."""

    first: Rationale | None
    proposals: list[Rationale]


@dataclass(frozen=True)
class Proposer:
    """Gives every question of a step its proposals."""

    method: Method
    drawing: Drawing
    prompts: Prompts
    given: Given | None = None
    """Where a method that learns from given rationales has them from; None: drawn under the hinted prompt."""

    def __call__(
        self,
        questions: Sequence[Question],
        step: int,
        starter: Starter | None = None,
        without: Collection[str] = (),
        stems: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    ) -> list[Proposed]:
        """Graded proposals of each question; of given ones only the right ones, so that there may be none.

        A question whose id is in ``stems`` has proposals that go on from that beginning, the others whole ones.

        The starter gives a first rationale to each question whose id is in ``without``, in the same call of the
        sampler: its rows decode beside the proposals' at little cost.
        """
        to_start = [question for question in questions if question.id in without] if starter else []
        start = starter.request(to_start) if starter and to_start else None
        given = self.method.given and self.given is not None
        fresh = [] if given else [question for question in questions if question.id not in stems]
        going_on = [] if given else [question for question in questions if question.id in stems]
        whole = self._request(fresh, hinted=self.method.given) if fresh else None
        ends = self._ends(going_on, stems) if going_on else None
        drawn = iter(self.drawing.draw_all([request for request in (start, whole, ends) if request], step=step))
        started = next(drawn) if start else []
        firsts = starter.first(to_start, step, started) if starter else []
        if given and self.given:
            rows = self.given.all(questions, step)
        else:
            parts = [(request.questions, next(drawn)) for request in (whole, ends) if request]
            found = {question.id: row for asked, part in parts for question, row in zip(asked, part, strict=True)}
            rows = [found[question.id] for question in questions]
        if self.method.rationalises:
            self._rationalise(questions, rows, step)
        by_id = {question.id: first for question, first in zip(to_start, firsts, strict=True)}
        return [Proposed(by_id.get(question.id), row) for question, row in zip(questions, rows, strict=True)]

    def _rationalise(self, questions: Sequence[Question], rows: list[list[Rationale]], step: int) -> None:
        """Add rationales drawn with the answer in the prompt where none is right."""
        failed = [index for index, row in enumerate(rows) if not any(sample.right for sample in row)]
        request = self._request([questions[index] for index in failed], hinted=True)
        for index, row in zip(failed, self.drawing.draw_all([request], step=step)[0], strict=True):
            rows[index] = rows[index] + row

    def _request(self, questions: Sequence[Question], *, hinted: bool) -> Request:
        return Request(
            questions,
            self.prompts(questions, hinted=hinted),
            source="guide" if hinted else "self",
            samples=self.method.samples,
            temperature=0.0 if self.method.greedy else 1.0,
            move="independent" if self.method.remembers and not hinted else None,
        )

    def _ends(self, questions: Sequence[Question], stems: Mapping[str, tuple[int, ...]]) -> Request:
        request = self._request(questions, hinted=False)
        return request._replace(move="suffix", stems=[stems[question.id] for question in questions])
