"""The engine of models whose state is no key-value cache (Mamba, convolutions, linear attention): no cache at all.

Each step runs every row from its beginning, as the trainer scores it: padded on the right, where no real token sees
the padding. That is exact for every causal model, whatever it keeps between tokens, and slow: a completion of T tokens
costs about T / 2 times as much as with a cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from aurify.models.logprobs import head_of
from aurify.models.prefix import last_states, n_virtual_tokens, next_token_logits
from aurify.sampling.engine import PREFILL_TOKENS, Prefilled


class RerunEngine:
    """Rows are lists of token ids, the prompt's and what was drawn."""

    pads = True

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.n_virtual = n_virtual_tokens(model)
        self.rows: list[list[int]] = []

    def prefill(self, prompts: Sequence[tuple[int, ...]]) -> Prefilled:
        """See ``Engine``."""
        held_Q = torch.tensor([self.n_virtual + len(prompt) for prompt in prompts], device=self.device)
        return Prefilled(self._logits(prompts), held_Q, list(prompts))

    def refill(self, alive_R: Tensor, held_R: Tensor, new: Sequence[tuple[Prefilled, Tensor]]) -> Tensor:
        """See ``Engine``."""
        kept = alive_R.nonzero()[:, 0]
        self.rows = [self.rows[row] for row in kept.tolist()]
        self.rows += [list(source.cache[prompt]) for source, at in new for prompt in at.tolist()]
        return kept

    def step(self, token_R: Tensor) -> Tensor:
        """See ``Engine``."""
        for row, token in zip(self.rows, token_R.tolist(), strict=True):
            row.append(token)
        size = max(1, PREFILL_TOKENS // (self.n_virtual + max(map(len, self.rows))))
        return torch.cat([self._logits(self.rows[i : i + size]) for i in range(0, len(self.rows), size)])

    def _logits(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Logits (R, V) of the token after each row."""
        ends = [self.n_virtual + len(row) for row in rows]
        ids_RC = torch.zeros(len(rows), max(ends), dtype=torch.long)
        for index, row in enumerate(rows):
            ids_RC[index, self.n_virtual : ends[index]] = torch.tensor(row, dtype=torch.long)
        last_R = torch.tensor(ends, device=self.device) - 1
        inputs: dict[str, Any] = {
            "soft_prompt_at_B": torch.zeros(len(rows), dtype=torch.long, device=self.device),
            "attention_mask": torch.ones_like(ids_RC).to(self.device),
            "use_cache": False,
        }
        ids_RC = ids_RC.to(self.device)
        head, row_R = head_of(self.model), torch.arange(len(rows), device=self.device)
        if head is not None:
            logits_RV: Tensor = head(last_states(self.model, ids_RC, **inputs)[row_R, last_R])
            return logits_RV
        keep, place_R = torch.unique(last_R, return_inverse=True)
        return next_token_logits(self.model, ids_RC, keep=keep, **inputs)[row_R, place_R]
