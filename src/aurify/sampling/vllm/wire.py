"""A sample as vLLM's completions call asks for it and answers it: token ids both ways, never text.

Every setting that shapes the distribution is sent, since a server fills what is left out from the model's own
generation config (a Qwen folder's asks for top-p 0.8, which would make the draws those of another distribution).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from aurify.errors import AurifyError
from aurify.sampling.protocol import FinishReason

PATH = "/v1/completions"


class BrokenOff(AurifyError):
    """A server ended a sample before its end, as one does that is stopping."""


class ServedCompletion(NamedTuple):
    """The sampled token ids, the log-probability of each in nats at temperature 1, and why they end."""

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    finish_reason: FinishReason


def request(
    prompt: Sequence[int],
    seed: int,
    *,
    max_new_tokens: int,
    temperature: float,
    stop: Sequence[str],
    eos: Collection[int],
) -> dict[str, Any]:
    """The body that asks for one sample of the whole distribution, or at temperature 0 for the greedy one.

    What is missing is the ``model``'s name, which may be another one on each server.
    """
    return {
        "prompt": list(prompt),
        "seed": seed,
        "max_tokens": max_new_tokens,
        "temperature": temperature,
        "top_p": 1.0,
        "top_k": 0,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop": list(stop),
        "stop_token_ids": sorted(eos),
        "logprobs": 0,  # of the sampled token alone
        "return_token_ids": True,
    }


def read(answer: Any, url: str) -> ServedCompletion:
    """What the server drew.

    Raises:
        BrokenOff: it did not draw to the end.
        AurifyError: the answer is not one of a vLLM server that returns token ids.
    """
    try:
        (choice,) = answer["choices"]
        ids, logprobs, reason = choice["token_ids"], choice["logprobs"]["token_logprobs"], choice["finish_reason"]
        if ids is None or len(ids) != len(logprobs):
            raise ValueError
        drawn = ServedCompletion(tuple(map(int, ids)), tuple(map(float, logprobs)), reason)
    except (KeyError, TypeError, ValueError):
        raise AurifyError(
            f"{url}{PATH}: the answer has no token ids with log-probabilities: not a vLLM server, or one before 0.10.2"
        ) from None
    if reason not in ("stop", "length"):
        raise BrokenOff(f"{url}{PATH}: the server broke a sample off ({reason!r}); see its log")
    return drawn


def scoring(sequence: Sequence[int]) -> dict[str, Any]:
    """The body that asks for the log-probability of every token of a sequence but the first."""
    return {"prompt": list(sequence), "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0}


def read_scores(answer: Any, sequence: Sequence[int], url: str) -> list[float]:
    """The log-probabilities, in nats, of all tokens but the first.

    Raises:
        AurifyError: the answer has none.
    """
    try:
        (choice,) = answer["choices"]
        rows = choice["prompt_logprobs"][1:]
        found = [float(row[str(token)]["logprob"]) for row, token in zip(rows, sequence[1:], strict=True)]
    except (KeyError, TypeError, ValueError):
        raise AurifyError(f"{url}{PATH}: the answer has no log-probabilities of the prompt") from None
    return found
