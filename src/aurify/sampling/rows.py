"""The samples that decode together: vectors over rows, so that a step does no Python work for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from aurify.sampling.draw import levels, on_device, uniforms


@dataclass
class Rows:
    """State of R samples with room for M tokens each. Column M is scratch, where rows that are done keep writing.

    ``prompt_R`` and ``sample_R`` say which completion a row becomes, ``length_R`` how many positions it holds,
    ``limit_R`` how many tokens it may have.
    """

    prompt_R: Tensor
    sample_R: Tensor
    length_R: Tensor
    limit_R: Tensor
    count_R: Tensor
    alive_R: Tensor
    token_R: Tensor
    tokens_RM: Tensor
    logprobs_RM: Tensor
    uniforms_RML: Tensor

    @classmethod
    def begin(
        cls,
        jobs: Sequence[tuple[int, int, int]],
        length_R: Tensor,
        limit_R: Tensor,
        max_new_tokens: int,
        vocabulary: int,
    ) -> Rows:
        """Rows for (prompt index, sample index, seed), nothing drawn yet; ``length_R`` is what the prompts take."""
        n, device, depth = len(jobs), length_R.device, levels(vocabulary)
        numbers = np.zeros((n, max_new_tokens + 1, depth))
        for row, (_, _, seed) in enumerate(jobs):
            numbers[row, :max_new_tokens] = uniforms(seed, max_new_tokens * depth).reshape(max_new_tokens, depth)
        return cls(
            prompt_R=torch.tensor([prompt for prompt, _, _ in jobs]),
            sample_R=torch.tensor([sample for _, sample, _ in jobs]),
            length_R=length_R,
            limit_R=limit_R,
            count_R=torch.zeros(n, dtype=torch.long, device=device),
            alive_R=torch.ones(n, dtype=torch.bool, device=device),
            token_R=torch.zeros(n, dtype=torch.long, device=device),
            tokens_RM=torch.zeros(n, max_new_tokens + 1, dtype=torch.long, device=device),
            logprobs_RM=torch.zeros(n, max_new_tokens + 1, device=device),
            uniforms_RML=on_device(numbers, device),
        )

    def __len__(self) -> int:
        return len(self.token_R)

    def next_uniforms(self) -> Tensor:
        """The uniforms that each row's next token takes, shape (R, L)."""
        return self.uniforms_RML[torch.arange(len(self), device=self.count_R.device), self.count_R]

    def record(self, token_R: Tensor, logprob_R: Tensor, is_eos_V: Tensor) -> None:
        """Add a token to every row that is alive, and end those at EOS, at the limit, or at a number that is NaN."""
        self.tokens_RM.scatter_(1, self.count_R[:, None], token_R[:, None])
        self.logprobs_RM.scatter_(1, self.count_R[:, None], logprob_R[:, None])
        self.token_R = token_R
        self.count_R += self.alive_R
        ended_R = is_eos_V[token_R] | (self.count_R >= self.limit_R) | logprob_R.isnan()
        self.alive_R &= ~ended_R

    def select(self, rows: Tensor) -> Rows:
        """These rows alone, in this order."""
        return Rows(*(value.index_select(0, rows.to(value.device)) for value in self._values()))

    def join(self, others: Sequence[Rows]) -> Rows:
        """These rows, then those of the others."""
        columns = zip(self._values(), *(other._values() for other in others), strict=True)
        return Rows(*(torch.cat(column) for column in columns))

    def _values(self) -> list[Tensor]:
        return [getattr(self, field.name) for field in fields(self)]
