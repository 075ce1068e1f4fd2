"""The vLLM sampler of a training run: it samples the weights that are trained, and watches that it does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from aurify.sampling.agreement import Agreement, ScoredDraw, limit_of
from aurify.sampling.protocol import Completion, OnCompletion, Prompt
from aurify.sampling.vllm.client import VllmSampler
from aurify.sampling.vllm.endpoints import VllmEndpoint, lives
from aurify.sampling.vllm.freshness import Freshness, noise_of
from aurify.sampling.vllm.http import Unreachable

_OTHER_WEIGHTS = (
    "the vLLM server's",
    ", so it does not hold the weights that are trained: leave --vllm-url out, train with --tuning lora, "
    "or --sampler local",
)

Save = Callable[[Any, str], None]
"""Writes a model into a folder, in the form that the servers were started with."""


def save_plain(model: Any, folder: str) -> None:
    """Write a model's folder as it is."""
    model.save_pretrained(folder)


class Publisher(Protocol):
    """Gives a server the weights of a model."""

    def load(self, folder: str) -> str:
        """Make the server serve the weights in a folder; the name under which it does."""
        ...

    def close(self) -> None:
        """Leave the server as it was found."""
        ...


class Publication(NamedTuple):
    """How weights reach the servers of a run."""

    publishers: Sequence[Publisher]
    """One for each server."""
    save: Save = save_plain
    folder: Path | None = None
    """A folder in which they are laid down for the servers; None: the system's own for such files."""
    once: Callable[[Callable[[], Any]], Any] = lambda act: act()
    """Calls its argument in one process of a run, and gives its result to all."""


class TrainedSampler:
    """A :class:`VllmSampler` of a model whose weights change.

    Args:
        sampler: draws from the servers.
        publication: brings the weights there.
        model: what is trained.
        pad_token_id: for the comparison of log-probabilities.
        dtype: the lowest that the two compute in.
    """

    def __init__(
        self, sampler: VllmSampler, publication: Publication, model: Any, pad_token_id: int, dtype: torch.dtype
    ) -> None:
        self._sampler, self._publication, self._model = sampler, publication, model
        self._agreement = Agreement(model, pad_token_id, limit=limit_of(dtype), who=_OTHER_WEIGHTS)
        self._freshness = Freshness(model, pad_token_id, noise=noise_of(dtype))
        self._uncompared: list[dict[VllmEndpoint, list[ScoredDraw]]] | None = None
        """What is to be compared later; None: nothing is."""

    def sample(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 1.0,
        stop: Sequence[str] = (),
        on_completion: OnCompletion | None = None,
    ) -> list[list[Completion]]:
        """As :meth:`VllmSampler.sample`; some log-probabilities are compared with the model's as it is now.

        Raises AurifyError also where they are so far apart that a server must hold other weights.
        """
        uncompared = self._uncompared
        drawn = self._sampler.draw(
            prompts, max_new_tokens=max_new_tokens, temperature=temperature, stop=stop, on_completion=on_completion
        )
        asked = [prompt.token_ids for prompt in prompts for _ in prompt.seeds]
        scored: dict[VllmEndpoint, list[ScoredDraw]] = {}
        for prompt, (one, endpoint) in zip(asked, drawn, strict=True):
            scored.setdefault(endpoint, []).append(ScoredDraw(prompt, one.token_ids, one.logprobs))
        if uncompared is None:
            self._compare(scored)
        else:
            uncompared.append(scored)
        return self._sampler.completions(prompts, drawn, stop)

    def compare_later(self) -> None:
        """See ``sampling.protocol.ComparesLater``."""
        self._uncompared = []

    def compare_now(self) -> None:
        """See ``sampling.protocol.ComparesLater``."""
        uncompared, self._uncompared = self._uncompared or [], None
        for scored in uncompared:
            self._compare(scored)

    def _compare(self, scored: Mapping[VllmEndpoint, Sequence[ScoredDraw]]) -> None:
        for endpoint, theirs in scored.items():
            compared, ours = self._agreement.compare(theirs, endpoint.http.url if len(scored) > 1 else "")
            self._freshness.remember(endpoint, compared, ours)

    def publish(self, *, write: bool = True) -> None:
        """Bring the model's present weights to all servers, those too that did not answer before.

        One process of a run does it, whichever says ``write``: all call this together.

        Raises AurifyError where one does not take them, or goes on with those that it had before.
        """
        names: list[str | Unreachable] = self._publication.once(self._publish)
        endpoints = self._sampler.endpoints
        for endpoint, name in zip(endpoints.every, names, strict=True):
            if isinstance(name, Unreachable):
                endpoints.lose(endpoint, name)
            else:
                endpoints.find(endpoint, name)
        if not endpoints.present():
            raise self._sampler.lost()
        self._publication.once(lambda: self._freshness.check(endpoints.present()))

    def _publish(self) -> list[str | Unreachable]:
        """The name under which each server serves the weights, or why it does not answer."""
        place = self._publication.folder
        prefix = ".published.tmp-" if place else "aurify-published-"

        def load(endpoint: VllmEndpoint, publisher: Publisher) -> str | Unreachable:
            if endpoint.gone and not lives(endpoint):
                return endpoint.gone
            try:
                return publisher.load(folder)
            except Unreachable as error:
                return error

        with tempfile.TemporaryDirectory(prefix=prefix, dir=place) as folder:
            self._publication.save(self._model, folder)
            every = self._sampler.endpoints.every
            with ThreadPoolExecutor(len(every)) as threads:
                return list(threads.map(load, every, self._publication.publishers))

    def report(self) -> dict[str, Any]:
        """What metrics.jsonl says of the sampler since the last call: that it is inexact, and by how much."""
        return {"name": "vllm", "exact": False, **self._agreement.report()}
