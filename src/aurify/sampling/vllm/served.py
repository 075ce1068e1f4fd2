"""Which model a server serves, and under which name."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from aurify.errors import AurifyError
from aurify.sampling.vllm.http import Http


class Served(NamedTuple):
    """A base model on a server: its name there, where its weights came from, and the tokens that a request may take."""

    name: str
    root: str
    max_length: int | None


def served_model(http: Http, wanted: str) -> Served:
    """The base model ``wanted`` (a folder or hub name), as the server names it.

    Raises AurifyError, naming what is served, where it serves another one.
    """
    bases = [card for card in _cards(http) if not card.get("parent")]
    for card in bases:
        name, root = str(card["id"]), str(card.get("root") or card["id"])
        if _same(wanted, root) or _same(wanted, name):
            return Served(name, root, card.get("max_model_len"))
    others = ", ".join(str(card.get("root") or card["id"]) for card in bases) or "no model"
    raise AurifyError(f"{http.url}: serves {others}, not {wanted}: start it with --model {wanted}, or give its --model")


def _cards(http: Http) -> list[dict[str, Any]]:
    answer = http.get("/v1/models")
    try:
        return [card for card in answer["data"] if card["id"]]
    except (KeyError, TypeError):
        raise AurifyError(f"{http.url}/v1/models: not the answer of a vLLM server; check --vllm-url") from None


def _same(one: str, other: str) -> bool:
    return one == other or os.path.realpath(one) == os.path.realpath(other)
