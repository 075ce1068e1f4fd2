"""Letters of options: ``(B)``, ``B.``, ``b)``, ``option B``, ``B because ...``, ``(B) 12/25/1937``, or the text.

Nothing is guessed from prose: a second letter beside the first (``(A), (B)``), one that is taken back (``(A) is not
correct``) and a sentence that only holds a letter are unreadable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import partial

from aurify.answers.characters import plain_signs
from aurify.answers.reading import MAX_ANSWER, Unreadable, refuse_long
from aurify.answers.refusals import is_refusal
from aurify.answers.wrapped import without_wrapping

_BOXED = re.compile(r"\\(?:boxed|fbox)\s{0,3}\{([^{}]*)\}")
_FORMULA_MARKS = re.compile(r"\\[()\[\]]")
_CALLED = re.compile(r"(?:the\s)?(?:option|choice|answer|letter)\s+", re.IGNORECASE)
_LETTER = re.compile(
    r"(?:(?:the\s)?(?:option|choice|answer|letter)\s+)?[*_]{0,3}"
    r"(?:\(\s?([A-Za-z])\s?\)|\[{1,2}([A-Za-z])\]{1,2}|\{([A-Za-z])\}|<([A-Za-z])>|([A-Za-z])(?=[*_]{0,3}(?:\s*\Z|[.,:;!)](?:\W|\Z)|[*_]{0,3}\s+-\s|\s?[+/&]|\s+\()))",
    re.IGNORECASE,
)
_CAPITAL = re.compile(
    r"[*_]{0,3}([A-Z])(?=[*_]{0,3}\s+(?:because|since|as|due|is|or|and|not|rather|instead|while|whereas|which)\b)"
)
_CONCLUDED = re.compile(
    r"(?:therefore|thus|hence|so|then)[,:]?\s+(?=(?:(?-i:\(?[A-Z]\)?)|\([a-z]\))[*_.]{0,3}\s*\Z)", re.IGNORECASE
)
_MARKS = " \t\n.,:;!()*_[]`$\"'-–—"
_ANOTHER = re.compile(r"\(\s?([A-Za-z])\s?\)|(?<![\w'’])([A-Z])(?![\w'’]|\s+[a-z])(?!\s?=)")
_REASON = re.compile(
    r"\W{0,4}(?:because|since|as|for|due|given|which|that|who|not|rather\sthan|instead\sof|while|whereas|unlike)\b",
    re.I,
)
_ON_OTHERS = re.compile(
    r"\.\s+(?:(?:options?|choices?)\s+)?\(?[A-Z]\)?(?:,?\s{1,2}(?:(?:and|or)\s)?\(?[A-Z]\)?)*\s+"
    r"(?:is|are|was|were|do|does|can|cannot|have|has|had|would|could|will)\b"
)
"""A sentence on other options, behind the one that names the answer."""
_ARTICLE = re.compile(r"(?:a|an|the)\s+")
_CONFIRMED = re.compile(
    r"\W{0,4}is\s(?:therefore\s|thus\s|clearly\s)?(?:(?:the|my)\s)?(?:final\s)?"
    r"(?:correct|right|best|true|answer|most\s(?:likely|appropriate|suitable|accurate))\b",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"(?<![\w'’])\(?[A-Z]\)?,?\s(?:(?:is|are|may|might|could|can|would|will)\s)(?:be\s)?(?:also|equally|another|possible)\b"
)
_TAKEN_BACK = re.compile(
    r"\W{0,4}(?:(?:is|are|was|were|can|could|would|should|may|might|does|do|has|had|seems?|looks?|isn['’]t|or|nor|plus"
    r"|and(?!,?\s(?:the\sreason|here|this|that|it|not)\b)|as\swell\sas|(?:along|together)\swith"
    r"|which\s(?:is|was)\s(?:not|wrong|incorrect|false)|maybe|perhaps|possibly|but|although|if|unless)\b|[?+&/|])",
    re.IGNORECASE,
)


def read_choice(text: str, listed: Mapping[str, str] | None = None) -> str:
    """The choice in one canonical form: ``(B)``, or, where the text is no letter and no options are known, the text.

    ``listed`` are the question's options; a letter that is not among them, a text that is none of theirs, and a letter
    beside another option's text are unreadable.

    Raises:
        Unreadable: it is empty, names two letters, none of the options, or says that there is no answer.
    """
    refuse_long(text)
    listed = listed or {}
    text = plain_signs(_FORMULA_MARKS.sub("", _BOXED.sub(r"\1", without_wrapping(text)))).strip("*`$ \t\n\"'")
    if not text:
        raise Unreadable("empty")
    concluded = _CONCLUDED.match(text)
    text = text[concluded.end() :] if concluded else text
    for key in (_key, partial(_without, _ARTICLE), partial(_without, _CALLED)):
        named = [letter for letter, option in listed.items() if key(option) == key(text)]
        if len(named) == 1:
            return f"({named[0]})"
    _refuse_several(text)
    match = _LETTER.match(text) or _CAPITAL.match(text)
    if match:
        letter = next(group for group in match.groups() if group).upper()
        _refuse_more(letter, text[match.end() :], listed)
        if listed and letter not in listed:
            raise Unreadable(f"({letter}) is none of the options")
        return f"({letter})"
    if is_refusal(text):
        raise Unreadable("says that there is no answer")
    if listed:
        raise Unreadable("none of the options")
    return text


def same_choice(a: str, b: str) -> bool:
    """Whether two choices, as ``read_choice`` gave them, are the same."""
    return _key(a) == _key(b)


def _refuse_several(text: str) -> None:
    """Refuse what is nothing but letters: ``A, C``, ``B or D``."""
    words = [word for word in re.findall(r"\w+", text[:100]) if word not in ("and", "or", "both", "either")]
    only_letters = len(text) <= 100 and all(len(word) == 1 and word.isalpha() for word in words)
    if only_letters and len(set(map(str.upper, words))) > 1:
        raise Unreadable("names two options")


def _refuse_more(letter: str, rest: str, listed: Mapping[str, str]) -> None:
    """Refuse where what follows the letter names another option, or takes the letter back."""
    texts = {other: _key(option) for other, option in listed.items()}
    if not rest.strip(_MARKS) or _key(rest.strip(_MARKS)) == texts.get(letter):
        return
    if _key(rest.strip(_MARKS)) in texts.values():
        raise Unreadable("a letter beside another option's text")
    confirmed = _CONFIRMED.match(rest)
    if confirmed:
        rest = rest[confirmed.end() :]
    elif _TAKEN_BACK.match(rest.lstrip("*_)].,;: ")):
        second = next((a or b for a, b in _ANOTHER.findall(rest)), "")
        raise Unreadable("names two options" if second else "says more than a letter")
    own_text = texts.get(letter)
    if own_text and _key(rest.lstrip(_MARKS)[: len(listed[letter])]) == own_text:
        rest = rest.lstrip(_MARKS)[len(listed[letter]) :]
    also = _ALSO.search(rest)
    if also and not _REASON.search(rest[: also.start()]):
        raise Unreadable("names two options")
    if _ON_OTHERS.match(rest):
        return
    for found in _ANOTHER.finditer(rest):
        second = (found[1] or found[2]).upper()
        if second == letter or (second not in listed if listed else not found[1]):
            continue
        if not _REASON.search(rest[: found.start()]):
            raise Unreadable("names two options")


def _key(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFC", text[:MAX_ANSWER]).casefold().split())
    return plain.strip(" .,;:!\"'`") or plain


def _without(beginning: re.Pattern[str], text: str) -> str:
    """``option 6`` as ``6``, ``the cat`` as ``cat``."""
    key = _key(text)
    return beginning.sub("", key, count=1) if beginning.match(key) else key
