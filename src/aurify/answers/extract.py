"""Finds the last stated answer of a rationale.

An answer is stated in one of these forms, and the last one counts: ``So the answer is X.``, ``Answer: X``,
``Final answer - X``, a heading ``### Final Answer`` with the answer below it, ``{"answer": X}``, ``#### X`` (GSM8K's
gold), ``\\boxed{X}`` (braces counted), and a last line ``A: X`` (GSM8K's model solutions); for choices also ``The
correct option is X`` and ``Option X is correct``. An empty one is passed over. For ``math`` a box wins over the other
forms, as MATH's own graders have it, unless a formula is stated as the answer behind it. Boxes that are joined
(``\\boxed{3} and \\boxed{5}``) are one list.

What follows the answer is cut off: a further problem that the model set itself (``turns``), then, by answer type,
everything after the first sentence or line. BIG-Bench Hard answers hold spaces and commas, so a text answer runs up to
the sentence's full stop.

A text that states none of these is itself the answer only where it is bare: one line of one sentence that is no
remark of the writer (``I do not know.``), which for a number begins with the number. There is no last resort such as
"the last number in the text": right answers that nobody stated make spurious memory, which stays until it is replaced.

Every step is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from aurify.answers.formulas import formula_like, only_formula, opening_formula, value_of_sentence
from aurify.answers.reading import MAX_ANSWER, Unreadable
from aurify.answers.refusals import is_blank, is_remark
from aurify.answers.turns import before_next_problem
from aurify.parsing import parse_json

TAIL = 100_000
"""The characters at the end of a text that are searched."""
_FEW_WORDS = 3
"""A bare text before a further problem is an answer where it has no more words."""
MAX_BARE = 1000
"""The longest text, in characters, that can be a bare answer."""
_REGION = 2 * MAX_ANSWER
"""Characters after a marker that are looked at."""

_MARKER = re.compile(
    r"(?P<heading>^[#*_ \t>]{0,10}(?:the\s|my\s)?(?:final\s|correct\s)?answer[*_: \t]{0,6}\n\s{0,20})"
    r"|(?P<json>[\"'](?:(?:final|correct|selected|chosen|predicted|best|my)[_ ]?)?"
    r"(?:(?:answer|choice|option)(?:[_ ](?:choice|option|letter|value|text))?|prediction|selected)[\"']\s{0,3}:\s{0,3})"
    r"|(?P<says>\b(?:answers?|ans(?=\s?[:=]))(?:\s(?:choice|option)|\sto\s(?:the|this)\s(?:question|problem))?[*_`]{0,3}"
    r"(?:\s\([^()\n]{1,40}\)|\sin\s[a-z]{1,12})?[*_`]{0,3}"
    r"(?:\s{0,2}(?:(?:is|are|(?:would|should|must|will)\sbe)\b|[=-]>|→|[:=]\}?)|\s(?:--|[-–—])\s|—|\s{0,2}(?=\$\$|\\\[))"
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
_DOUBT = re.compile(
    r"\b(?:not|no|never|neither|nor|if|whether|unless|either|only|why|suppose|assume|false|wrong|incorrect|think|"
    r"maybe|perhaps|could|might|may)\b|n['’]t\b",
    re.IGNORECASE,
)
_LAST_LINE = re.compile(r"^A:[ \t]*(\S[^\n]*)$")
_EMPTY = " \t\n.*`$"
_HEADING = re.compile(r"\d{1,3}[.):]?\s+[A-Za-z]|[A-Za-z*]")
_SOMETHING = re.compile(r"\S")
_TOKEN = re.compile(r"[^\s$.,\\]+")
_BRACE = re.compile(r"\\?[{}]")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_JSON_LIST = re.compile(r"\[([^\[\]{}]*)\]")
_BARE_LETTER = re.compile(r"\(?[A-Za-z]\)?\.?")
_LETTER_FIRST = re.compile(
    r"[*_]{0,3}\(?[A-Z][).:]{0,2}[*_]{0,3}(?=[ \t]*\n)"
    r"|[*_]{0,3}(?:\([A-Z]\)[ \t][^\n]{1,200}|[A-Z][.):][ \t][^\n]{1,200})(?=[ \t]*\n\s*\n)"
)
_LETTER_BELOW = re.compile(
    r"^(?:\#{1,6}[ \t][^\n]{1,60}|\*\*[^\n*]{1,60}\*\*:?)[ \t]*\n\s{0,9}"
    r"((?:\*\*)?\(?[A-Z]\)?[.):]?(?:\*\*)?|\*\*\(?[A-Z][.):]{1,2}[ \t][^\n*]{1,200}\*\*)\s*\Z",
    re.MULTILINE,
)
"""A heading, and nothing below it but a letter."""
_SENTENCE_END = re.compile(r"(?<!\.)[.!?](?=\s{1,9}[A-Z(\"“*\\$]|\s*\Z)")
_ENDS = {  # beside a number, a "!" may be a factorial
    "number": re.compile(r"(?<!\.)[.?](?=\s|\Z)"),
    "math": re.compile(r"(?<!\.)[.?](?=\s{1,9}[A-Z\"“*$]|\s*\Z)"),
}
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|jr|sr|vs|inc|prof|gen|co|ltd|etc|e\.g|i\.e)|\b[A-Z])\Z", re.IGNORECASE
)
_ABBREVIATED_AMOUNT = re.compile(r"\b(?:rs|no|approx|ca|sq|cu|i\.e|mr|mrs|ms|dr|vs)\Z", re.IGNORECASE)
_BEGINS_NUMBER = re.compile(
    r"(?:about|approximately|around|rs\.?|usd|us)?[\s*`(\\$€£¥₹+−–⁻－-]{0,20}(?:\d|\.\d|[½⅓⅔¼¾⅕-⅞]|d?frac|text\{|x\s{0,3}=)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:therefore|thus|hence|then|simply|just|clearly|indeed|definitely|obviously|most likely|given by|equal to)"
    r"[,:]?\s{1,3}",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"(?:[\s,$;]|\\[,;! ()\[\]]|\\q?quad|~|and\b|or\b|\\(?:text|mbox|textrm|mathrm)\{\s?(?:and|or|,)\s?\}"
    r"|[a-zA-Z](?:_\{?\w\}?)?\s?=)*"
)
_JOINS = re.compile(r"[,;]|\band\b|\bor\b|quad")
_LONGEST_JOINT = 60


@dataclass(frozen=True)
class Statement:
    """How an answer is stated, and the text that holds it."""

    form: str
    answer: str


def stated(text: str, answer_type: str) -> str:
    """The last stated answer, as it stands in the text, without what follows it.

    Raises:
        Unreadable: the text states no answer, or a too long one, or says that it has none.
    """
    text = _own_part(text[-TAIL:], answer_type)
    found = _last(text, answer_type)
    if found is None:
        answer = _bare(text, answer_type)
    elif found.form in ("box", "before", "json"):
        answer = found.answer
    else:
        answer = _trimmed(found.answer, answer_type)
    if len(answer) > MAX_ANSWER:
        raise Unreadable(f"the stated answer is longer than {MAX_ANSWER} characters")
    return answer.strip()


def last_statement(text: str, *, prefer_boxes: bool = False) -> tuple[str, bool] | None:
    """The text after the last marker of an answer, and whether it is the whole content of a box; None: no marker."""
    kind = "math" if prefer_boxes else "text"
    found = _last(_own_part(text[-TAIL:], kind), kind)
    return (found.answer, found.form == "box") if found else None


def _own_part(text: str, answer_type: str) -> str:
    """The text without a further problem that follows its answer."""
    return before_next_problem(text, _first_marker(text, answer_type), lambda head: _is_bare_answer(head, answer_type))


def _first_marker(text: str, answer_type: str) -> int | None:
    """Where the first statement of an answer begins to say it."""
    found = [marker.search(text) for marker in ((_MARKER, _CHOSEN) if answer_type == "choice" else (_MARKER,))]
    return min((match.end() for match in found if match), default=None)


def _last(text: str, answer_type: str) -> Statement | None:
    text = text.rstrip()
    last_line = _LAST_LINE.match(text[text.rfind("\n") + 1 :][:_REGION])
    if last_line and not last_line[1].startswith("Let's") and not _MARKER.search(last_line[0]):
        return Statement("line", last_line[1])
    markers = list(_MARKER.finditer(text))
    if answer_type == "choice":
        markers = sorted([*markers, *_CHOSEN.finditer(text)], key=lambda marker: marker.end())
    closing = _closing_braces(text) if any(_form(marker) == "box" for marker in markers) else {}
    prose: Statement | None = None
    for i in range(len(markers) - 1, -1, -1):  # from the last on, so that no more is read than is needed
        form = _form(markers[i])
        if form != "box" and prose is not None:
            continue
        found = _boxed(text, markers, i, closing) if form == "box" else _worded(text, markers[i], form, answer_type)
        if found is None:
            continue
        if form == "box" or answer_type != "math" or formula_like(_trimmed(found.answer, "math")):
            return found
        prose = found
    return prose


def _form(marker: re.Match[str]) -> str:
    return next(name for name, value in marker.groupdict().items() if value and (name == "box" or name in _READERS))


def _worded(text: str, marker: re.Match[str], form: str, answer_type: str) -> Statement | None:
    """What a marker states in words; None: nothing."""
    answer = _READERS[form](text, marker)
    if form == "heading" and answer_type == "number" and not _BEGINS_NUMBER.match(answer):
        return None
    if not answer.strip(_EMPTY) or answer.startswith(("Let's", "Let’s")):
        return None
    return Statement(form, answer)


def _boxed(text: str, markers: list[re.Match[str]], last: int, closing: dict[int, int]) -> Statement | None:
    """The list of the boxes that end with the last one; None: it is empty or open."""
    boxes: list[_Box] = []
    for i in range(last, -1, -1):
        if _form(markers[i]) != "box":
            break
        box = _box(text, markers[i], closing)
        if not text[box.begin : min(box.finish, box.begin + _REGION)].strip(_EMPTY):
            break
        if boxes and not _are_joined(text, box.end, boxes[-1].start):
            break
        boxes.append(box)
    return Statement("box", _listed(text, boxes[::-1])) if boxes else None


@dataclass(frozen=True)
class _Box:
    """Where a box starts and ends, and where its content does."""

    start: int
    begin: int
    finish: int
    end: int


def _box(text: str, marker: re.Match[str], closing: dict[int, int]) -> _Box:
    """A box by its braces; ``\\boxed 2$`` holds a token; an open one nothing."""
    start = marker.end()
    if not text.startswith("{", start):
        token = _TOKEN.match(text, start)
        end = token.end() if token else start
        return _Box(marker.start(), start, end, end)
    finish = closing.get(start, start + 1)
    return _Box(marker.start(), start + 1, finish, finish + 1)


def _closing_braces(text: str) -> dict[int, int]:
    """Where every brace that is closed is closed."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif brace[0] == "}" and opened:
            found[opened.pop()] = brace.start()
    return found


def _are_joined(text: str, end: int, start: int) -> bool:
    """Whether nothing but a comma, an "and" or a name stands between two boxes of one list."""
    if not 0 <= start - end <= _LONGEST_JOINT:
        return False
    between = text[end:start]
    return between.count("\n") < 2 and bool(_JOINT.fullmatch(between)) and bool(_JOINS.search(between))


def _listed(text: str, boxes: list[_Box]) -> str:
    listed = ", ".join(dict.fromkeys(text[box.begin : box.finish].strip() for box in boxes))
    pair = len(boxes) > 1 and text.endswith("(", 0, boxes[0].start) and text.startswith(")", boxes[-1].end)
    return f"({listed})" if pair else listed


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
        listed = _JSON_LIST.match(value)
        items = [item.strip().strip("\"'") for item in listed[1].split(",")] if listed else []
        return ", ".join(items) if listed else re.split(r"[,}\n]", value, maxsplit=1)[0]
    try:
        decoded: str = parse_json(string[0])
    except ValueError:  # LaTeX whose backslashes nobody escaped
        return string[0][1:-1]
    return string[0][1:-1] if any(ord(c) < 32 for c in decoded) else decoded


def _before(text: str, marker: re.Match[str]) -> str:
    """The option that is called correct, where no doubt is said with it."""
    clause = re.split(r"[.!?;\n]|,\s(?:so|hence|thus|therefore)\b", text[max(0, marker.start() - 80) : marker.start()])[
        -1
    ]
    if _DOUBT.search(clause) or text[marker.end() : marker.end() + 3].lstrip(" )*_").startswith("?"):
        return ""
    return marker["named"] or marker["letter"] or marker["bare"]


_READERS: dict[str, Callable[[str, re.Match[str]], str]] = {
    "heading": _said,
    "abbreviated": _said,
    "says": _said,
    "json": _quoted,
    "hash": _hashed,
    "before": _before,
}


def _trimmed(answer: str, answer_type: str) -> str:
    """The answer without what follows it in the text, and without the words that lead to it."""
    answer = answer.lstrip() if answer_type == "text" else answer.lstrip(" *_\n")
    if answer_type in ("number", "choice", "math"):
        answer = _LEAD.sub("", answer, count=1) if _LEAD.match(answer) else answer
    return _math_part(answer) if answer_type == "math" else _first_sentence(answer, answer_type)


def _first_sentence(text: str, answer_type: str) -> str:
    displayed = opening_formula(text.lstrip()) if text.lstrip().startswith(("$$", "\\[")) else None
    line = (displayed or text).lstrip().partition("\n")[0]
    abbreviation = _ABBREVIATED_AMOUNT if answer_type in _ENDS else _ABBREVIATION
    for end in _ENDS.get(answer_type, _SENTENCE_END).finditer(line):
        if abbreviation.search(line[max(0, end.start() - 8) : end.start()]) and line[end.end() :].strip():
            continue
        asked = answer_type != "text" and end[0] == "?"  # "D?" is a question, which the reader refuses
        return line[: end.end() if asked else end.start()]
    return line


def _math_part(text: str) -> str:
    """The formula where the statement begins with one, or holds just one and no other digits; else the sentence."""
    opening = opening_formula(text.lstrip(" *\n"))
    if opening is not None:
        return opening
    sentence = _first_sentence(text, "math")
    return only_formula(sentence) or value_of_sentence(sentence) or sentence


def _bare(text: str, answer_type: str) -> str:
    text = text.strip()
    if not text:
        raise Unreadable("empty")
    if len(text) > MAX_BARE:
        raise Unreadable(f"states no answer, and is longer than {MAX_BARE} characters")
    if answer_type == "math":
        text = " ".join(text.split())
    if answer_type == "number":
        if "\n" in text or not _BEGINS_NUMBER.match(text):
            raise Unreadable("states no answer")
        return text
    if answer_type == "choice":
        letter = _LETTER_FIRST.match(text)
        if letter:  # the reason stands below it
            return letter[0]
        below = _LETTER_BELOW.search(text, max(0, len(text) - _REGION))
        if below:
            return below[1]
    sentence = _first_sentence(text, answer_type)
    if "\n" in text or text[len(sentence) + 1 :].strip():
        raise Unreadable("states no answer")
    if is_remark(sentence) or is_blank(sentence):
        raise Unreadable("states no answer")
    if answer_type == "math":
        return value_of_sentence(sentence) or sentence or text
    return sentence if sentence.strip() else text


def _is_bare_answer(head: str, answer_type: str) -> bool:
    """Whether the text before a further problem is an answer that needs no words to state it."""
    if "\n" in head:
        return False
    if answer_type == "text":
        return len(head.split()) <= _FEW_WORDS and not head.endswith(":") and not is_remark(head)
    if answer_type == "math" and formula_like(head):
        return True
    return bool(_BEGINS_NUMBER.match(head) or _BARE_LETTER.fullmatch(head.strip("*_")))
