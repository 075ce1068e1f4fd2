"""A step's proposals, drawn by a server while the step before is computed (``--overlap``).

They are of the weights of one update before. What each was drawn with is known, its log-probability, so its term of the
gradient counts with the ratio of what the weights that learn say to that (see ``m_step.accumulate_gradient``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from aurify.clock import Clock
from aurify.methods import Term
from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.sampling.protocol import ComparesLater
from aurify.training.first_rationales import Starter
from aurify.training.proposals import Proposed, Proposer, Way

TOLD = (
    "overlap: each step but the first learns from proposals of the weights one update before, which were drawn "
    "meanwhile: not exact; its metrics say so (behind), and how much their weights were corrected (importance)"
)
"""What a run says at its start."""


class DrawsAhead:
    """Draws in a thread of its own, from a server that holds the weights as they are when it begins."""

    def __init__(self, propose: Proposer) -> None:
        self._sampler = propose.drawing.sampler
        self._propose = replace(propose, drawing=replace(propose.drawing, clock=Clock()))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._begun: tuple[int, Future[list[Proposed]]] | None = None

    def begin(
        self,
        step: int,
        questions: Sequence[Question],
        starter: Starter,
        without: Collection[str],
        ways: Mapping[str, Way],
    ) -> None:
        """Begin to draw for a step (see ``Proposer``)."""
        if isinstance(self._sampler, ComparesLater):
            self._sampler.compare_later()
        self._begun = step, self._thread.submit(self._propose, questions, step, starter, without, ways)

    def end(self) -> None:
        """Until all are drawn; then they are compared with the model, whose weights are still those that drew them.

        Raises:
            AurifyError: the server failed, or holds other weights.
        """
        if self._begun:
            self._begun[1].result()
            if isinstance(self._sampler, ComparesLater):
                self._sampler.compare_now()

    def take(self, step: int) -> list[Proposed] | None:
        """What was drawn for a step; None: nothing."""
        begun, self._begun = self._begun, None
        return begun[1].result() if begun and begun[0] == step else None

    def drop(self) -> None:
        """Forget what is being drawn."""
        self._begun = None


def with_draws(terms: Sequence[Term], proposals: Sequence[Sequence[Rationale]]) -> list[Term]:
    """The terms, each of a whole proposal of the model itself with the log-probability with which it was drawn."""
    drawn = {
        (sample.question_id, sample.token_ids): sample.logprob
        for row in proposals
        for sample in row
        if sample.source == "self" and not sample.cut
    }
    return [replace(term, drawn=drawn.get((term.question_id, term.token_ids))) for term in terms]
