"""Whether a server has followed an update: what it says of the same texts has changed as the model's own words have.

An absolute bound on the difference of log-probabilities (``sampling.agreement``) finds weights of another model. Those
of one step ago are nearer than that, nearer in half precision than rounding; but what rounding does is much the same
before and after, and goes away in the changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from aurify.errors import AurifyError
from aurify.models.logprobs import token_logprobs
from aurify.sampling.agreement import ScoredDraw
from aurify.sampling.vllm import wire
from aurify.sampling.vllm.endpoints import VllmEndpoint
from aurify.sampling.vllm.http import Unreachable

FOLLOWED = 0.5
"""Of the model's own change: a server that has the new weights changes by about all of it, one that has not by none."""


def noise_of(dtype: torch.dtype) -> float:
    """A mean absolute change, in nats a token, that weights make which are as good as the same."""
    return 1e-4 if dtype == torch.float32 else 0.02


class Remembered(NamedTuple):
    """Completions, and what the server and the model said of their tokens before, in nats."""

    drawn: Sequence[ScoredDraw]
    theirs: torch.Tensor
    ours: torch.Tensor


class Freshness:
    """Compares the changes, of the model and of each server, since the last draw.

    Args:
        model: what is trained.
        pad_token_id: for the padding.
        noise: a mean absolute change of the model, in nats a token, below which nothing can be told.
    """

    def __init__(self, model: torch.nn.Module, pad_token_id: int, *, noise: float) -> None:
        self._model, self._pad, self._noise = model, pad_token_id, noise
        self._remembered: dict[VllmEndpoint, Remembered] = {}

    def remember(self, endpoint: VllmEndpoint, drawn: Sequence[ScoredDraw], ours: torch.Tensor) -> None:
        """Keep what was compared before an update."""
        if drawn:
            theirs = torch.tensor([logprob for one in drawn for logprob in one.logprobs])
            self._remembered[endpoint] = Remembered(drawn, theirs, ours)

    @torch.no_grad()
    def check(self, endpoints: Sequence[VllmEndpoint]) -> None:
        """Have each server score again what it drew before the update.

        Raises:
            AurifyError: one goes on with the weights that it had before.
        """
        before, self._remembered = self._remembered, {}
        for endpoint in endpoints:
            if endpoint not in before:
                continue
            kept = before[endpoint]
            sequences = [(one.prompt, one.token_ids) for one in kept.drawn]
            ours = torch.cat(token_logprobs(self._model, sequences, pad_token_id=self._pad)).float().cpu() - kept.ours
            if float(ours.abs().mean()) <= self._noise:
                continue
            try:
                theirs = torch.cat([self._scores(endpoint, one) for one in kept.drawn]) - kept.theirs
            except Unreachable:
                continue  # it is found out when it is asked for samples
            share = float((theirs * ours).sum() / (ours * ours).sum())
            if not share >= FOLLOWED:
                raise AurifyError(
                    f"{endpoint.http.url}: the server has not followed the last update (of the model's change "
                    f"{share:.0%} arrived), so it holds older weights: start it again, train with --tuning lora, or "
                    "--sampler local"
                )

    def _scores(self, endpoint: VllmEndpoint, one: ScoredDraw) -> torch.Tensor:
        sequence: list[int] = [*one.prompt, *one.token_ids]
        body: dict[str, Any] = {**wire.scoring(sequence), "model": endpoint.model}
        found = wire.read_scores(endpoint.http.post(wire.PATH, body), sequence, endpoint.http.url)
        return torch.tensor(found[len(one.prompt) - 1 :])
