"""A conclusion that states a number: ``Therefore, Faye has 194 pencils.`` as the last sentence of a text.

Models that are asked to say "the answer is" forget it now and then, and conclude in a sentence of their own. It counts
where it is the last one, begins with a word that draws a conclusion, asserts, and holds one number, or ends in the
value of a sum: ``Thus, there are 2 + 1 + 1 = 4 animals.`` Two numbers, number words, a condition, a doubt, a bound or a
question make it no answer. So it is no "last number of the text", which rightness by chance would follow.
"""

from __future__ import annotations

import re

from aurify.answers.units import is_unit

LONGEST_CONCLUSION = 400
"""Characters of a conclusion, at most."""
_DRAWN = re.compile(
    r"(?:\A|[.!?:;]['\")*_\]]{0,3}\s{1,3}|\n)[\s*_#>-]{0,6}(?:\d{1,2}[.)]\s{1,3})?(?:and\s)?"
    r"(?:so|therefore|thus|hence|consequently|as\sa\sresult|in\s(?:total|all|conclusion)|altogether|overall"
    r"|(?:we|you|I)\s(?:can\s)?conclude\sthat|it\sfollows\sthat|th(?:is|at)\smeans(?:\sthat)?)\b",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:not|no|never|none|cannot|neither|nor|if|whether|unless|assum\w*|suppos\w*|maybe|perhaps|might|may|or|either"
    r"|at\s(?:least|most)|up\sto|between|wrong|incorrect|verify|check|(?:more|less|fewer|greater|larger|smaller)\sthan\s"
    r"[$€£]?\s?\d)\b|n['’]t\b|\?\s*\Z|:\s*\Z",
    re.IGNORECASE,
)
_WORDS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty"
    r"|hundreds?|thousands?|millions?|billions?|dozens?|half|halves|thirds?|quarters?|twice|thrice|doubled?|tripled?)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"(?P<sign>(?<![\w)\]])[-−–])?(?P<currency>[$€£¥₹]\s?)?(?P<amount>\d[\d,]*(?:\.\d+)?(?:\s?/\s?\d+)?)"
    r"(?P<behind>\s?%|\s?\w+)?"
)
_INSIDE = re.compile(r"[A-Za-z_.]\Z|[\^*/×÷+]\s?\Z|[\w)]\s?[-−–]\s?\Z")
_GOES_ON = re.compile(r"\s?[\^*/×÷+=:!\\]|\s?[-−–]\s?[\d(]|[\d.,]\d")
_FACTOR = re.compile(r"\w|\s[b-zB-Zπ]\Z")
"""Letters that stand at a number, or one letter behind it: ``5th``, ``5k``, ``5x``."""
_MARKS = re.compile(r"\*\*|__|`|\\[()\[\]]|\\text(?:bf|it)?\b|(?<=\d)\\(?=%)|(?<!\w)\$(?=\s?[(\\-])|(?<=[\d)])\$|[{}]")
_SENTENCE = re.compile(r"(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bMrs)(?<!\bSt)[.!?]['\")]{0,2}\s+(?=[A-Z\\(\d])")


def conclusion(text: str) -> str | None:
    """The number that the last sentence concludes, with its unit; None where it does not, or not surely."""
    text = text.rstrip()
    end = text[-LONGEST_CONCLUSION:]
    drawn = list(_DRAWN.finditer(end))
    if not drawn or (len(end) < len(text) and drawn[-1].start() == 0):  # perhaps cut within a word
        return None
    sentence = _MARKS.sub("", end[drawn[-1].end() :]).strip()
    if "\n" in sentence or _SENTENCE.search(sentence) or _DOUBT.search(sentence) or _WORDS.search(sentence):
        return None
    before, equals, value = sentence.rpartition("=")
    if equals and re.search(r"=.*[A-Za-z]{2}", before):  # two equations, not a chain of one
        return None
    return _only_amount(value.strip() if equals else sentence, first=bool(equals))


def _only_amount(sentence: str, *, first: bool) -> str | None:
    """The one number of a sentence; ``first``: it must begin with it."""
    found = list(_AMOUNT.finditer(sentence))
    if len(found) != 1:
        return None
    (one,) = found
    before, end = sentence[: one.start()], one.end("amount")
    word = (one["behind"] or "").strip()
    if (first and before.strip(" (≈~")) or _INSIDE.search(before):
        return None
    if _GOES_ON.match(sentence[end:]) or (_FACTOR.match(one["behind"] or "") and not is_unit(word)):
        return None
    sign = "-" if one["sign"] else ""
    amount = f"{sign}{(one['currency'] or '').strip()}{one['amount']}"
    return f"{amount}%" if word == "%" else f"{amount} {word}" if is_unit(word) and word != "in" else amount
