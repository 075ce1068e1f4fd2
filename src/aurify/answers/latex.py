"""Light normalisation of mathematical answers, so that most comparisons need no algebra.

It follows Hendrycks et al. 2021 (MATH, ``math_equivalence.py``: spacing, ``\\frac12``, ``\\left``, degrees, units,
dollars) and goes further where that has false negatives: ``11,\\!111``, words in ``\\text``, ``x=3`` against ``3``,
characters such as ``²`` and ``½``. A unit of measure is kept, as ``\\unit{cm^2}``, for where both name one.
All of it is linear in the length of the text, which ``reading.MAX_ANSWER`` bounds.
"""

from __future__ import annotations

import re

from aurify.answers.characters import LOWERED, RAISED, plain_signs, scripts
from aurify.answers.latex_units import plain_number, split_unit, without_mark, without_units
from aurify.answers.math.phrases import is_phrase
from aurify.answers.math.tokens import is_known_word
from aurify.answers.reading import Unreadable, refuse_long
from aurify.answers.refusals import is_refusal, is_remark
from aurify.answers.same_number import same_number
from aurify.answers.wording import without_wording
from aurify.answers.wrapped import MACRO, without_wrapping

_SPELLINGS = {
    r"\frac": r"\dfrac \tfrac \cfrac \nicefrac \sfrac", "": r"\boldsymbol \displaystyle \! \$ $",
    ",": r"\text{,} {,}", ":": r"\colon \text{:} {:}", r"^\circ": r"\degree ^{\circ} °", r"\cdot ": r"\cdotp ·",
    r"\le ": r"\leqslant \leq ≤", r"\ge ": r"\geqslant \geq ≥", r"\ne ": r"\neq ≠", r"\emptyset ": r"\varnothing ∅",
    r"\{": r"\lbrace", r"\}": r"\rbrace", r"\pm ": "+/- ±", r"\pi ": "π", r"\theta ": "θ", r"\infty ": "∞",
    r"\sqrt": "√", r"\times ": "×", r"\div ": "÷", r"\cup ": "∪", r"\cap ": "∩", r"\in ": "∈", r"\mathbb{R}": "ℝ",
    r"\approx ": "≈", r"\langle ": "⟨", r"\rangle ": "⟩", r"\lfloor ": "⌊", r"\rfloor ": "⌋", r"\lceil ": "⌈",
    r"\rceil ": "⌉",
}  # fmt: skip
"""What is written for each of these as well; a longer spelling stands before one that it holds."""
_REPLACED = [(spelled, form) for form, spellings in _SPELLINGS.items() for spelled in spellings.split()]
_ROOTS = re.compile(r"([√∛∜])\s*(\d+|[A-Za-z]|(?=[({]))")
_DEGREE = {"√": "", "∛": "[3]", "∜": "[4]"}
_SPACED_COMMA = re.compile(r"(?:,|\{,\}|\\text\{,\})\s?\\!\s?(?=\d{3}(?!\d))|(?:\{,\}|\\text\s?\{,\})(?=\d{3}(?!\d))")
_MACRO_SPACE = re.compile(r"(?<!\\)\\[,;: ]|\\q?quad\b|~")  # not the end of "\\\\ ", a matrix row
_BARE_LEFT = re.compile(r"\\(left|right)(?![a-zA-Z])")
_END_OF_TEXT = re.compile(r"</s>|<\|[a-z_]{2,24}\|>")
_WRAPPED_NUMBER = re.compile(MACRO + r"\{\s*(-?\d[^{}]*)\}")
_PRICE = re.compile(r"^\s*-?\s*\\\$\s*-?\s*[\d.]")
_LEAD = re.compile(r"^(?:about|approximately|approx\.?|roughly|around|exactly|nearly)\s+(?=[-\d.$\\])", re.IGNORECASE)
_ORDINAL = re.compile(
    r"(?<=\d)\s?(?:\^?\s?\{?\s?\\(?:text|mathrm|textrm)\s?\{\s?(?:st|nd|rd|th)\s?\}\s?\}?|(?:st|nd|rd|th)\b)"
)
_ARTICLE = re.compile(r"^(?:an?|the)\s+(?=\w{2})")
_SHORT_FRAC = re.compile(r"\\frac\s*(?:\{([^{}]*)\}|(\d|[a-zA-Z]|\\pi))\s*(?:\{([^{}]*)\}|(\d|[a-zA-Z]|\\pi))")
_PHANTOM = re.compile(r"\\[hv]?phantom\s*(?:\{[^{}]*\}|.)")
_SHORT_SQRT = re.compile(r"\\sqrt\s*([\da-zA-Z])")
_SHORT_SCRIPT = re.compile(r"([_^])\s*([\da-zA-Z])(?![{\w]|\.\d)")
_OVER = re.compile(r"\{([^{}]*)\\over(?![a-zA-Z])([^{}]*)\}")
_MODULO = re.compile(r"\\[pb]?mod\s*(?:\{\s*(\w+)\s*\}|(\w+))|(?<=\w)\s+\(?mod(?:ulo)?\s+(\d+)\)?$")
_CURRENCY = re.compile(r"^(\s*-?\s*)([€£¥₹])(\s*-?\s*[\d.].*)$|^(\s*-?[\d.,]+)\s*([€£¥₹])$", re.DOTALL)
_THING = re.compile(
    r"^(?:the\s)?(?:matrix|vector|point|set|interval|(?:ordered\s)?(?:pair|triple)|number|value|fraction|expression|function"
    r"|polynomial|equation|line|inequality)\s+(?=[-\[({\\$<\d])",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"(?<![\d,.(\[])(?<!\\\{)(\d{1,3})((?:,\d{3})+)(?![\d,)\]])")
_ASSIGNED = re.compile(
    r"^([a-zA-Z]|\\[a-zA-Z]+|[a-zA-Z]\((?:[a-z]|-?\d+)\)|[a-zA-Z]_\{?\w\}?|m?\s?\\angle\s*\{?[A-Z]{1,3}\}?|\|[A-Z]{2}\|"
    r"|\\overline\s*\{[A-Z]{2}\}|\\(?:vec|overrightarrow|hat|mathbf)\s*\{\w{1,2}\})\s*(?:=|\\in(?![a-z]))\s*(?=[^=<>])"
)
_PLAIN_WORDS = re.compile(r"^\(?[A-Za-z][A-Za-z ,.'-]+\)?$")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)\s+(?=\d)")


def tidy(latex: str) -> str:
    """The answer without spacing, sizing, currency and what is no unit of measure; still LaTeX for a parser.

    Raises:
        Unreadable: it is empty, longer than ``MAX_ANSWER``, or a sentence of its writer (``I do not know.``).
    """
    refuse_long(latex)
    if (is_remark(latex) and not is_phrase(latex)) or is_refusal(without_wrapping(latex)):
        raise Unreadable("a sentence, and no answer")
    text = _END_OF_TEXT.sub("", _BARE_LEFT.sub("", latex.strip())).strip("`*\"' ")
    if text.startswith(("\\(", "\\[")) and text.endswith(("\\)", "\\]")):
        text = text[2:-2]
    text = without_wording(_ORDINAL.sub("", _THING.sub("", _LEAD.sub("", text))))
    if text.endswith("}") and text.count("}") > text.count("{"):
        text = text[:-1]  # of the box or sentence around it
    wrapped = _WRAPPED_NUMBER.fullmatch(text)
    text = wrapped[1] if wrapped else text
    price = "$" if _PRICE.match(text) else None
    paid = _CURRENCY.match(text)
    if paid:
        text, price = (paid[1] + paid[3], paid[2]) if paid[2] else (paid[4], paid[5])
    text = _ROOTS.sub(lambda m: f"\\sqrt{_DEGREE[m[1]]}{{{m[2]}}}" if m[2] else f"\\sqrt{_DEGREE[m[1]]}", text)
    text = scripts(scripts(text, RAISED, "^"), LOWERED, "_")
    text = _SPACED_COMMA.sub("", plain_signs(text, "\\frac{{{}}}{{{}}}"))
    for spelled, form in _REPLACED:
        text = text.replace(spelled, form)
    text = _MACRO_SPACE.sub(" ", _PHANTOM.sub("", text)).strip().rstrip(".,;").strip()
    text = _MODULO.sub(lambda m: f"\\pmod{{{m[1] or m[2] or m[3]}}}", _OVER.sub(r"\\frac{\1}{\2}", text))
    text, unit = split_unit(text)
    text = re.sub(r"^\s*\\approx\s*", "", text)
    text = _SHORT_FRAC.sub(lambda m: f"\\frac{{{m[1] or m[2] or ''}}}{{{m[3] or m[4] or ''}}}", text)
    text = _SHORT_SCRIPT.sub(r"\1{\2}", _SHORT_SQRT.sub(r"\\sqrt{\1}", text))
    text = text.strip().rstrip(".,;").strip()
    if not text:
        raise Unreadable("empty")
    unit = unit or price
    return f"{text}\\unit{{{unit}}}" if unit else text


def key(tidied: str) -> str:
    """What two answers that are written alike have in common: no spaces, words unwrapped and in lower case."""
    text = without_wrapping(tidied).strip()
    if _PLAIN_WORDS.match(text):
        return _ARTICLE.sub("", " ".join(text.strip("(). ,").casefold().split())) or text
    text = "".join(_BETWEEN_DIGITS.sub("\0", text).split())  # "2 1/2" is not "21/2"
    return "0" + text if text.startswith(".") else text


def spellings(tidied: str) -> tuple[str, ...]:
    """What a tidied answer may stand for: ``81,256`` is a number, or a list of two."""
    whole = _THOUSANDS.sub(lambda m: m[1] + m[2].replace(",", ""), tidied)
    return (tidied,) if whole == tidied else (whole, tidied)


def compare_written(pred: str, gold: str) -> str | None:
    """Why two tidied answers are equal that are written alike or are both plain numbers; "": they are not equal.

    None: that takes algebra.
    """
    found = [_compare_written(a, b) for a in spellings(pred) for b in spellings(gold)]
    return next((reason for reason in found if reason), None if None in found else "")


def _compare_written(pred: str, gold: str) -> str | None:
    pair = without_units(pred, gold)
    if pair.units_differ:
        return ""
    a, b = plain_number(pair.pred), plain_number(pair.gold)
    if a and b:
        return same_number(a, b) or ""
    for ours, theirs in ((pair.pred, pair.gold), without_name(pair.pred, pair.gold)):
        if key(ours) == key(theirs):
            return "the same expression"
        a, b = plain_number(ours), plain_number(theirs)
        if a and b:
            return same_number(a, b) or ""
    return None


def is_number(tidied: str) -> bool:
    """Whether a tidied answer is a plain number, which needs no parser of LaTeX."""
    return plain_number(without_mark(tidied)[0]) is not None


def words_in(tidied: str) -> str | None:
    """The words that an answer consists of, in lower case; None: it is a formula."""
    text = without_wrapping(tidied).strip()
    if not _PLAIN_WORDS.match(text):
        return None
    words = re.findall(r"[A-Za-z]+", text)
    return key(tidied) if any(len(word) > 2 and not is_known_word(word) for word in words) else None


def without_name(pred: str, gold: str) -> tuple[str, str]:
    """Both without the name where one alone names its variable (``x=3``, ``x \\in [0,1]``), or both the same."""
    named = [_ASSIGNED.match(text) for text in (pred, gold)]
    if named[0] and named[1] and key(named[0][0]) == key(named[1][0]) and "=" not in pred[named[0].end() :]:
        return pred[named[0].end() :], gold[named[1].end() :]
    if named[0] and not named[1] and "=" not in gold + pred[named[0].end() :]:
        return pred[named[0].end() :], gold
    if named[1] and not named[0] and "=" not in pred + gold[named[1].end() :]:
        return pred, gold[named[1].end() :]
    return pred, gold
