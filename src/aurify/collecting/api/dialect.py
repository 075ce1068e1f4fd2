"""What a server does not take of a request: it is left out, or called otherwise, once the server has refused it.

Servers that call themselves compatible with OpenAI's differ in a few fields. Groq, llama.cpp, greedy vLLM and reasoning
models draw one sample a request; Mistral, Gemini and strict gateways know no ``seed``; newer models of OpenAI, at Azure
and behind gateways, call the token limit ``max_completion_tokens``, and take no temperature but 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_REFUSES = re.compile(
    r"support|unknown|unrecogni[sz]ed|unexpected|extra|not (?:permitted|allowed|enabled)|invalid|cannot find|must be|"
    r"only|at most|instead",
    re.IGNORECASE,
)
_ONE_CHOICE = re.compile(
    r"(?<![\w'’])n (?:must|is|does|should|>|=|cannot)|multiple candidates|candidate_?count|one completion choice", re.I
)
_TOO_MANY_TOKENS = re.compile(r"too (?:large|long|many)|context (?:length|window)|at least|exceed", re.IGNORECASE)
_QUOTED = re.compile(r"['\"`]([a-z_]+)['\"`]|(?:\bbody (?:->|\.) ?|\bbody\.)([a-z_]+)")


class Dialect:
    """What one server was found to refuse.

    Args:
        temperature_matters: a temperature other than 1 is not left out, since the draws would be others.
        say: is told of each thing once.
    """

    def __init__(self, *, temperature_matters: bool = True, say: Callable[[str], None] = lambda text: None) -> None:
        self._temperature_matters, self._say = temperature_matters, say
        self._left_out: set[str] = set()
        self._renamed: dict[str, str] = {}

    def spoken(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A request's fields as the server takes them."""
        kept = {name: value for name, value in body.items() if value is not None and name not in self._left_out}
        return {self._renamed.get(name, name): value for name, value in kept.items()}

    def learn(self, body: Mapping[str, Any], refused: Any, words: str) -> None:
        """Take from a refusal what another request to this server can do without.

        Args:
            body: a request's fields as they were meant.
            refused: what the server sent.
            words: what it says.
        """
        spoken = self.spoken(body)
        named = set(fields_named(refused, words))
        for name in ("n", "seed", "temperature"):
            if name in named and name in spoken and self._may_go(name, spoken[name]):
                self._leave_out(name, spoken[name])
        for name, other in LIMITS.items():
            if name in named and name in spoken and not self._renamed and not _TOO_MANY_TOKENS.search(words):
                self._renamed[name] = other
                self._say(f"the server calls the token limit {other}, not {name}: so do the requests from here on")

    def _may_go(self, name: str, value: Any) -> bool:
        return name != "temperature" or value == 1 or not self._temperature_matters

    def _leave_out(self, name: str, value: Any) -> None:
        self._left_out.add(name)
        meaning = {
            "n": "each request asks for one sample",
            "seed": "its samples cannot be drawn again",
            "temperature": "it samples at its own" + ("" if value == 1 else f", not at {value:g}"),
        }
        self._say(f"the server takes no '{name}': {meaning[name]}")


def fields_named(refused: Any, words: str) -> Iterator[str]:
    """The fields of a request that a refusal is about."""
    if not _REFUSES.search(words):
        return
    yield from _told(refused)
    for found in _QUOTED.finditer(words):
        yield found[1] or found[2]
    if _ONE_CHOICE.search(words):
        yield "n"


def _told(refused: Any) -> Iterator[str]:
    """The names in ``param`` (OpenAI), and in pydantic's ``loc``."""
    if isinstance(refused, list):
        for one in refused:
            yield from _told(one)
    if not isinstance(refused, Mapping):
        return
    if isinstance(param := refused.get("param"), str):
        yield param
    if isinstance(loc := refused.get("loc"), list) and loc:
        yield str(loc[-1])
    for name in ("error", "detail", "message"):
        yield from _told(refused.get(name))
