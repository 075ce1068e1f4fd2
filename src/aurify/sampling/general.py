"""The engine of every architecture: the Hugging Face model's own forward, on a cache whose rows come and go."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache

from aurify.models.prefix import n_virtual_tokens, next_token_logits, position_limit
from aurify.sampling.cache import gather, new_cache
from aurify.sampling.engine import Prefilled

_MASK_AHEAD = 256  # columns of the mask that are made in advance


class GeneralEngine:
    """Rows are aligned at the right of one cache (see ``cache``)."""

    pads = True

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.n_virtual = n_virtual_tokens(model)
        self.last_position = (position_limit(model) or 2**31) - 1
        self.cache = self.new_cache()
        self.position_R = self.mask_RC = torch.empty(0)
        self.columns = 0

    def new_cache(self) -> Cache:
        """An empty one."""
        return new_cache()

    def prefill(self, prompts: Sequence[tuple[int, ...]]) -> Prefilled:
        """See ``Engine``. Shorter prompts are padded on the left."""
        lengths = [self.n_virtual + len(prompt) for prompt in prompts]
        columns = max(lengths)
        ids_QC = torch.zeros(len(prompts), columns, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids_QC[row, columns - len(prompt) :] = torch.tensor(prompt)
        held_Q = torch.tensor(lengths, device=self.device)
        cache = self.new_cache()
        logits_Q1V = next_token_logits(
            self.model,
            ids_QC.to(self.device),
            soft_prompt_at_B=columns - held_Q,
            keep=1,
            attention_mask=_mask(held_Q, columns, columns),
            position_ids=(torch.arange(columns, device=self.device) - (columns - held_Q)[:, None]).clamp_(min=0),
            past_key_values=cache,
            use_cache=True,
        )
        return Prefilled(logits_Q1V[:, -1], held_Q, cache)

    def refill(self, alive_R: Tensor, held_R: Tensor, new: Sequence[tuple[Prefilled, Tensor]]) -> Tensor:
        """See ``Engine``: one cache is gathered of all that stays and comes."""
        kept = alive_R.nonzero()[:, 0]
        parts = ([(self.cache, kept)] if len(kept) else []) + [(source.cache, at) for source, at in new if len(at)]
        self.position_R = torch.cat([held_R[kept], *(source.held_Q[at] for source, at in new)])
        if parts:
            self.columns = int(self.position_R.max())
            self.cache = gather(parts, self.columns)
            self.mask_RC = _mask(self.position_R, self.columns, self.columns + _MASK_AHEAD)
        else:
            self.cache = self.new_cache()
        return kept

    def step(self, token_R: Tensor) -> Tensor:
        """See ``Engine``."""
        self.columns += 1
        if self.columns > self.mask_RC.shape[1]:
            self.mask_RC = nn.functional.pad(self.mask_RC, (0, _MASK_AHEAD), value=1)
        logits_R1V = next_token_logits(
            self.model,
            token_R[:, None],
            keep=1,
            attention_mask=self.visible(),
            position_ids=self.position_R[:, None],
            past_key_values=self.cache,
            use_cache=True,
        )
        # Rows that are done run on until they are dropped: their positions must stay within the model's.
        self.position_R = (self.position_R + 1).clamp_(max=self.last_position)
        return logits_R1V[:, -1]

    def visible(self) -> Tensor | None:
        """1 where a row has a token, the newest included; shape (R, columns)."""
        return self.mask_RC[:, : self.columns]


def _mask(held_R: Tensor, columns: int, width: int) -> Tensor:
    """1 where a row aligned at the right of ``columns`` columns holds a token, or will hold one; shape (R, width)."""
    return (torch.arange(width, device=held_R.device) >= (columns - held_R)[:, None]).long()
