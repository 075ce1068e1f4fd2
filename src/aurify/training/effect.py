"""What an update did to the model: how far its own samples moved, and whether what was learned became likelier.

Ours (docs/decisions.md, "a step is bounded by its effect").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from aurify.methods import Term
from aurify.models.autocast import products_in_bfloat16
from aurify.models.logprobs import Scored, batches, token_logprobs
from aurify.models.token_budget import TokenBudget
from aurify.rationales import Rationale
from aurify.running.world import World

ScoreTokens = Callable[[Sequence[Scored]], list[torch.Tensor]]
"""log p of every token of some sequences under the model as it stands, in nats."""

PROBED_TOKENS = 1024
"""Completion tokens whose log-probabilities are looked at before and after an update, of each of the two kinds."""
PROBED_SEQUENCES = 8
"""Sequences, at most, of each of the two kinds; their prompts are scored with them."""


class Effect(NamedTuple):
    """What an update did, in nats a rationale.

    ``kl`` is KL(before || after), estimated on the model's own samples token by token as r - 1 - log r with r the
    token's probability after over that before: unbiased, never negative, and of small variance. ``gain`` is the mean
    change of log p(z | x) of the rationales that were learned from with a positive weight; ``raised`` the share of
    them that became likelier. NaN where there is nothing to measure on.
    """

    kl: float
    gain: float
    raised: float

    def told(self) -> dict[str, float]:
        """What was measured, by name."""
        return {name: value for name, value in self._asdict().items() if not math.isnan(value)}


class Probes:
    """Sequences that are scored before and after an update, by all processes together."""

    def __init__(self, world: World, score: ScoreTokens, own: Sequence[Scored], learned: Sequence[Scored]) -> None:
        self._world, self._score = world, score
        self._sequences = list(dict.fromkeys([*own, *learned]))
        place = {sequence: index for index, sequence in enumerate(self._sequences)}
        self._own, self._learned = [place[one] for one in own], [place[one] for one in learned]
        self._before = self._scores()

    @property
    def tell_kl(self) -> bool:
        """Whether there are samples of the model itself to measure a KL divergence on."""
        return bool(self._own)

    def measure(self) -> Effect:
        """What changed since these probes were made."""
        change = [after - before for after, before in zip(self._scores(), self._before, strict=True)]
        gains = [float(change[index].sum()) for index in self._learned]
        return Effect(
            _mean([float((change[index].exp() - 1 - change[index]).sum()) for index in self._own]),
            _mean(gains),
            _mean([float(gain > 0) for gain in gains]),
        )

    @torch.no_grad()
    def _scores(self) -> list[torch.Tensor]:
        return self._world.map(lambda mine: [row.cpu().double() for row in self._score(mine)], self._sequences)


def scorer(model: torch.nn.Module, pad_token_id: int, budget: TokenBudget, *, bf16: bool) -> ScoreTokens:
    """Log-probabilities as the update computes them; ``bf16``: in bfloat16 where autocast does."""

    def at_once(sequences: Sequence[Scored]) -> list[torch.Tensor]:
        with products_in_bfloat16(model, bf16):
            return token_logprobs(model, sequences, pad_token_id=pad_token_id)

    def score(sequences: Sequence[Scored]) -> list[torch.Tensor]:
        if not budget.lowered:  # the few probes are one micro-batch
            return at_once(sequences)
        found = [torch.empty(0)] * len(sequences)
        for group in batches(model, sequences, budget.tokens):
            for index, row_T in zip(group, at_once([sequences[i] for i in group]), strict=True):
                found[index] = row_T
        return found

    return lambda sequences: budget.spend(lambda: score(sequences))


def probes_of(
    prompts: Mapping[str, tuple[int, ...]], proposals: Sequence[Sequence[Rationale]], terms: Sequence[Term]
) -> tuple[list[Scored], list[Scored]]:
    """The model's own samples and the learned rationales to look at, each kind within its bounds.

    Both are taken in the order of the step's questions, which is a random one; of the learned ones, first those that
    are looked at as samples anyway. Where nothing was drawn whole, new ends of the chains' rationales stand for
    samples: their beginnings are learned from, so that they move more, and the step is shorter rather than longer.
    """
    mine = [sample for row in proposals for sample in row if sample.source == "self" and sample.token_ids]
    whole = [sample for sample in mine if sample.move != "suffix"]
    drawn: list[Scored] = [(prompts[sample.question_id], sample.token_ids) for sample in whole or mine]
    own = _within(drawn)
    learned: list[Scored] = [(prompts[term.question_id], term.token_ids) for term in terms if term.weight > 0]
    known = set(own)
    return own, _within(sorted(learned, key=lambda sequence: sequence not in known))


def _within(sequences: Sequence[Scored]) -> list[Scored]:
    chosen: list[Scored] = []
    tokens = 0
    for sequence in sequences[:PROBED_SEQUENCES]:
        tokens += len(sequence[1])
        if chosen and tokens > PROBED_TOKENS:
            break
        chosen.append(sequence)
    return chosen


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
