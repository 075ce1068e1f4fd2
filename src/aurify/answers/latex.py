"""Light normalisation of mathematical answers, so that most comparisons need no algebra.

It follows Hendrycks et al. 2021 (MATH, ``math_equivalence.py``: spacing, ``\\frac12``, ``\\left``, degrees, units,
dollars) and goes further where that has false negatives: ``11,\\!111``, words in ``\\text``, ``x=3`` against ``3``,
characters such as ``²`` and ``½``. A unit of measure is kept, as ``\\unit{cm^2}``, for where both
name one.
All of it is linear in the length of the text, which ``reading.MAX_ANSWER`` bounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aurify.answers.characters import LOWERED, RAISED, plain_signs, scripts
from aurify.answers.math.tokens import is_known_word
from aurify.answers.math.written import without_phrases
from aurify.answers.number import Number, read_number
from aurify.answers.reading import MAX_ANSWER, Unreadable
from aurify.answers.refusals import is_refusal, is_remark
from aurify.answers.same_number import same_number
from aurify.answers.units import unit_of, units_differ
from aurify.answers.wording import without_wording

_REPLACED = (
    ("\\dfrac", "\\frac"),
    ("\\tfrac", "\\frac"),
    ("\\cfrac", "\\frac"),
    ("\\nicefrac", "\\frac"),
    ("\\sfrac", "\\frac"),
    ("\\boldsymbol", ""),
    ("\\colon", ":"),
    ("\\left", ""),
    ("\\right", ""),
    ("\\displaystyle", ""),
    ("\\!", ""),
    ("\\$", ""),
    ("$", ""),
    ("\\text{,}", ","),
    ("{,}", ","),
    ("\\text{:}", ":"),
    ("{:}", ":"),
    ("\\degree", "^\\circ"),
    ("^{\\circ}", "^\\circ"),
    ("°", "^\\circ"),
    ("\\cdotp", "\\cdot"),
    ("\\leqslant", "\\le"),
    ("\\geqslant", "\\ge"),
    ("\\leq", "\\le"),
    ("\\geq", "\\ge"),
    ("\\neq", "\\ne"),
    ("π", "\\pi "),
    ("θ", "\\theta "),
    ("∞", "\\infty "),
    ("≤", "\\le "),
    ("≥", "\\ge "),
    ("≠", "\\ne "),
    ("√", "\\sqrt"),
    ("×", "\\times "),
    ("·", "\\cdot "),
    ("÷", "\\div "),
    ("±", "\\pm "),
    ("∪", "\\cup "),
    ("∩", "\\cap "),
    ("∈", "\\in "),
    ("ℝ", "\\mathbb{R}"),
    ("≈", "\\approx "),
    ("⟨", "\\langle "),
    ("⟩", "\\rangle "),
    ("⌊", "\\lfloor "),
    ("⌋", "\\rfloor "),
    ("⌈", "\\lceil "),
    ("⌉", "\\rceil "),
    ("\\lbrace", "\\{"),
    ("\\rbrace", "\\}"),
    ("\\varnothing", "\\emptyset"),
    ("∅", "\\emptyset "),
    ("+/-", "\\pm "),
)
_ROOTS = re.compile(r"([√∛∜])\s*(\d+|[A-Za-z]|(?=[({]))")
_DEGREE = {"√": "", "∛": "[3]", "∜": "[4]"}
_SPACED_COMMA = re.compile(r"(?:,|\{,\}|\\text\{,\})\s?\\!\s?(?=\d{3}(?!\d))|(?:\{,\}|\\text\s?\{,\})(?=\d{3}(?!\d))")
_MACRO_SPACE = re.compile(r"(?<!\\)\\[,;: ]|\\q?quad\b|~")  # not the end of "\\\\ ", a matrix row
_BARE_LEFT = re.compile(r"\\(left|right)(?![a-zA-Z])")
_END_OF_TEXT = re.compile(r"</s>|<\|[a-z_]{2,24}\|>")
_MACRO = r"\\(?:text|mbox|hbox|mathrm|textnormal|textrm|textbf|textit|mathbf|mathit|operatorname|rm)\s*"
_WRAPPED_NUMBER = re.compile(_MACRO + r"\{\s*(-?\d[^{}]*)\}")
_UNIT = re.compile(
    r"(?<=[\w})])\s*" + _MACRO + r"\{(?!\s*(?:(?:and|or|if)\b|\([A-J]\)|[ie]\s*\}))([^{}]*)\}\.?((?:\^\{?\d\}?)?)\s*$"
)
_UNIT_RATIO = re.compile(
    r"(?<=[\w})])\s*\\frac\s*\{\s*"
    + _MACRO
    + r"\{([^{}]*)\}\s*\}\s*\{\s*"
    + _MACRO
    + r"\{([^{}]*)\}\s*((?:\^\{?\d\}?)?)\}\s*$"
)
_PLAIN_UNIT = re.compile(
    r"(?:(?<=[\d})])|(?<=\\pi)|(?<=\\pi ))\s*((?:\b|(?<=\d))[A-Za-z][A-Za-z. /]{0,60}(?:\^\{?\d\}?)?)\s*$"
)
_PRICE = re.compile(r"^\s*-?\s*\\\$\s*-?\s*[\d.]")
_SCALE = re.compile(r"\s*(?:(?:hundred|thousand|million|billion|trillion|dozen)s?|[ap]\.?\s?m)\b", re.IGNORECASE)
_LEAD = re.compile(r"^(?:about|approximately|approx\.?|roughly|around|exactly|nearly)\s+(?=[-\d.$\\])", re.IGNORECASE)
_ORDINAL = re.compile(
    r"(?<=\d)\s?(?:\^?\s?\{?\s?\\(?:text|mathrm|textrm)\s?\{\s?(?:st|nd|rd|th)\s?\}\s?\}?|(?:st|nd|rd|th)\b)"
)
_ARTICLE = re.compile(r"^(?:an?|the)\s+(?=\w{2})")
_UNWRAP = re.compile(_MACRO + r"\{([^{}]*)\}")
_SHORT_FRAC = re.compile(r"\\frac\s*(?:\{([^{}]*)\}|(\d|[a-zA-Z]|\\pi))\s*(?:\{([^{}]*)\}|(\d|[a-zA-Z]|\\pi))")
_PHANTOM = re.compile(r"\\[hv]?phantom\s*(?:\{[^{}]*\}|.)")
_SHORT_SQRT = re.compile(r"\\sqrt\s*([\da-zA-Z])")
_SHORT_SCRIPT = re.compile(r"([_^])\s*([\da-zA-Z])(?![{\w]|\.\d)")
_OVER = re.compile(r"\{([^{}]*)\\over(?![a-zA-Z])([^{}]*)\}")
_MODULO = re.compile(r"\\[pb]?mod\s*(?:\{\s*(\w+)\s*\}|(\w+))|(?<=\w)\s+\(?mod(?:ulo)?\s+(\d+)\)?$")
_HEAT = re.compile(r"\^?\s*\\circ\s*(?:" + _MACRO + r"\{\s*([CF])\s*\}|([CF]))$")
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
_MARKED_UNIT = re.compile(r"\\unit\{([^{}]*)\}$")
_FUNCTION = re.compile(r"\\?(?:sin|cos|tan|cot|sec|csc|cis)(?![a-z])")


def tidy(latex: str) -> str:
    """The answer without spacing, sizing, currency and what is no unit of measure; still LaTeX for a parser.

    Raises:
        Unreadable: it is empty, longer than ``MAX_ANSWER``, or a sentence of its writer (``I do not know.``).
    """
    if len(latex) > MAX_ANSWER:
        raise Unreadable(f"longer than {MAX_ANSWER} characters")
    says_none = without_phrases(latex) != latex  # "There are no solutions."
    if (is_remark(latex) and not says_none) or is_refusal(_UNWRAP.sub(r"\1", latex)):
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
    for old, new in _REPLACED:
        text = text.replace(old, new)
    text = _MACRO_SPACE.sub(" ", _PHANTOM.sub("", text)).strip().rstrip(".,;").strip()
    text = _MODULO.sub(lambda m: f"\\pmod{{{m[1] or m[2] or m[3]}}}", _OVER.sub(r"\\frac{\1}{\2}", text))
    text, unit = _split_unit(text)
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
    text = _UNWRAP.sub(r"\1", tidied).strip()
    if _PLAIN_WORDS.match(text):
        return _ARTICLE.sub("", " ".join(text.strip("(). ,").casefold().split())) or text
    text = "".join(_BETWEEN_DIGITS.sub("\0", text).split())  # "2 1/2" is not "21/2"
    return "0" + text if text.startswith(".") else text


@dataclass(frozen=True)
class TidiedPair:
    """Two tidied answers without their units, and whether the units tell them apart."""

    pred: str
    gold: str
    units_differ: bool


def without_units(pred: str, gold: str) -> TidiedPair:
    """Both without their units. Letters behind a number (``10 m``) are a unit where the other side has no letters."""
    (ours, our_unit), (theirs, their_unit) = _marked(pred), _marked(gold)
    if our_unit is None and not _has_letters(theirs):
        ours, our_unit = _letters_as_unit(ours)
    elif their_unit is None and not _has_letters(ours):
        theirs, their_unit = _letters_as_unit(theirs)
    marks = [unit or ("%" if text.endswith("%") else None) for text, unit in ((ours, our_unit), (theirs, their_unit))]
    return TidiedPair(ours, theirs, units_differ(*marks))


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
    a, b = _number(pair.pred), _number(pair.gold)
    if a and b:
        return same_number(a, b) or ""
    for ours, theirs in ((pair.pred, pair.gold), without_name(pair.pred, pair.gold)):
        if key(ours) == key(theirs):
            return "the same expression"
        a, b = _number(ours), _number(theirs)
        if a and b:
            return same_number(a, b) or ""
    return None


def is_number(tidied: str) -> bool:
    """Whether a tidied answer is a plain number, which needs no parser of LaTeX."""
    return _number(_marked(tidied)[0]) is not None


def words_in(tidied: str) -> str | None:
    """The words that an answer consists of, in lower case; None: it is a formula."""
    text = _UNWRAP.sub(r"\1", tidied).strip()
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


def _split_unit(text: str) -> tuple[str, str | None]:
    """The text without the words behind it, and the unit of measure that they name."""
    heat = _HEAT.search(text)
    if heat:
        return text[: heat.start()], f"deg{heat[1] or heat[2]}"
    if not _FUNCTION.search(text):
        bare = text.replace("^\\circ", "").replace("\\circ", "") if text.endswith("\\circ") else text
        if bare != text:
            return bare, "deg"
        text = text.replace("^\\circ", "")
    ratio = _UNIT_RATIO.search(text)
    if ratio and unit_of(f"{ratio[1]}/{ratio[2]}{ratio[3]}"):
        return text[: ratio.start()], unit_of(f"{ratio[1]}/{ratio[2]}{ratio[3]}")
    found = _UNIT.search(text)
    if found and not _SCALE.match(found[1]):
        unit = unit_of(found[1].replace("\\", " ") + found[2])
        counts = text[: found.start()].rstrip()[-1:] in (*"0123456789})",)
        if unit or counts:
            return text[: found.start()] or text, unit
    plain = _PLAIN_UNIT.search(text)
    if plain and not _SCALE.match(plain[1]):
        words = re.findall(r"[A-Za-z]+", plain[1])
        unit = unit_of(plain[1])
        long = all(len(word) > 2 for word in words) or (unit is not None and len(words[0]) > 2)
        known = any(is_known_word(word) for word in words)
        if long and not known and unit and not _number(text[: plain.start()]):
            return text[: plain.start()], unit
        prose = all(len(word) > 1 for word in words) and any(len(word) > 2 for word in words)
        if (
            prose
            and not any(is_known_word(word) for word in words if len(word) > 2)
            and _states(text, text[: plain.start()])
        ):
            return text[: plain.start()], unit
    return text, None


def _states(text: str, begun: str) -> bool:
    """Whether the words behind a number leave it as it is: ``5 in total``, but not ``5 plus three``."""
    number = _number(begun)
    try:
        return number is not None and read_number(text).value == number.value
    except Unreadable:
        return False


def _letters_as_unit(text: str) -> tuple[str, str | None]:
    """``10 cm`` and ``10 m`` as a number and a unit."""
    plain = _PLAIN_UNIT.search(text)
    unit = unit_of(plain[1]) if plain else None
    if plain is None or unit is None or _has_names(text[: plain.start()]):
        return text, None
    if len(plain[1].strip(". ")) == 1 and not text[: plain.start(1)].endswith(" "):
        return text, None  # "10m" is a product
    return text[: plain.start()].strip(), unit


def _has_names(text: str) -> bool:
    """Whether letters other than functions and constants (``sqrt``, ``pi``) stand in the text."""
    return any(not is_known_word(word) for word in re.findall(r"(?<![\\A-Za-z])[A-Za-z]+", text))


def _has_letters(text: str) -> bool:
    return bool(re.search(r"(?<![\\A-Za-z])[A-Za-z]", text))


def _marked(tidied: str) -> tuple[str, str | None]:
    unit = _MARKED_UNIT.search(tidied)
    return (tidied[: unit.start()].strip(), unit[1]) if unit else (tidied, None)


def _number(tidied: str) -> Number | None:
    if "=" in tidied or (tidied.startswith(("(", "[")) and "," in tidied):  # a point, and no thousands
        return None
    try:
        return read_number(tidied, words=False)
    except Unreadable:
        return None
