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

from aurify.answers.bare import bare, is_bare_answer
from aurify.answers.boxes import Box, are_joined, box_at, closing_braces, listed
from aurify.answers.conclusion import conclusion
from aurify.answers.formulas import formula_like
from aurify.answers.json_reply import json_answer
from aurify.answers.reading import MAX_ANSWER, Unreadable
from aurify.answers.statements import EMPTY, MARKER, REGION, Statement, patterns_of, worded
from aurify.answers.taken_back import taken_back
from aurify.answers.trimmed import trimmed
from aurify.answers.turns import before_next_problem

_TAIL = 100_000
"""The characters at the end of a text that are searched."""

_STATED_LETTER = re.compile(r"[\s*_(\[`$]{0,8}(?:(?:option|choice)\s[*_(]{0,3})?[A-Za-z](?![\w'’])")
_LAST_LINE = re.compile(r"^A:[ \t]*(\S[^\n]*)$")


def stated(text: str, answer_type: str) -> str:
    """The last stated answer, as it stands in the text, without what follows it.

    Raises:
        Unreadable: the text states no answer, or a too long one, or says that it has none.
    """
    text = _own_part(text[-_TAIL:], answer_type)
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


def last_statement(text: str) -> str | None:
    """The text after the last marker of an answer; None: no marker."""
    found = _last(_own_part(text[-_TAIL:], "text"), "text")
    return found.answer if found else None


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
    found = [pattern.search(text) for pattern in patterns_of(text, answer_type)]
    return min((match.end() for match in found if match), default=None)


def _last(text: str, answer_type: str) -> Statement | None:
    text = text.rstrip()
    last_line = _LAST_LINE.match(text[text.rfind("\n") + 1 :][:REGION])
    if last_line and not last_line[1].startswith("Let's") and not MARKER.search(last_line[0]):
        return Statement("line", last_line[1])
    found = [marker for pattern in patterns_of(text, answer_type) for marker in pattern.finditer(text)]
    markers = sorted(found, key=lambda marker: marker.end())
    closing = closing_braces(text) if any(marker.lastgroup == "box" for marker in markers) else {}
    prose: Statement | None = None
    for i in range(len(markers) - 1, -1, -1):  # from the last on, so that no more is read than is needed
        is_box = markers[i].lastgroup == "box"
        if not is_box and prose is not None:
            continue
        said = _boxed(text, markers, i, closing) if is_box else worded(text, markers[i], answer_type)
        if said is None:
            continue
        if is_box or answer_type != "math" or formula_like(trimmed(said.answer, "math")):
            return said
        prose = said
    return prose


def _boxed(text: str, markers: list[re.Match[str]], last: int, closing: dict[int, int]) -> Statement | None:
    """The list of the boxes that end with the last one; None: it is empty or open."""
    boxes: list[Box] = []
    for i in range(last, -1, -1):
        if markers[i].lastgroup != "box":
            break
        box = box_at(text, markers[i], closing)
        if not text[box.begin : min(box.finish, box.begin + REGION)].strip(EMPTY):
            break
        if boxes and not are_joined(text, box.end, boxes[-1].start):
            break
        boxes.append(box)
    return Statement("box", listed(text, boxes[::-1]), boxes[0].end) if boxes else None
