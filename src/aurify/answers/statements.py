"""What an answer is stated with in words: the markers, and what each states. All linear."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from aurify.answers.bare import BEGINS_NUMBER
from aurify.answers.boxes import BOX
from aurify.answers.denied import is_denied, is_supposed
from aurify.answers.emphasis import within_emphasis
from aurify.answers.languages import ABROAD, is_abroad, said_abroad
from aurify.answers.reading import MAX_ANSWER
from aurify.parsing import parse_json

REGION = 2 * MAX_ANSWER
"""Characters after a marker that are looked at."""
_CLAUSE = 80
"""Characters before a marker that may deny what it says."""
MARKER = re.compile(
    r"(?P<heading>^[#*_ \t>]{0,10}(?:the\s|my\s)?(?:final\s|correct\s)?answer[*_: \t]{0,6}\n\s{0,20})"
    r"|(?P<json>[\"'](?:(?:final|correct|selected|chosen|predicted|best|my)[_ ]?)?"
    r"(?:(?:answer|choice|option)(?:[_ ](?:choice|option|letter|value|text))?|prediction|selected)[\"']\s{0,3}:\s{0,3})"
    r"|(?P<says>(?<![^\W_])(?<![^\W_]_)(?:answers?|ans(?=\s?[:=]))(?:\s(?:choice|option)|\sto\s(?:the|this)\s(?:question|problem))?[*_`]{0,3}"
    r"(?:\s\([^()\n]{1,40}\)|\sin\s[a-z]{1,12})?[*_`]{0,3}"
    r"(?:\s{0,2}(?:(?:is|are|(?:would|should|must|will)\sbe)\b|[=-]>|→|[:=：]\}?)|\s(?:--|[-–—])\s|—|\s{0,2}(?=\$\$|\\\[))"
    r"[*_`]{0,3}[:\s]{0,6})"
    r"|(?P<abbreviated>^[ \t*_]{0,4}ans\.[*_]{0,3}[ \t]{1,3})"
    r"|(?P<hash>\#\#\#\#[ \t]*)"
    rf"|(?P<box>{BOX})",
    re.IGNORECASE | re.MULTILINE,
)
_CHOSEN = re.compile(
    r"\b(?P<says>(?:correct|right|best|final|likely|appropriate|suitable|accurate|selected|chosen|my)\s"
    r"(?:option|choice|alternative|letter|one)(?:\s(?:is|would\sbe|must\sbe)\b|\s?:|\s(?:--|[-–—])\s)[:\s]{0,4}[*_`]{0,3}"
    r"|\b(?:I|we)(?:\s(?:would|will)|['’](?:d|ll))?\s(?:choose|pick|select|go\swith)\s{1,3}[*_`]{0,3})"
    r"|(?P<before>(?:\b(?:option|choice|answer)\s[*_]{0,3}\(?(?P<named>[A-Za-z])\)?|\((?P<letter>[A-Za-z])\)|"
    r"(?<![\w(])(?P<bare>[B-HJ-Z]))[*_]{0,3}\sis\s(?:(?:therefore|thus|clearly|hence)\s)?(?:the\s)?"
    r"(?:(?:correct|right|best|(?:most\s)(?:likely|appropriate|suitable|accurate))"
    r"(?:\s(?:answer|option|choice|one))?|answer)(?![\w'’]))",
    re.IGNORECASE,
)
_NOT_ASSERTED = re.compile(
    r"\b(?:not|no|never|neither|nor|if|whether|unless|either|only|why|suppose|assume|false|wrong|incorrect|think|"
    r"maybe|perhaps|could|might|may)\b|n['’]t\b",
    re.IGNORECASE,
)
_CALLED_RIGHT = re.compile(
    r"\W{0,4}(?:indeed\s|also\s)?(?:correct|right|confirmed|verified|consistent|reasonable)\b(?=\W*(?:\n|\Z)|[.,;:!]|\s(?:as|because|since)\b)"
)
EMPTY = " \t\n.*`$"
HASHED_HEADING = re.compile(r"\d{1,3}[.):]?\s+[A-Za-z]|[A-Za-z*]")
"""How a heading of Markdown goes on behind ``####``."""
_SOMETHING = re.compile(r"\S")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_JSON_LIST = re.compile(r"\[([^\[\]{}]*)\]")


@dataclass(frozen=True)
class Statement:
    """How an answer is stated, the text that holds it, and where that begins (of a box: ends)."""

    form: str
    answer: str
    at: int | None = None
    denied: bool = False


def patterns_of(text: str, answer_type: str) -> list[re.Pattern[str]]:
    """What may state an answer of the type in this text; ``lastgroup`` of a match is the form."""
    return [MARKER, *([_CHOSEN] if answer_type == "choice" else []), *([ABROAD] if is_abroad(text) else [])]


def worded(text: str, marker: re.Match[str], answer_type: str) -> Statement | None:
    """What a marker states in words; None: nothing."""
    form = str(marker.lastgroup)
    before = text[max(0, marker.start() - _CLAUSE) : marker.start()]
    if form == "says" and is_supposed(before):
        return None
    answer = _READERS[form](text, marker)
    if form == "abroad":
        abroad = said_abroad(marker[0], answer, answer_type)
        if abroad is None:
            return Statement(form, answer, marker.end(), denied=True)
        answer = abroad
    if form == "heading" and answer_type == "number" and not BEGINS_NUMBER.match(answer):
        return None
    if not answer.strip(EMPTY) or answer.startswith(("Let's", "Let’s")):
        return None
    if answer_type in ("number", "math") and _CALLED_RIGHT.match(answer):
        return None
    if answer_type == "text" and form in ("says", "heading", "abbreviated"):
        line = marker.start() if form == "heading" else text.rfind("\n", 0, marker.start()) + 1
        answer = within_emphasis(text[max(line, marker.start() - REGION) : marker.end()], answer)
    return Statement(form, answer, marker.end(), form == "says" and is_denied(before))


def _said(text: str, marker: re.Match[str]) -> str:
    return text[marker.end() : marker.end() + REGION]


def _hashed(text: str, marker: re.Match[str]) -> str:
    """The line after ``####``; a heading of Markdown is none, unless it ends the text."""
    end = text.find("\n", marker.end(), marker.end() + REGION)
    if end < 0:
        return _said(text, marker)
    line = text[marker.end() : end]
    return "" if HASHED_HEADING.match(line) and _SOMETHING.search(text, end) else line


def _quoted(text: str, marker: re.Match[str]) -> str:
    """The value of a field of JSON."""
    value = _said(text, marker)
    string = _JSON_STRING.match(value)
    if not string:
        array = _JSON_LIST.match(value)
        items = [item.strip().strip("\"'") for item in array[1].split(",")] if array else []
        return ", ".join(items) if array else re.split(r"[,}\n]", value, maxsplit=1)[0]
    try:
        decoded: str = parse_json(string[0])
    except ValueError:  # LaTeX whose backslashes nobody escaped
        return string[0][1:-1]
    return string[0][1:-1] if any(ord(c) < 32 for c in decoded) else decoded


def _before(text: str, marker: re.Match[str]) -> str:
    """The option that is called correct, where no doubt is said with it."""
    clause = re.split(
        r"[.!?;\n]|,\s(?:so|hence|thus|therefore)\b", text[max(0, marker.start() - _CLAUSE) : marker.start()]
    )[-1]
    if _NOT_ASSERTED.search(clause) or text[marker.end() : marker.end() + 3].lstrip(" )*_").startswith("?"):
        return ""
    return marker["named"] or marker["letter"] or marker["bare"]


_READERS: dict[str, Callable[[str, re.Match[str]], str]] = {
    "heading": _said,
    "abbreviated": _said,
    "says": _said,
    "abroad": _said,
    "json": _quoted,
    "hash": _hashed,
    "before": _before,
}
