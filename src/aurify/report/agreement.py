"""Right answers by rationales that stand alone: a hint at a right answer for a wrong reason.

Of the right rationales of a question, those that go the same way use the same words: the same numbers on the way, the
same names. The *support* of a rationale is the mean, over its words that the question does not hold, of the share of
the other right rationales that use them too. One whose support is far below that of the others stands alone. It may be
a second way to the answer as well as a lucky one: it is worth a look, and proves nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

FEWEST = 3
"""Right rationales that a question must have for one of them to stand alone."""
ALONE = 0.5
"""Below this share of the median support a rationale stands alone."""
TOGETHER = 0.5
"""The least median support: below it no two go the same way, and none is alone more than the others."""

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]{2,}")


def alone(question: str, texts: Sequence[str]) -> list[bool]:
    """Which of a question's right rationales stand alone among them."""
    if len(texts) < FEWEST:
        return [False] * len(texts)
    support = _support(question, texts)
    middle = sorted(support)[len(support) // 2]
    return [middle >= TOGETHER and one < ALONE * middle for one in support]


def _support(question: str, texts: Sequence[str]) -> list[float]:
    asked = _words(question)
    own = [_words(text) - asked for text in texts]
    counts = Counter(word for words in own for word in words)
    others = len(texts) - 1
    return [sum(counts[word] - 1 for word in words) / (others * len(words)) if words else 0.0 for words in own]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
