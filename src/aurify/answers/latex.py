"""Light normalisation of LaTeX answers, so that most comparisons need no computer algebra.

It follows Hendrycks et al. 2021 (MATH, ``math_equivalence.py``: spacing, ``\\frac12``, ``\\left``, degrees, units,
dollars) and goes further where that has false negatives: ``11,\\!111``, words in ``\\text``, ``x=3`` against ``3``.
All of it is linear in the length of the text, which ``reading.MAX_ANSWER`` bounds.
"""

from __future__ import annotations

import re

from aurify.answers.number import Number, read_number, same_number
from aurify.answers.reading import MAX_ANSWER, Unreadable

_REPLACED = (
    ("\\dfrac", "\\frac"),
    ("\\tfrac", "\\frac"),
    ("\\cfrac", "\\frac"),
    ("\\left", ""),
    ("\\right", ""),
    ("\\displaystyle", ""),
    ("\\!", ""),
    ("\\$", ""),
    ("$", ""),
    ("{,}", ","),
    ("−", "-"),
    ("\u00a0", " "),
    ("\\degree", "^\\circ"),
    ("^{\\circ}", "^\\circ"),
    ("°", "^\\circ"),
    ("^\\circ", ""),
    ("\\cdotp", "\\cdot"),
    ("\\leqslant", "\\le"),
    ("\\geqslant", "\\ge"),
    ("\\leq", "\\le"),
    ("\\geq", "\\ge"),
    ("\\neq", "\\ne"),
    ("π", "\\pi"),
    ("∞", "\\infty"),
    ("≤", "\\le "),
    ("≥", "\\ge "),
    ("√", "\\sqrt"),
    ("×", "\\times "),
    ("\\lbrace", "\\{"),
    ("\\rbrace", "\\}"),
    ("\\varnothing", "\\emptyset"),
)
_MACRO_SPACE = re.compile(r"(?<!\\)\\[,;: ]|\\q?quad\b|~")  # not the end of "\\\\ ", a matrix row
_BARE_LEFT = re.compile(r"\\(left|right)(?![a-zA-Z])")
_WORDS = r"\\(?:text|mbox|hbox|mathrm|textnormal|textrm|textbf|textit|mathbf|mathit|operatorname|rm)\s*"
_UNIT = re.compile(r"(?<=[\d})])\s*" + _WORDS + r"\{(?!\s*(?:and|or|if)\b)[^{}]*\}\.?(?:\^\{?\d\}?)?\s*$")
_UNWRAP = re.compile(_WORDS + r"\{([^{}]*)\}")
_SHORT_FRAC = re.compile(r"\\frac\s*(?:\{([^{}]*)\}|(\d|[a-zA-Z]|\\pi))\s*(?:\{([^{}]*)\}|(\d|[a-zA-Z]|\\pi))")
_PHANTOM = re.compile(r"\\[hv]?phantom\s*(?:\{[^{}]*\}|.)")
_SHORT_SQRT = re.compile(r"\\sqrt\s*([\da-zA-Z])")
_SHORT_SCRIPT = re.compile(r"([_^])\s*([\da-zA-Z])(?![{\w])")
_THOUSANDS = re.compile(r"(?<![\d,.(\[])(\d{1,3})((?:,\d{3})+)(?![\d,)\]])")
_ASSIGNED = re.compile(r"^([a-zA-Z]|\\[a-zA-Z]+|[a-zA-Z]\([a-z]\)|[a-zA-Z]_\{?\w\}?)\s*(?:=|\\in)\s*(?=[^=])")
_PLAIN_WORDS = re.compile(r"^\(?[A-Za-z][A-Za-z ,.'-]*\)?$")


def tidy(latex: str) -> str:
    """The answer without spacing, sizing, currency, degree signs and trailing units; still LaTeX for a parser.

    Raises:
        Unreadable: it is empty or longer than ``MAX_ANSWER``.
    """
    if len(latex) > MAX_ANSWER:
        raise Unreadable(f"longer than {MAX_ANSWER} characters")
    text = _BARE_LEFT.sub("", latex.strip()).strip("`*\"' ")
    if text.startswith(("\\(", "\\[")) and text.endswith(("\\)", "\\]")):
        text = text[2:-2]
    for old, new in _REPLACED:
        text = text.replace(old, new)
    text = _MACRO_SPACE.sub(" ", _PHANTOM.sub("", text))
    text = _UNIT.sub("", text) or text
    text = re.sub(r"^\s*\\approx\s*", "", text)
    text = _SHORT_FRAC.sub(lambda m: f"\\frac{{{m[1] or m[2] or ''}}}{{{m[3] or m[4] or ''}}}", text)
    text = _SHORT_SCRIPT.sub(r"\1{\2}", _SHORT_SQRT.sub(r"\\sqrt{\1}", text))
    text = _THOUSANDS.sub(lambda m: m[1] + m[2].replace(",", ""), text)
    text = text.strip().rstrip(".,;").strip()
    if not text:
        raise Unreadable("empty")
    return text


def key(tidied: str) -> str:
    """What two answers that are written alike have in common: no spaces, words unwrapped and in lower case."""
    text = _UNWRAP.sub(r"\1", tidied).strip()
    if _PLAIN_WORDS.match(text):
        text = text.strip("(). ,").casefold() or text
    text = "".join(text.split())
    return "0" + text if text.startswith(".") else text


def compare_written(pred: str, gold: str) -> str | None:
    """Why two tidied answers are equal that are written alike or are both plain numbers; "": they are not equal.

    None: that takes algebra.
    """
    for ours, theirs in ((pred, gold), without_name(pred, gold)):
        if key(ours) == key(theirs):
            return "the same expression"
    a, b = _number(ours), _number(theirs)
    return (same_number(a, b) or "") if a and b else None


def is_number(tidied: str) -> bool:
    """Whether a tidied answer is a plain number, which needs no parser of LaTeX."""
    return _number(tidied) is not None


def without_name(pred: str, gold: str) -> tuple[str, str]:
    """Where only one of the two names its variable, as ``x=3`` or ``x \\in [0,1]``, both without the name."""
    named = [_ASSIGNED.match(text) for text in (pred, gold)]
    if named[0] and not named[1] and "=" not in gold:
        return pred[named[0].end() :], gold
    if named[1] and not named[0] and "=" not in pred:
        return pred, gold[named[1].end() :]
    return pred, gold


def _number(tidied: str) -> Number | None:
    if "=" in tidied:
        return None
    try:
        return read_number(tidied, words=False)
    except Unreadable:
        return None
