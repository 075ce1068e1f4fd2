"""How far the server's log-probabilities are from the trainer's, on some of the completions of every call."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from aurify.errors import AurifyError
from aurify.models.logprobs import token_logprobs
from aurify.sampling.vllm.wire import Drawn

COMPARED = 8
"""Completions a call that the trainer scores again: a fraction of an update's work."""
LIMITS = {torch.float32: 0.01}
OTHER_LIMIT = 0.2
"""Mean absolute difference in nats a token above which the weights are not the same. The nugget's in float32 is 4e-7;
a half-precision type rounds a probability by a hundredth part and more."""


class Agreement:
    """Differences of log-probabilities a token, server minus trainer, since the last report."""

    def __init__(self, model: nn.Module, pad_token_id: int) -> None:
        self._model, self._pad = model, pad_token_id
        self._limit = LIMITS.get(next(model.parameters()).dtype, OTHER_LIMIT)
        self._differences: list[torch.Tensor] = []

    def compare(self, prompts: Sequence[Sequence[int]], drawn: Sequence[Drawn]) -> None:
        """Score some of the completions, evenly chosen, with the model as it is now.

        Raises AurifyError where the two cannot be of the same weights.
        """
        stride = max(1, -(-len(drawn) // COMPARED))
        pairs = [(prompt, one) for prompt, one in zip(prompts[::stride], drawn[::stride], strict=True) if one.token_ids]
        if not pairs:
            return
        with torch.no_grad():
            ours = token_logprobs(
                self._model, [(prompt, one.token_ids) for prompt, one in pairs], pad_token_id=self._pad
            )
        theirs = torch.tensor([logprob for _, one in pairs for logprob in one.logprobs])
        found = theirs - torch.cat(ours).float().cpu()
        self._differences.append(found)
        if (mean := float(found.abs().mean())) > self._limit or mean != mean:
            raise AurifyError(
                f"the vLLM server's log-probabilities are {mean:.2g} nats a token from the trainer's, so it does not "
                "hold the weights that are trained: leave --vllm-url out, train with --tuning lora, or --sampler local"
            )

    def report(self) -> dict[str, float]:
        """The mean difference and the mean absolute one, in nats a token, and of how many tokens; then from zero."""
        if not self._differences:
            return {}
        found = torch.cat(self._differences)
        self._differences.clear()
        return {
            "logprob_difference": float(found.mean()),
            "logprob_abs_difference": float(found.abs().mean()),
            "compared_tokens": len(found),
        }
