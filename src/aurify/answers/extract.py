"""Finds the last stated answer of a rationale.

An answer is stated in one of these forms, and the last one counts: ``So the answer is X.``, ``Answer: X``,
``Final answer - X``, a heading ``### Final Answer`` with the answer below it, ``{"answer": X}``, ``#### X`` (GSM8K's
gold), ``\\boxed{X}`` (braces counted), and a last line ``A: X`` (GSM8K's model solutions); for choices also ``The
correct option is X`` and ``Option X is correct``; and "the answer is" in other languages (``languages``). An empty one
is passed over, as is one that is only supposed (``if the answer is X``). What denies its answer (``denied``), or is
taken back by what follows (``taken_back``), states none. For ``math`` a box wins over the other
forms, as MATH's own graders have it, unless a formula is stated as the answer behind it. Boxes that are joined
(``\\boxed{3} and \\boxed{5}``) are one list. Of a reply that is a JSON object its fields tell (``json_reply``).

What follows the answer is cut off: a further problem that the model set itself (``turns``), then, by answer type,
everything after the first sentence or line. BIG-Bench Hard answers hold spaces and commas, so a text answer runs up to
the sentence's full stop.

Of a text that states none of these the last sentence is the answer where it concludes a number (``conclusion``):
``Therefore, she has 7 apples.`` Else it is itself the answer only where it is bare: one line of one sentence that is no
remark of the writer (``I do not know.``), which for a number begins with the number. There is no last resort such as
"the last number in the text": right answers that nobody stated make spurious memory, which stays until it is replaced.

Every step is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from aurify.answers.bare import BEGINS_NUMBER, bare, is_bare_answer
from aurify.answers.boxes import Box, are_joined, box_at, closing_braces, listed
from aurify.answers.conclusion import conclusion
from aurify.answers.denied import is_denied, is_supposed
from aurify.answers.emphasis import within_emphasis
from aurify.answers.formulas import formula_like
from aurify.answers.json_reply import json_answer
from aurify.answers.languages import ABROAD, is_abroad, said_abroad
from aurify.answers.reading import MAX_ANSWER, Unreadable
from aurify.answers.taken_back import taken_back
from aurify.answers.trimmed import trimmed
from aurify.answers.turns import before_next_problem
from aurify.parsing import parse_json

TAIL = 100_000
"""The characters at the end of a text that are searched."""
_REGION = 2 * MAX_ANSWER
"""Characters after a marker that are looked at."""
_CLAUSE = 80
"""Characters before a marker that may deny what it says."""

_MARKER = re.compile(
    r"(?P<heading>^[#*_ \t>]{0,10}(?:the\s|my\s)?(?:final\s|correct\s)?answer[*_: \t]{0,6}\n\s{0,20})"
    r"|(?P<json>[\"'](?:(?:final|correct|selected|chosen|predicted|best|my)[_ ]?)?"
    r"(?:(?:answer|choice|option)(?:[_ ](?:choice|option|letter|value|text))?|prediction|selected)[\"']\s{0,3}:\s{0,3})"
    r"|(?P<says>(?<![^\W_])(?<![^\W_]_)(?:answers?|ans(?=\s?[:=]))(?:\s(?:choice|option)|\sto\s(?:the|this)\s(?:question|problem))?[*_`]{0,3}"
    r"(?:\s\([^()\n]{1,40}\)|\sin\s[a-z]{1,12})?[*_`]{0,3}"
    r"(?:\s{0,2}(?:(?:is|are|(?:would|should|must|will)\sbe)\b|[=-]>|→|[:=：]\}?)|\s(?:--|[-–—])\s|—|\s{0,2}(?=\$\$|\\\[))"
    r"[*_`]{0,3}[:\s]{0,6})"
    r"|(?P<abbreviated>^[ \t*_]{0,4}ans\.[*_]{0,3}[ \t]{1,3})"
    r"|(?P<hash>\#\#\#\#[ \t]*)"
    r"|(?P<box>\\(?:f|frame)?box(?:ed)?(?![a-z])[ \t]{0,3})",
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
_STATED_LETTER = re.compile(r"[\s*_(\[`$]{0,8}(?:(?:option|choice)\s[*_(]{0,3})?[A-Za-z](?![\w'’])")
_CALLED_RIGHT = re.compile(
    r"\W{0,4}(?:indeed\s|also\s)?(?:correct|right|confirmed|verified|consistent|reasonable)\b(?=\W*(?:\n|\Z)|[.,;:!]|\s(?:as|because|since)\b)"
)
_LAST_LINE = re.compile(r"^A:[ \t]*(\S[^\n]*)$")
_EMPTY = " \t\n.*`$"
_HEADING = re.compile(r"\d{1,3}[.):]?\s+[A-Za-z]|[A-Za-z*]")
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


def stated(text: str, answer_type: str) -> str:
    """The last stated answer, as it stands in the text, without what follows it.

    Raises:
        Unreadable: the text states no answer, or a too long one, or says that it has none.
    """
    text = _own_part(text[-TAIL:], answer_type)
    replied = json_answer(text)
    found = _last(text, answer_type) if replied is None else Statement("json", replied)
    if found is None:
        concluded = conclusion(text) if answer_type == "number" else None
        answer = bare(text, answer_type) if concluded is None else concluded
    elif found.form in ("box", "before", "json"):
        answer = found.answer
    elif found.answer.startswith("{") and (within := json_answer(found.answer)) is not None:
        answer = within
    else:
        answer = trimmed(found.answer, answer_type)
    if found is not None and found.at is not None:
        answer = _kept(answer, text[found.at :], found, answer_type)
    if len(answer) > MAX_ANSWER:
        raise Unreadable(f"the stated answer is longer than {MAX_ANSWER} characters")
    return answer.strip()


def _kept(answer: str, after: str, found: Statement, answer_type: str) -> str:
    """The stated answer, or the number that the text concludes after taking it back.

    Raises:
        Unreadable: it is denied, or taken back and nothing is concluded.
    """
    if found.denied:
        raise Unreadable("says what the answer is not")
    if found.form in ("box", "before"):
        behind = after
    elif answer_type == "choice" and (letter := _STATED_LETTER.match(after)):
        behind = after[letter.end() :]
    else:
        behind = after[max(0, after.find(answer)) + len(answer) :]
    if not taken_back(answer, behind, answer_type):
        return answer
    concluded = conclusion(behind) if answer_type == "number" else None
    if concluded is None:
        raise Unreadable("takes its answer back")
    return concluded


def last_statement(text: str, *, prefer_boxes: bool = False) -> tuple[str, bool] | None:
    """The text after the last marker of an answer, and whether it is the whole content of a box; None: no marker."""
    kind = "math" if prefer_boxes else "text"
    found = _last(_own_part(text[-TAIL:], kind), kind)
    return (found.answer, found.form == "box") if found else None


def _own_part(text: str, answer_type: str) -> str:
    """The text without a further problem that follows its answer."""
    return before_next_problem(
        text,
        _first_marker(text, answer_type),
        lambda head: is_bare_answer(head, answer_type),
        lambda head: answer_type == "number" and conclusion(head) is not None,
    )


def _first_marker(text: str, answer_type: str) -> int | None:
    """Where the first statement of an answer begins to say it."""
    markers = [_MARKER, *([_CHOSEN] if answer_type == "choice" else []), *([ABROAD] if is_abroad(text) else [])]
    found = [marker.search(text) for marker in markers]
    return min((match.end() for match in found if match), default=None)


def _last(text: str, answer_type: str) -> Statement | None:
    text = text.rstrip()
    last_line = _LAST_LINE.match(text[text.rfind("\n") + 1 :][:_REGION])
    if last_line and not last_line[1].startswith("Let's") and not _MARKER.search(last_line[0]):
        return Statement("line", last_line[1])
    markers = list(_MARKER.finditer(text))
    chosen = _CHOSEN.finditer(text) if answer_type == "choice" else ()
    abroad = ABROAD.finditer(text) if is_abroad(text) else ()
    markers = sorted([*markers, *chosen, *abroad], key=lambda marker: marker.end())
    closing = closing_braces(text) if any(_form(marker) == "box" for marker in markers) else {}
    prose: Statement | None = None
    for i in range(len(markers) - 1, -1, -1):  # from the last on, so that no more is read than is needed
        form = _form(markers[i])
        if form != "box" and prose is not None:
            continue
        found = _boxed(text, markers, i, closing) if form == "box" else _worded(text, markers[i], form, answer_type)
        if found is None:
            continue
        if form == "box" or answer_type != "math" or formula_like(trimmed(found.answer, "math")):
            return found
        prose = found
    return prose


def _form(marker: re.Match[str]) -> str:
    return next(name for name, value in marker.groupdict().items() if value and (name == "box" or name in _READERS))


def _worded(text: str, marker: re.Match[str], form: str, answer_type: str) -> Statement | None:
    """What a marker states in words; None: nothing."""
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
    if not answer.strip(_EMPTY) or answer.startswith(("Let's", "Let’s")):
        return None
    if answer_type in ("number", "math") and _CALLED_RIGHT.match(answer):
        return None
    if answer_type == "text" and form in ("says", "heading", "abbreviated"):
        line = marker.start() if form == "heading" else text.rfind("\n", 0, marker.start()) + 1
        answer = within_emphasis(text[max(line, marker.start() - _REGION) : marker.end()], answer)
    return Statement(form, answer, marker.end(), form == "says" and is_denied(before))


def _boxed(text: str, markers: list[re.Match[str]], last: int, closing: dict[int, int]) -> Statement | None:
    """The list of the boxes that end with the last one; None: it is empty or open."""
    boxes: list[Box] = []
    for i in range(last, -1, -1):
        if _form(markers[i]) != "box":
            break
        box = box_at(text, markers[i], closing)
        if not text[box.begin : min(box.finish, box.begin + _REGION)].strip(_EMPTY):
            break
        if boxes and not are_joined(text, box.end, boxes[-1].start):
            break
        boxes.append(box)
    return Statement("box", listed(text, boxes[::-1]), boxes[0].end) if boxes else None


def _said(text: str, marker: re.Match[str]) -> str:
    return text[marker.end() : marker.end() + _REGION]


def _hashed(text: str, marker: re.Match[str]) -> str:
    """The line after ``####``; a heading of Markdown is none, unless it ends the text."""
    end = text.find("\n", marker.end(), marker.end() + _REGION)
    if end < 0:
        return _said(text, marker)
    line = text[marker.end() : end]
    return "" if _HEADING.match(line) and _SOMETHING.search(text, end) else line


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
