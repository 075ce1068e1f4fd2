"""How a text goes on behind another, in token ids: as one text with it, and never as a token that it only spells.

SentencePiece's tokenizers (Llama 2's, Mistral's) begin each text with a space. What is encoded apart from the text
before it would bring one that nobody wrote; so such a text is encoded behind an anchor, which is cut off again.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from typing import Any

from aurify.errors import AurifyError
from aurify.questions.special import special_tokens

_NEUTRAL = "\n"
"""An anchor that merges with no text behind it."""


def reply_ids(tokenizer: Any, anchor: str, lead: str, text: str) -> list[int]:
    """The ids of ``lead`` and ``text`` behind a prompt that ends in ``anchor``.

    Special tokens are read in the lead, and in the text only the tags of thoughts.
    """
    if not begins_with_space(tokenizer):
        return [*(_ids(tokenizer, lead) if lead else ()), *_text_ids(tokenizer, text)]
    special = special_tokens(tokenizer)
    found = [text.find(token) for token in special.spelled.difference(special.thoughts) if token in text]
    safe = min(found, default=len(text))  # up to there nothing must be kept from being read
    return [*_behind(tokenizer, anchor, lead + text[:safe]), *_text_ids(tokenizer, text[safe:])]


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
    program = str(getattr(tokenizer, "chat_template", None))
    written = (program, before, after) if found else (program, text)
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
