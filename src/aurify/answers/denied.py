"""Whether the words before a statement leave it unsaid: ``I don't think the answer is 5``, ``if the answer is 5``."""

from __future__ import annotations

import re

_SUBJECT = frozenset(["the", "my", "your", "its", "our", "final", "correct", "right", "true", "actual", "real"])
_WORDS = 9
"""Words before it that may deny a statement."""
_DENIED = re.compile(
    r"(?:(?:\b(?:do|does|did|ca|could|would|should)(?:n['’]t|\snot)|\bcannot|\b(?:never|nobody|no\sone|hardly))\s"
    r"(?:\w{1,12}\s)?(?:think|thinks|believe|say|mean|claim|conclude|agree|accept|guess|know)"
    r"|\b(?:doubt|deny|disagree|false|wrong|incorrect|untrue|unlikely|impossible|unclear|unsure|no\sway)"
    r"|(?:\bnot|n['’]t)\s(?:\w{1,10}\s)?(?:true|the\scase|clear|sure|certain|correct|right|likely|possible|obvious))"
    r"(?:\sthat)?\s{1,2}\Z",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(r"\b(?:if|whether|unless|(?:suppos|assum)(?:e|ed|ing))(?:\sthat)?\s{1,2}\Z", re.IGNORECASE)


def is_denied(before: str) -> bool:
    """Whether the words before "answer is" deny it."""
    return _DENIED.search(_without_subject(before)) is not None


def is_supposed(before: str) -> bool:
    """Whether the words before "answer is" only suppose it, or ask."""
    return _SUPPOSED.search(_without_subject(before)) is not None


def _without_subject(before: str) -> str:
    words = before.rpartition("\n\n")[2].split()[-_WORDS:]
    while words and words[-1].strip("*_").lower() in _SUBJECT:
        words.pop()
    return f"{' '.join(words)} "
