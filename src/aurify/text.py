"""Text written by a model or a user, made safe for a terminal."""

from __future__ import annotations

import re
from collections import Counter

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement (ECMA-48, 5.4)
    r"|(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"  # every other escape
)
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # can show text in another order than it has
_SURROGATE = re.compile("[\ud800-\udfff]")  # cannot be encoded, so cannot be printed


def printable(text: str, limit: int | None = None, *, newlines: bool = False) -> str:
    """The text without anything that a terminal would obey instead of show.

    Escape sequences, control characters (C0 and C1) and bidirectional overrides go; tabs become spaces; lone
    surrogates become U+FFFD. Line breaks become spaces, or, with ``newlines``, one ``\\n`` each. Text longer than
    ``limit`` characters is cut to that length and ends in ``…``.

    The result may still hold ``[brackets]``: print it with ``markup=False`` or in a ``rich.text.Text``.
    """
    text = _LINE_BREAK.sub("\n" if newlines else " ", _ESCAPE_SEQUENCE.sub("", text))
    text = _CONTROL.sub("", text.replace("\t", " "))
    text = _SURROGATE.sub("\ufffd", _DIRECTION.sub("", text))
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"
    return text


def single_spaced(text: str) -> str:
    """The text with single spaces, by which a question is known again."""
    return " ".join(text.split())


def first_line(error: BaseException) -> str:
    """The first line of what an error says."""
    return printable((str(error).strip() or type(error).__name__).splitlines()[0], 500)


def counted(counts: Counter[str]) -> str:
    """``12 right, 3 wrong``, the most first."""
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def spelled_time(seconds: float) -> str:
    """``1:02:03``."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
