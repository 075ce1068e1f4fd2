"""What a sampler is: prompts as token ids in, completions with their log-probabilities out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from aurify.errors import UsageError

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Prompt:
    """A prompt, and one seed for every sample that is wanted of it."""

    token_ids: tuple[int, ...]
    seeds: tuple[int, ...]
    limit: int | None = None
    """The most tokens of its completions, where that is fewer than the call's. A sampler may draw more: what is cut
    off afterwards was drawn in vain, and nothing else."""

    def most(self, max_new_tokens: int) -> int:
        """The most tokens of its completions in a call with this limit."""
        return max_new_tokens if self.limit is None else min(self.limit, max_new_tokens)


@dataclass(frozen=True)
class Completion:
    """One sampled continuation.

    ``token_ids`` are exactly the sampled ones: they end in an EOS id if and only if it was sampled.
    ``logprob`` is the sum of their log-probabilities in nats, at temperature 1, under the model that sampled.
    ``finish_reason`` is "stop" (EOS or a stop string) or "length" (cut at the token limit).
    ``text`` is the decoded continuation, without special tokens.
    """

    token_ids: tuple[int, ...]
    text: str
    logprob: float
    finish_reason: FinishReason
    token_logprobs: tuple[float, ...] = field(default=(), compare=False, repr=False)
    """Of each token, where the sampler tells it."""
    seed: int | None = field(default=None, compare=False, repr=False)
    """That it was drawn with, where the sampler tells it."""


OnCompletion = Callable[[int, Completion], None]
"""Is told the index of a prompt, and a completion of it, as soon as it is whole; all of them, or none."""


class Sampler(Protocol):
    """Draws completions; the same seeds give the same completions, whatever they are batched with."""

    def sample(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 1.0,
        stop: Sequence[str] = (),
        on_completion: OnCompletion | None = None,
    ) -> list[list[Completion]]:
        """One list a prompt, one completion a seed, in the order given. Temperature 0 is greedy.

        A sampler that has a completion before the others tells of it, so that it can be judged meanwhile.
        """
        ...


@runtime_checkable
class Publishing(Protocol):
    """A sampler with a copy of the weights of its own, which must be brought there when they change."""

    def publish(self, *, write: bool = True) -> None:
        """Bring the present weights there. Every process of a run calls it; ``write`` is set in one of them."""
        ...

    def report(self) -> dict[str, Any]:
        """For metrics.jsonl: what the sampler is, and how far its draws were from the model since last asked."""
        ...


@runtime_checkable
class Compared(Protocol):
    """A sampler whose log-probabilities are compared with the trainer's when that is asked for."""

    def compare_next(self) -> None:
        """Compare some of the completions of the next call; that call raises AurifyError where they are far apart."""
        ...

    def report(self) -> dict[str, Any]:
        """For metrics.jsonl: the differences found since last asked; empty where nothing was compared."""
        ...


@runtime_checkable
class ComparesLater(Protocol):
    """A sampler apart from the model, that can draw while the model is at work and compare its draws afterwards."""

    def compare_later(self) -> None:
        """Compare nothing of the calls that begin from here on, until ``compare_now``."""
        ...

    def compare_now(self) -> None:
        """Compare what they drew; raises AurifyError where the model and a server are far apart."""
        ...


def check_request(max_new_tokens: int, temperature: float, stop: Sequence[str]) -> None:
    """What every sampler refuses.

    Raises:
        UsageError: no token may be drawn, a temperature that is none, or an empty stop string.
    """
    if max_new_tokens < 1:
        raise UsageError(f"max_new_tokens is {max_new_tokens}, and must be at least 1")
    if not (math.isfinite(temperature) and temperature >= 0):
        raise UsageError(f"the temperature is {temperature}, and must be 0 (greedy) or above")
    if any(not word for word in stop):
        raise UsageError("a stop string is empty, so every sample would end before it began; leave it out")


def advice_on_length(room: int) -> str:
    """What to do where the longest prompt leaves a completion these many tokens, and more were asked for."""
    longest = "leave out long questions, which aurify check FILE --model MODEL names"
    return f"lower the token limit to {room}, or {longest}" if room > 0 else longest
