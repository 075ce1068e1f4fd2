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
from aurify.rationales.record import Move
from aurify.training.first_rationales import Given, Starter


class Way(NamedTuple):
    """How a question's proposals are drawn."""

    move: Move = "independent"
    stem: tuple[int, ...] = ()
    """What stands already of each; of a suffix move alone."""


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
        ways: Mapping[str, Way] = MappingProxyType({}),
    ) -> list[Proposed]:
        """Graded proposals of each question; of given ones only the right ones, so that there may be none.

        ``ways`` says by question id how they are drawn; without it, whole ones from the plain prompt.

        The starter gives a first rationale to each question whose id is in ``without``, in the same call of the
        sampler: its rows decode beside the proposals' at little cost.
        """
        to_start = [question for question in questions if question.id in without] if starter else []
        start = starter.request(to_start) if starter and to_start else None
        given = self.method.given and self.given is not None
        asked = [] if given else self._by_way(questions, ways)
        drawn = iter(self.drawing.draw_all([*([start] if start else []), *asked], step=step))
        started = next(drawn) if start else []
        firsts = starter.first(to_start, step, started) if starter else []
        if given and self.given:
            rows = self.given.all(questions, step)
        else:
            found = {q.id: row for request in asked for q, row in zip(request.questions, next(drawn), strict=True)}
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

    def _by_way(self, questions: Sequence[Question], ways: Mapping[str, Way]) -> list[Request]:
        """What to draw, one request for each move that occurs."""
        by_move: dict[Move, list[Question]] = {"independent": [], "suffix": [], "guide": []}
        for question in questions:
            by_move[ways.get(question.id, Way()).move].append(question)
        whole, going_on, hinted = by_move.values()
        requests = [
            self._request(whole, hinted=self.method.given),
            self._request(going_on, hinted=False)._replace(move="suffix", stems=[ways[q.id].stem for q in going_on]),
            self._request(hinted, hinted=True)._replace(move="guide"),
        ]
        return [request for request in requests if request.questions]
