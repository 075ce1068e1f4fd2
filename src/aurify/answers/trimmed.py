"""What belongs to a stated answer, of all that follows the words that state it."""

from __future__ import annotations

import re

from aurify.answers.formulas import only_formula, opening_formula, value_of_sentence

_SENTENCE_END = re.compile(r"(?<!\.)[.!?](?=\s{1,9}[A-Z(\"“*\\$]|\s*\Z)")
_ENDS = {  # beside a number, a "!" may be a factorial
    "number": re.compile(r"(?<!\.)[.?](?=\s|\Z)"),
    "math": re.compile(r"(?<!\.)[.?](?=\s{1,9}[A-Z\"“*$]|\s*\Z)"),
}
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|jr|sr|vs|inc|prof|gen|co|ltd|etc|e\.g|i\.e)|\b[A-Z])\Z", re.IGNORECASE
)
_ABBREVIATED_AMOUNT = re.compile(r"\b(?:rs|no|approx|ca|sq|cu|i\.e|mr|mrs|ms|dr|vs)\Z", re.IGNORECASE)
_NEGATED = re.compile(r"\s*(?:\w{2,12}\s)?(?:not|never)\b", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:therefore|thus|hence|then|simply|just|clearly|indeed|definitely|obviously|most likely|given by|equal to)"
    r"[,:]?\s{1,3}",
    re.IGNORECASE,
)


def trimmed(answer: str, answer_type: str) -> str:
    """The answer without what follows it in the text, and without the words that lead to it."""
    answer = answer.lstrip() if answer_type == "text" else answer.lstrip(" *_\n")
    if answer_type in ("number", "choice", "math"):
        answer = _LEAD.sub("", answer, count=1) if _LEAD.match(answer) else answer
    return _math_part(answer) if answer_type == "math" else first_sentence(answer, answer_type)


def first_sentence(text: str, answer_type: str) -> str:
    """The text up to the end of its first sentence or line, by answer type."""
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
    sentence = first_sentence(text, "math")
    if _NEGATED.match(sentence):
        return sentence
    return only_formula(sentence) or value_of_sentence(sentence) or sentence
