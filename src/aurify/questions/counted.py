"""What is counted in an answer: ``19 apples`` to a question about apples is a number, ``7 dwarfs`` to another a name.

It needs no language: the word behind the number stands in the question too, whatever its ending (``yabloko``,
``yablok``), or the question asks how many.
"""

from __future__ import annotations

import re

from aurify.answers.units import is_unit

_BEHIND = re.compile(r"\d[\s(]*([^\W\d_]+(?:[-'’][^\W\d_]+)*)")
_HOW_MANY = re.compile(r"\bhow\s+(?:many|much)\b", re.IGNORECASE)
_ENDING = 2
"""Letters at a word's end that may differ between the answer and the question."""
_SHORTEST = 4
"""Letters that a word must have without its ending."""


def counts(answer: str, question: str) -> bool:
    """Whether the word behind the answer's number says what is counted: a unit, or what the question speaks of."""
    found = _BEHIND.search(answer)
    if found is None or is_unit(found[1]) or _HOW_MANY.search(question):
        return True
    return speaks_of(found[1], question)


def speaks_of(word: str, question: str) -> bool:
    """Whether a word, or one that differs from it by its ending, stands in the question."""
    word, asked = word.casefold(), question.casefold()
    if not word.isascii() and len(word) <= _ENDING:  # of a script that sets no spaces: 个
        return word in asked
    stem = word[:-_ENDING] if len(word) >= _SHORTEST + _ENDING else word
    return re.search(rf"(?<![^\W\d_]){re.escape(stem)}", asked) is not None or (not word.isascii() and word in asked)
