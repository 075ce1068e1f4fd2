"""The vLLM sampler of a training run: it samples the weights that are trained, and watches that it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from aurify.sampling.agreement import Agreement, ScoredDraw
from aurify.sampling.protocol import Completion, OnCompletion, Prompt
from aurify.sampling.vllm.client import VllmSampler
from aurify.sampling.vllm.http import Unreachable

_OTHER_WEIGHTS = (
    "the vLLM server's",
    ", so it does not hold the weights that are trained: leave --vllm-url out, train with --tuning lora, "
    "or --sampler local",
)


class Publisher(Protocol):
    """Gives a server the weights of a model."""

    def publish(self, model: Any, *, write: bool = True) -> str:
        """Make the server serve the model's present weights; the name under which it does."""
        ...

    def close(self) -> None:
        """Leave the server as it was found."""
        ...


class TrainedSampler:
    """A :class:`VllmSampler` of a model whose weights change.

    Args:
        sampler: draws from the server.
        publisher: brings the weights there.
        model: what is trained.
        pad_token_id: for the comparison of log-probabilities.
        limit: of their mean absolute difference, in nats a token.
    """

    def __init__(self, sampler: VllmSampler, publisher: Publisher, model: Any, pad_token_id: int, limit: float) -> None:
        self._sampler, self._publisher, self._model = sampler, publisher, model
        self._agreement = Agreement(model, pad_token_id, limit=limit, who=_OTHER_WEIGHTS)

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

        Raises AurifyError also where they are so far apart that the server must hold other weights.
        """
        drawn = self._sampler.draw(
            prompts, max_new_tokens=max_new_tokens, temperature=temperature, stop=stop, on_completion=on_completion
        )
        asked = [prompt.token_ids for prompt in prompts for _ in prompt.seeds]
        self._agreement.compare(
            [ScoredDraw(prompt, one.token_ids, one.logprobs) for prompt, one in zip(asked, drawn, strict=True)]
        )
        return self._sampler.completions(prompts, drawn, stop)

    def publish(self, *, write: bool = True) -> None:
        """Bring the model's present weights to the server; ``write`` in one process of a run only.

        Raises AurifyError where the server does not take them.
        """
        try:
            self._sampler.model = self._publisher.publish(self._model, write=write)
        except Unreachable as error:
            raise self._sampler.lost(error) from None

    def report(self) -> dict[str, Any]:
        """What metrics.jsonl says of the sampler since the last call: that it is inexact, and by how much."""
        return {"name": "vllm", "exact": False, **self._agreement.report()}
