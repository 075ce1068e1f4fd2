"""Answers that are stated by no words: a text that is nothing but one."""

from __future__ import annotations

import re

from aurify.answers.formulas import formula_like, value_of_sentence, whole_formula
from aurify.answers.math.phrases import is_phrase
from aurify.answers.polar import polar_word
from aurify.answers.reading import Unreadable
from aurify.answers.refusals import is_blank, is_remark
from aurify.answers.trimmed import first_sentence

_FEW_WORDS = 3
"""A bare text before a further problem is an answer where it has no more words."""
_FENCED = re.compile(r"\A```\w{0,10}[ \t]*\n([^`]*)\n?```\Z")
MAX_BARE = 1000
"""The longest text, in characters, that can be a bare answer."""
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
BEGINS_NUMBER = re.compile(
    r"(?:about|approximately|around|exactly|rs\.?|usd|us|inr|eur|gbp|[acs](?=\$)|(?:nz|hk|au|ca)(?=\$)|(?:minus|negative)\s)?"
    r"[\s*`\"'(\[\\$€£¥₹+−–⁻－\ufe63≈~=-]{0,20}(?:\d|\.\d|[½⅓⅔¼¾⅕-⅞]|(?:[dtc]|nice|s)?frac|(?:text|math)(?:bf|rm|it|normal)?\{|x\s{0,3}=)",
    re.IGNORECASE,
)


def bare(text: str, answer_type: str) -> str:
    """The answer that the whole text is.

    Raises:
        Unreadable: it is none, but a remark, more than a sentence, or empty.
    """
    text = _FENCED.sub(r"\1", text.strip()).strip()
    if not text:
        raise Unreadable("empty")
    if len(text) > MAX_BARE:
        raise Unreadable(f"states no answer, and is longer than {MAX_BARE} characters")
    if answer_type == "math":
        text = " ".join(text.split())
        text = whole_formula(text.rstrip(" .")) or text
    if answer_type == "number":
        if "\n" in text or not BEGINS_NUMBER.match(text):
            raise Unreadable("states no answer")
        return text
    if answer_type == "choice":
        letter = _LETTER_FIRST.match(text)
        if letter:  # the reason stands below it
            return letter[0]
        below = _LETTER_BELOW.search(text)
        if below:
            return below[1]
    sentence = first_sentence(text, answer_type)
    if answer_type == "text" and polar_word(text):  # the reason stands behind it
        return sentence
    if "\n" in text or text[len(sentence) + 1 :].strip():
        raise Unreadable("states no answer")
    says_none = answer_type == "math" and is_phrase(sentence)  # "There are no solutions."
    if (is_remark(sentence) and not says_none) or is_blank(sentence):
        raise Unreadable("states no answer")
    if answer_type == "math":
        return value_of_sentence(sentence) or sentence or text
    return sentence if sentence.strip() else text


def is_bare_answer(head: str, answer_type: str) -> bool:
    """Whether the text before a further problem is an answer that needs no words to state it."""
    if "\n" in head:
        return False
    if answer_type == "text":
        return len(head.split()) <= _FEW_WORDS and not head.endswith(":") and not is_remark(head)
    if answer_type == "math" and formula_like(head):
        return True
    return bool(BEGINS_NUMBER.match(head) or _BARE_LETTER.fullmatch(head.strip("*_")))
