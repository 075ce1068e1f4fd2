"""Words that LaTeX wraps: ``\\text{km}``, ``\\mathrm{km}``, ``\\textbf{km}``."""

from __future__ import annotations

import re

WRAPPERS = (
    "text", "mbox", "hbox", "mathrm", "textnormal", "textrm", "textbf", "textit", "mathbf", "mathit", "operatorname",
    "rm",
)  # fmt: skip
MACRO = rf"\\(?:{'|'.join(WRAPPERS)})\s*"
"""What wraps words, up to the brace."""
_WRAPPED = re.compile(MACRO + r"\{([^{}]*)\}")


def without_wrapping(text: str, before: str = "", behind: str = "") -> str:
    """The text with the words alone, and these around them."""
    return _WRAPPED.sub(rf"{before}\1{behind}", text)
