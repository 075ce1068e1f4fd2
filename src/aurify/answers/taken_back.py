"""Whether what follows a stated answer takes it back: ``The answer is 5. Wait, that's wrong. It should be 6.``

It does where the next words call it wrong, where the writer owns up to an error, or where it begins to doubt and does
not end by confirming. A doubt is ``No,`` or ``Actually,`` or ``Let me recheck`` next, or a later sentence that begins
with ``Wait,`` or ``Hmm,``. A confirmation counts for what was stated only: ``So it is 6. Yes, 6.`` confirms no 5. What
merely checks (``Let me verify: 2 + 3 = 5.``) or speaks of other options takes nothing back.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from aurify.answers.polar import polar_word

_REGION = 4000
"""Characters behind a statement that are looked at."""
_NEXT = r"[\s.,;:!?…*_$`)\]}>\\\"'”’—–-]{0,40}(?:(?:but|however|oh|ah|well|ok(?:ay)?|so|and)\b[\s.,…!—–-]{1,4}){0,3}"
_IS = r"(?:['’]s|\s(?:is|was|must\sbe|seems|looks))(?:\s(?:actually|clearly|obviously|still|also))?\s"
_WRONG = (
    r"(?:(?:all\s)?(?:wrong|incorrect)|an?\s(?:mistake|error)|not\s(?:quite\s)?(?:right|correct))\b(?!\s(?:to|that)\b)"
)
_FALSE = (
    r"(?:false|impossible|nonsense|extraneous|not\s(?:true|possible|valid)|too\s(?:high|low|big|large|small))\b"
    r"(?!\s(?:to|that)\b)"
)
_NOT = r"(?:\s(?:is|does|ca)n['’]t|['’]s\snot|\s(?:is|does|can)\snot|\scannot)\s(?:be\s)?(?:quite\s|seem\s|look\s)?"
_CALLED_WRONG = re.compile(
    rf"{_NEXT}(?:that|which|my\sanswer)(?:{_IS}{_WRONG}|{_NOT}(?:right|correct)\b(?!\sto\b))", re.IGNORECASE
)
_CALLED_FALSE = re.compile(
    rf"{_NEXT}(?:that|this|it|which|this\s\w{{3,9}})(?:{_IS}(?:{_WRONG}|{_FALSE})"
    rf"|{_NOT}(?:right|correct|possible|valid|match|work|make\ssense|add\sup)\b(?!\sto\b)"
    r"|\s(?:should|must)\s(?:actually\s|really\s)?(?:be|have\sbeen)\b(?=\s\S{0,3}\d))",
    re.IGNORECASE,
)
"""Of a number or formula; words may themselves be what is called false."""
_NO = re.compile(rf"{_NEXT}(?:no(?:[,!;—]|\.(?=\s|\Z)|\s[–-]|\swait\b)|nope\b)", re.IGNORECASE)
_NO_BUT_LETTER = re.compile(
    rf"{_NEXT}no[,.!;—–-]*\s{{0,3}}(?:(?:wait|actually|sorry|rather)\b,?\s)?"
    r"(?:(?:it|that)(?:['’]?s|\s(?:is|must\sbe|should\sbe))\s)?(?:option\s)?(?-i:\([A-Z]\)|[A-Z])(?=[.,!;:]|\s*\Z)",
    re.IGNORECASE,
)
"""``No, it's B.``: an option may itself read ``No, because ...``"""
_DOUBTED = re.compile(
    rf"{_NEXT}(?:actually(?!,?\s(?:we|you|one)\b)(?=,|\s(?:it|that|this|the|I|no|not|let|my)\b)"
    r"|(?:correction|or\srather|rather|I\smean|sorry|apologies|never\s?mind)(?=\s?[,.:;!—–-]|\sfor\b|\s?\Z)"
    r"|my\s(?:bad|mistake|error|apologies)\b|I\sapologi[sz]e\b"
    r"|let(?:\s(?:me|us)|['’]?s)\s(?:re-?\s?(?:check|think|consider|examine|calculate|compute|do|count|evaluate|read|work)"
    r"|correct|fix|(?:try|start|check|do\s(?:that|this|it)|think)\s(?:again|over))\b)",
    re.IGNORECASE,
)
_HESITATES = re.compile(
    r"(?:\A|[.!?…:;,)\]}*$\n—–-])[\s*_(\"']{0,9}(?:(?:but|oh|ah|no|ok(?:ay)?|and|so)\b[\s,.!—–-]{1,4}){0,2}"
    r"(?:wait|hold\son|hang\son|hmm+|oops|on\s(?:second\sthoughts?|reflection)|scratch\sthat)"
    r"(?=\s?[,.!?…:;—–-]|\s(?:an?\s(?:minute|moment|second|sec)|no|that|this|I|it|let|actually|what|maybe|is|if)\b"
    r"|\s*\Z)",
    re.IGNORECASE,
)
_FAILED_CHECK = re.compile(
    rf"{_NEXT}(?:verification|(?:to\s|let(?:\s(?:me|us)|['’]?s)\s)?(?:double[\s-]?)?(?:check|verify|test|confirm))\b[^\n]{{0,400}}?"
    rf"\b(?:that|this|which)(?:{_IS}{_WRONG}|\sdoes(?:\snot|n['’]t)\s(?:match|work|check\sout|add\sup|hold)\b)",
    re.IGNORECASE,
)
_OWN_ERROR = re.compile(
    r"(?<!if\s)(?<!whether\s)(?<!unless\s)\b(?:I|we)(?:['’]ve|\s(?:have|(?:must|may|might)\shave|can|now|just)){0,2}\s"
    r"(?:made|spotted|found|noticed|see|realized?|realised?)\s(?:an?|the|my|our|another|some)\s(?:\w{1,20}\s){0,2}?"
    r"(?:error|mistake|slip|miscalculation)s?\b"
    r"|\bthere\s(?:is|was|must\sbe)\san?\s(?:error|mistake)\sin\s(?:my|our|the\sabove)\b"
    r"|\bI\s(?:miscalculated|miscounted|misread|was\swrong)\b",
    re.IGNORECASE,
)
_CORRECTED = re.compile(
    rf"\b(?:that|this|it|which|my\sanswer)(?:(?:['’]s|\s(?:is|was))\s(?:{_WRONG}|{_FALSE})|\sshould\s(?:actually\s)?(?:be|have\sbeen)\b)"
    r"|\b(?:I|we)\s(?:forgot|missed|overlooked|misread)\b",
    re.IGNORECASE,
)
_CONFIRMED = re.compile(
    r"\b(?:yes|yep|yeah|yup|indeed|ok(?:ay)?|good|great)\b(?=\s?[,.!:;—–-]|\s?\Z|\s(?:it|that|this|the)\b)"
    r"|(?:\b(?:is|was|are|looks?|seems?)|['’]s)\s(?:all\s|indeed\s|actually\s|still\s|in\sfact\s)?"
    r"(?:correct|right|fine|valid|consistent|the\ssame)\b(?!\s(?:answer|value|result|one|to)\b)"
    r"|\A\W{0,3}(?:correct|right)\s?[.!,]|[✓✔✅☑]"
    r"|\b(?:confirms?|confirmed|verified|checks\sout|it\sworks|works\sout|match(?:es)?|agrees|stands|holds|same\sas\sbefore)\b",
    re.IGNORECASE,
)
_NOT_CONFIRMED = re.compile(r"\b(?:not|if|whether)\b|n['’]t\b|\?\s*\Z", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_LETTER = re.compile(r"(?<![\w'’])(?:[B-HJ-Z](?![\w'’])|[AI](?=\s?[.,;:!?)]|\s(?:is|was)\b|\s*\Z))")
_NAME = re.compile(r"(?:(?<=[a-z,:]\s)|(?<=[{*“]))[A-Z][\w'’-]+")
_POLAR = re.compile(r"\b(?:yes|no|true|false)\b")
_RESULT = re.compile(r"=\s?[$*\\({]{0,4}(\d+(?:,\d{3})*(?:\.\d+)?)(?![\d.]*\d)[^\d=]*\Z")
_EQUAL_SIDES = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s?=\s?\1(?![\d.]*\d)")
_NEGATIVE = re.compile(r"\W*(?:no|not|none|never|false|invalid|incorrect|wrong)\b", re.IGNORECASE)


def taken_back(answer: str, behind: str, answer_type: str) -> bool:
    """Whether the text behind a stated answer takes it back. Linear in its length."""
    behind = behind[:_REGION]
    negative = bool(_NEGATIVE.match(answer))  # "The answer is no. That is wrong." denies what was asked
    in_words = answer_type in ("text", "choice")
    if not negative and (_CALLED_WRONG.match(behind) or (not in_words and _CALLED_FALSE.match(behind))):
        return True
    if _OWN_ERROR.search(behind):
        return True
    refused = None if negative else (_NO_BUT_LETTER if answer_type == "choice" else _NO).match(behind)
    doubt = refused or _DOUBTED.match(behind) or _FAILED_CHECK.match(behind) or _HESITATES.search(behind)
    return doubt is not None and not _confirmed(answer, behind[doubt.end() :], answer_type)


def _confirmed(answer: str, doubt: str, answer_type: str) -> bool:
    """Whether a doubt ends by confirming the stated answer and no other."""
    names = _names(answer, answer_type)
    own = names(f": {answer}")

    def names_others(text: str) -> bool:
        named = names(text)
        return bool(own and named) and not own & named

    if _CORRECTED.search(doubt) or names_others(doubt):
        return False
    for sentence in _SENTENCES.split(doubt):
        if _CONFIRMED.search(sentence) and not _NOT_CONFIRMED.search(sentence):
            return not names_others(sentence)
    result = _RESULT.search(doubt)
    return bool(result and result[1].replace(",", "") in own) or _EQUAL_SIDES.search(doubt) is not None


def _names(answer: str, answer_type: str) -> Callable[[str], set[str]]:
    """What finds the letters, the names, the yes and no or the numbers of a text: what the answer is of."""
    if answer_type == "choice":
        return lambda text: set(_LETTER.findall(text))
    if answer_type == "text":
        if polar_word(answer):
            return lambda text: set(_POLAR.findall(text.lower()))
        return lambda text: set(_NAME.findall(text))
    return lambda text: {number.replace(",", "") for number in _NUMBER.findall(text)}
