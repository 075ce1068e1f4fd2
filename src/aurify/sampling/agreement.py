"""How far a sampler's log-probabilities are from those of the model that is trained, on a few of its completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from aurify.errors import AurifyError
from aurify.models.logprobs import token_logprobs

COMPARED = 8
"""Completions a call that the trainer scores again: a fraction of an update's work."""
TINY = 1e-3
"""Nats a token below which a mean absolute difference is not worth a word."""


class ScoredDraw(NamedTuple):
    """A completion, its prompt, and what the sampler says of each token, in nats."""

    prompt: Sequence[int]
    token_ids: Sequence[int]
    logprobs: Sequence[float]


def limit_of(dtype: torch.dtype) -> float:
    """The mean absolute difference, in nats a token, above which the two do not compute the same model.

    The nugget's in float32 is 4e-7, that of Qwen2.5 0.5B in bfloat16 0.005: a half-precision type rounds a
    probability by a hundredth part and more.
    """
    return 0.01 if dtype == torch.float32 else 0.2


class Agreement:
    """Differences of log-probabilities a token, sampler minus trainer, since the last report.

    Args:
        model: what is trained, scored as the trainer scores it.
        pad_token_id: for the padding.
        limit: of the mean absolute difference, in nats a token.
        who: the sampler, and what follows where it is beyond the limit: the two halves of an error.
        autocast: what the trainer's forward pass runs in, where that is not the weights' dtype.
    """

    def __init__(
        self,
        model: nn.Module,
        pad_token_id: int,
        *,
        limit: float,
        who: tuple[str, str],
        autocast: torch.dtype | None = None,
    ) -> None:
        self._model, self._pad, self._limit, self._who, self._autocast = model, pad_token_id, limit, who, autocast
        self._differences: list[torch.Tensor] = []

    @torch.no_grad()
    def compare(self, drawn: Sequence[ScoredDraw], where: str = "") -> tuple[list[ScoredDraw], torch.Tensor]:
        """Score some of the completions, evenly chosen, with the model as it is now.

        Args:
            where: which one of several samplers drew them, for the error.

        Returns:
            Those completions, and the model's log-probabilities of all their tokens in a row.

        Raises:
            AurifyError: the two cannot be of the same model.
        """
        compared = [one for one in drawn[:: max(1, -(-len(drawn) // COMPARED))] if one.token_ids]
        if not compared:
            return [], torch.empty(0)
        device = next(self._model.parameters()).device
        with torch.autocast(device.type, self._autocast, enabled=self._autocast is not None):
            ours = token_logprobs(
                self._model, [(one.prompt, one.token_ids) for one in compared], pad_token_id=self._pad
            )
        theirs = torch.tensor([logprob for one in compared for logprob in one.logprobs])
        scores = torch.cat(ours).float().cpu()
        found = theirs - scores
        self._differences.append(found)
        if not (mean := float(found.abs().mean())) <= self._limit:
            subject, consequence = self._who
            raise AurifyError(
                f"{where and where + ': '}{subject} log-probabilities are {mean:.2g} nats a token from the "
                f"trainer's{consequence}"
            )
        return compared, scores

    def report(self) -> dict[str, float]:
        """The mean difference, the mean absolute and the largest, in nats a token, and of how many; then from zero."""
        if not self._differences:
            return {}
        found = torch.cat(self._differences)
        self._differences.clear()
        return {
            "logprob_difference": float(found.mean()),
            "logprob_abs_difference": float(found.abs().mean()),
            "logprob_largest_difference": float(found.abs().max()),
            "compared_tokens": len(found),
        }
