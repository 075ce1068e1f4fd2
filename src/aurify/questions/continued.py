"""How a text goes on behind another, in token ids: as one text with it, and never as a token that it only spells.

SentencePiece's tokenizers (Llama 2's, Mistral's) begin each text with a space. What is encoded apart from the text
before it would bring one that nobody wrote; so such a text is encoded behind an anchor, which is cut off again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from aurify.errors import AurifyError
from aurify.questions.chat import program
from aurify.questions.special import special_tokens

_NEUTRAL = "\n"
"""An anchor that merges with no text behind it."""


class TurnPart(NamedTuple):
    """A part of a reply, and whether somebody said it or the chat template wrote it."""

    text: str
    said: bool = False


def reply_ids(tokenizer: Any, anchor: str, parts: Sequence[TurnPart]) -> list[int]:
    """The ids of a reply behind a prompt that ends in ``anchor``.

    In what was said no special tokens are read but the tags of thoughts.
    """
    special = special_tokens(tokenizer)
    spelled = special.spelled.difference(special.thoughts)
    if not any(part.said and token in part.text for part in parts for token in spelled):
        return _behind(tokenizer, anchor, "".join(part.text for part in parts))
    ids: list[int] = []
    for part in parts:
        cut = min((part.text.find(token) for token in spelled if token in part.text), default=len(part.text))
        safe = cut if part.said else len(part.text)
        ids += _behind(tokenizer, _NEUTRAL if ids else anchor, part.text[:safe])
        ids += _text_ids(tokenizer, part.text[safe:])
    return ids


def chat_ids(tokenizer: Any, text: str, quoted: str) -> list[int]:
    """The ids of a rendered chat; where ``quoted`` spells a token of the template's, it is encoded as plain text.

    Raises:
        AurifyError: it does so, and the template changes it.
    """
    special = special_tokens(tokenizer)
    spelled = any(token in quoted for token in special.spelled)
    loose = {token for token in special.loose if token in quoted}
    if not spelled and not loose:
        return _ids(tokenizer, text)
    before, found, after = text.rpartition(quoted)
    written = (program(tokenizer), before, after) if found else (program(tokenizer), text)
    used = {token for token in loose if token in special.loose_thoughts or any(token in part for part in written)}
    if not spelled and not used:
        return _ids(tokenizer, text)
    if not found:
        raise AurifyError("--prompt chat: the chat template changes a question that spells one of its special tokens")
    inside = [token for piece in _pieces(quoted, used) for token in _behind(tokenizer, _NEUTRAL, piece, split=True)]
    return [*_ids(tokenizer, before), *inside, *_behind(tokenizer, _NEUTRAL, after)]


def begins_with_space(tokenizer: Any) -> bool:
    """Whether the tokenizer puts a space (or anything) before a text that begins without."""
    first = tokenizer.convert_ids_to_tokens(_ids(tokenizer, "a"))[:1]
    return bool(first) and first[0][:1] not in ("a", b"a")


def _behind(tokenizer: Any, anchor: str, text: str, split: bool = False) -> list[int]:
    """The ids of a text behind the anchor, or behind a neutral one where that merges with the text."""
    if not text:
        return []
    if begins_with_space(tokenizer):
        for before in (anchor, _NEUTRAL):
            cut, whole = _ids(tokenizer, before, split), _ids(tokenizer, before + text, split)
            if whole[: len(cut)] == cut:
                return whole[len(cut) :]
    return _ids(tokenizer, text, split)


def _text_ids(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text in which no special token is read but the tags of thoughts."""
    thoughts = special_tokens(tokenizer).thoughts
    tags = f"({'|'.join(map(re.escape, thoughts))})" if thoughts else "(?!)"
    ids: list[int] = []
    for part in filter(None, re.split(tags, text)):
        ids += [thoughts[part]] if part in thoughts else _behind(tokenizer, _NEUTRAL, part, split=True)
    return ids


def _pieces(text: str, tokens: Collection[str]) -> list[str]:
    """A text cut within each of the tokens: a tokenizer reads those that are not special whatever it is told."""
    begun = re.finditer(f"(?={'|'.join(map(re.escape, tokens))})", text) if tokens else ()
    return [text[start:end] for start, end in pairwise([0, *(found.start() + 1 for found in begun), len(text)])]


def _ids(tokenizer: Any, text: str, split: bool = False) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=split)["input_ids"])
