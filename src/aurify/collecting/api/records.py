"""What is asked of an API and what comes back, as plain records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Endpoint = Literal["chat/completions", "completions"]

MARKS_A_MESSAGE = 16
"""Tokens that a chat template may put around one message."""
MARKS_A_PROMPT = 64
"""Tokens that a server may put before a prompt, such as a template's own system message."""


_COUNTED = {"model", "messages", "prompt", "stop"}
"""Fields of a request that are counted as texts, or are in no prompt."""


class Usage(NamedTuple):
    """Tokens of a request, as the server bills them."""

    prompt: int
    completion: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.completion


@dataclass(frozen=True)
class ApiRequest:
    """One prompt and its parameters; how many samples and with which seed is said when it is sent.

    ``body`` holds the JSON fields (model, messages or prompt, temperature, ...) without ``n`` and ``seed``.
    """

    endpoint: Endpoint
    body: Mapping[str, Any]
    max_new_tokens: int
    """The most tokens of one sample, for the bound on what the request can cost."""

    def key(self, server: str, index: int, seed: int) -> str:
        """A sample's name in the cache: a hash of the server, the whole request, and the sample's index and seed."""
        whole = json.dumps([server, self.endpoint, self.body, index, seed], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(whole.encode("ascii")).hexdigest()

    def bound(self, n: int) -> Usage:
        """The most tokens that ``n`` samples can take, whatever the server's tokenizer.

        A token of a byte-level vocabulary spans at least one byte, so a prompt has no more tokens than bytes, but for
        what a template adds, for which there is an allowance. Further fields that hold text (tools, a schema) may be
        put into the prompt, so they count.
        """
        texts = [one["content"] for one in self.body.get("messages", ())] or [self.body.get("prompt", "")]
        more = {name: value for name, value in self.body.items() if name not in _COUNTED and value is not None}
        texts += [json.dumps(value) for value in more.values() if isinstance(value, (str, list, dict))]
        spelled = sum(len(str(text).encode("utf-8", "surrogatepass")) for text in texts)
        return Usage(spelled + MARKS_A_MESSAGE * len(texts) + MARKS_A_PROMPT, n * self.max_new_tokens)


@dataclass(frozen=True)
class Ask:
    """The samples that are wanted of one prompt: one a seed, in order."""

    name: str
    """What messages call it: the question's id."""
    request: ApiRequest
    seeds: tuple[int, ...]

    def keys(self, server: str) -> list[str]:
        """The samples' names in the cache."""
        return [self.request.key(server, index, seed) for index, seed in enumerate(self.seeds)]


@dataclass(frozen=True)
class Reply:
    """One sample, as the server sent it."""

    text: str | None
    """None where the server sent no content."""
    refusal: str | None
    """What the model said instead of an answer, where it refused."""
    finish_reason: str


@dataclass(frozen=True)
class Answer:
    """A server's response to one request."""

    replies: tuple[Reply, ...]
    """Perhaps fewer than were asked for."""
    usage: Usage | None
    """None where the server did not say."""
    problem: str = "the server gave no choice"
    """Why there are fewer, where something at the server broke them off."""
