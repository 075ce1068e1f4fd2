"""Finds the last stated answer of a rationale.

An answer is stated in one of these forms, and the last one counts:
``So the answer is X.``, ``The answer is X.``, ``Answer: X``, ``#### X`` (GSM8K's gold), ``\\boxed{X}`` (braces
counted), and a last line ``A: X`` (GSM8K's model solutions). An empty one is passed over. For ``math`` the last box
wins over the other forms, as MATH's own graders have it.

What follows the answer is cut off: a further question that the model asked itself (``Q:``, ``Question:``), then, by
answer type, everything after the first sentence or line. BIG-Bench Hard answers hold spaces and commas, so a text
answer runs up to the sentence's full stop.

A text that states none of these is itself the answer only where it is bare: one line of one sentence, which for a
number begins with the number. There is no last resort such as "the last number in the text": right answers that
nobody stated make spurious memory, which stays until it is replaced.
"""

from __future__ import annotations

import re

from aurify.answers.reading import MAX_ANSWER, Unreadable

TAIL = 100_000
"""Only so many characters at the end of a text are searched."""
MAX_BARE = 1000
"""The longest text, in characters, that can be a bare answer."""

_MARKER = re.compile(
    r"\banswer(?:\s(?:choice|option)|\sto\s(?:the|this)\s(?:question|problem))?[*_`]{0,3}\s{0,2}"
    r"(?:is\b|[:=])[*_`]{0,3}[:\s]{0,6}|####[ \t]*|\\f?boxed\s*",
    re.IGNORECASE,
)
_LAST_LINE = re.compile(r"^A:[ \t]*(\S[^\n]*)$")
_NEXT_QUESTION = re.compile(r"(?<![A-Za-z0-9])(?:Q|Question)\s?:")
_SENTENCE_END = re.compile(r"(?<!\.)[.!?](?=\s+[A-Z(\"“*\\$]|\s*$)")
_ENDS = {  # beside a number, a "!" may be a factorial
    "number": re.compile(r"(?<!\.)[.?](?=\s|$)"),
    "math": re.compile(r"(?<!\.)[.?](?=\s+[A-Z\"“*$]|\s*$)"),
}
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|jr|sr|vs|inc|prof|gen|co|ltd|etc|e\.g|i\.e)|\b[A-Z])$", re.IGNORECASE
)
_MATH = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$((?:\\.|[^$\\])+)\$|\\\[(.+?)\\\]|\\\((.+?)\\\)", re.DOTALL)
_BEGINS_NUMBER = re.compile(r"[\s*`(\\$€£¥₹+−–-]*(?:\d|\.\d|d?frac|x\s*=)")


def stated(text: str, answer_type: str) -> str:
    """The last stated answer, as it stands in the text, without what follows it.

    Raises:
        Unreadable: the text states no answer, or a too long one.
    """
    found = last_statement(text, prefer_boxes=answer_type == "math")
    if found is None:
        return _bare(text, answer_type)
    answer, boxed = found
    if not boxed:
        answer = _math_part(answer) if answer_type == "math" else _first_sentence(answer, answer_type)
    if len(answer) > MAX_ANSWER:
        raise Unreadable(f"the stated answer is longer than {MAX_ANSWER} characters")
    return answer.strip()


def last_statement(text: str, *, prefer_boxes: bool = False) -> tuple[str, bool] | None:
    """The text after the last marker of an answer, and whether it is the whole content of a box; None: no marker.

    With ``prefer_boxes`` the last box wins over whatever else the text says of an answer.
    """
    text = text[-TAIL:]
    markers = list(_MARKER.finditer(text))
    if markers:
        further = _NEXT_QUESTION.search(text, markers[0].end())
        if further:
            text = text[: further.start()]
            markers = [marker for marker in markers if marker.end() <= len(text)]
    text = text.rstrip()
    last_line = _LAST_LINE.match(text[text.rfind("\n") + 1 :])
    if last_line and not last_line[1].startswith("Let's") and not _MARKER.search(last_line[0]):
        return last_line[1], False
    markers.reverse()
    if prefer_boxes:
        markers.sort(key=lambda marker: "boxed" not in marker[0])
    for marker in markers:
        boxed = "boxed" in marker[0]
        answer = _box(text, marker.end()) if boxed else text[marker.end() :]
        if marker[0].startswith("####"):
            answer = answer.partition("\n")[0]
        if answer.strip(" \t\n.*`$") and not answer.startswith(("Let's", "Let’s")):
            return answer, boxed
    return None


def _box(text: str, start: int) -> str:
    """The content of a box whose brace opens at ``start``; ``\\boxed 2$`` holds a token; an open one nothing."""
    if not text.startswith("{", start):
        token = re.compile(r"[^\s$.,\\]+").match(text, start)
        return token[0] if token else ""
    depth = 0
    for brace in re.compile(r"\\?[{}]").finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[start + 1 : brace.start()]
    return ""


def _first_sentence(text: str, answer_type: str) -> str:
    line = text.lstrip().partition("\n")[0]
    for end in _ENDS.get(answer_type, _SENTENCE_END).finditer(line):
        abbreviated = answer_type not in _ENDS and _ABBREVIATION.search(line[: end.start()])
        if abbreviated and line[end.end() :].strip():
            continue
        return line[: end.start()]
    return line


def _math_part(text: str) -> str:
    """The formula where the statement begins with one, or holds just one and no other digits; else the sentence."""
    opening = _MATH.match(text.lstrip(" *"))
    if opening:
        return next(group for group in opening.groups() if group)
    sentence = _first_sentence(text, "math")
    formulas = list(_MATH.finditer(sentence))
    if len(formulas) == 1 and not re.search(r"\d", _MATH.sub("", sentence)):
        return next(group for group in formulas[0].groups() if group)
    return sentence


def _bare(text: str, answer_type: str) -> str:
    text = text.strip()
    if not text:
        raise Unreadable("empty")
    if len(text) > MAX_BARE:
        raise Unreadable(f"states no answer, and is longer than {MAX_BARE} characters")
    if answer_type == "math":
        text = " ".join(text.split())
    further = _NEXT_QUESTION.search(text)
    line = (text[: further.start()] if further else text).strip()
    if answer_type == "number":
        if "\n" in line or not _BEGINS_NUMBER.match(line):
            raise Unreadable("states no answer")
        return line
    sentence = _first_sentence(line, answer_type)
    if "\n" in line or line[len(sentence) + 1 :].strip():
        raise Unreadable("states no answer")
    return sentence if sentence.strip() else line
