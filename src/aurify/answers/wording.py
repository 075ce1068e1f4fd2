"""Words around a formula: what leads to it and is no part of it, and what has a notation (``12 base 8``)."""

from __future__ import annotations

import re

_LEADS = re.compile(
    r"^(?:\\therefore|\\implies|\\(?:Long)?[Rr]ightarrow|\\to(?![a-z])|∴|⇒|→|=>|\\text\s?\{[^{}]*[:=]\s*\}"
    r"|(?:the\s)?(?:option|choice)\s+(?=\(?[A-J]\)?$))\s*",
    re.IGNORECASE,
)
"""What leads to an answer and is no part of it."""
_MEMBER = re.compile(r"^([a-zA-Z])\s+in\s+(?=[\[(\]{\\])")
_BASE_WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen"""
_BASES = _BASE_WORDS.split()
_BASE = re.compile(
    rf"(?<=[\dA-F])\s*(?:\\text\s?\{{\s*)?\(?\s*(?:in\s)?base[\s-]?(\d{{1,2}}|{'|'.join(_BASES)})\s*\)?\s*\}}?$"
    r"|(?<=\d)\s*\\text\s?\{\s*(?:in\s)?base\s*\}\s*(\d{1,2})$",
    re.IGNORECASE,
)


def without_wording(text: str) -> str:
    """A formula without what leads to it, ``x in [2,5)`` as ``x \\in [2,5)``, ``12 base 8`` as ``12_{8}``."""
    return _BASE.sub(_in_base, _MEMBER.sub(r"\1 \\in ", _LEADS.sub("", text)))


def _in_base(match: re.Match[str]) -> str:
    base = (match[1] or match[2]).lower()
    return f"_{{{base if base.isdigit() else _BASES.index(base)}}}"
