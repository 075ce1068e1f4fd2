"""log p of whole completions under the model as it stands, without gradients, as many at a time as memory takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from aurify.models.logprobs import Scored, batches, sequence_logprobs
from aurify.models.token_budget import TokenBudget


def logprobs_of(
    model: torch.nn.Module, sequences: Sequence[Scored], budget: TokenBudget, *, pad_token_id: int
) -> list[float]:
    """log p(completion | prompt) in nats, of each (prompt ids, completion ids)."""

    @torch.no_grad()
    def scored() -> dict[int, float]:
        found: dict[int, float] = {}
        for group in batches(model, sequences, budget.tokens):
            some_N = sequence_logprobs(model, [sequences[i] for i in group], pad_token_id=pad_token_id)
            found |= zip(group, some_N.tolist(), strict=True)
        return found

    by_place = budget.spend(scored)
    return [by_place[place] for place in range(len(sequences))]
