"""Sentences that say something of the writer instead of answering: they are no answer of any type and win no vote."""

from __future__ import annotations

import re

_REFUSAL = re.compile(
    r"\W{0,4}(?:(?:sorry|unfortunately|apologies|hmm|well)\b[,.! ]{1,3}(?:but\s)?)?"
    r"(?:(?:I|we)(?:['’]m|['’]re|\sam|\sare)?\s(?:really\s|simply\s|just\s)?"
    r"(?:do\snot|don['’]?t|can\s?not|can['’]?t|could\snot|couldn['’]?t|am\snot|are\snot|not|un(?:able|sure|certain)|sorry"
    r"|have\sno|give\sup|apologi[sz]e|refuse|was\snot|wasn['’]?t|need\smore|would\sneed)\b"
    r"|I\sgive\sup|sorry[,.!]|sorry\Z|as\san?\s(?:AI|language)\b|no\sidea\b|not\ssure\b|unsure\Z)",
    re.IGNORECASE,
)
_BLANK = re.compile(
    r"\W{0,3}(?:unknown|n/?a|none|no\sanswer|undetermined|indeterminate|idk|it\sdepends(?:\son\s[^.]{1,40})?"
    r"|(?:not\senough|insufficient|too\slittle)\s(?:information|data|context)[^.]{0,40}|can\s?not\sbe\s\w{4,12})\W{0,3}",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"(?:I|we|you|it|he|she|they|there|this|that|these|those|here|let|let['’]s|sorry|unfortunately|first|next|now|ok(?:ay)?"
    r"|sure|(?:so|then|and),?\s(?:we|I)|because|since|if|when|to|the\s(?:answer|question|problem|solution|data|information|text|passage))\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|am|be|been|do|does|did|can|cannot|could|will|would|should|must|may|might|have|has|had|know"
    r"|think|need|see|find|let|get|gets|got|give|gives|given|say|says|make|makes|solve|start)\b|n['’]t\b|['’](?:m|s|re|ll)\b",
    re.IGNORECASE,
)


def is_refusal(text: str) -> bool:
    """Whether the text says that its writer has no answer: ``I do not know.``"""
    return bool(_REFUSAL.match(text[:200]))


def is_blank(text: str) -> bool:
    """Whether a whole text stands for no answer: ``N/A``, ``Unknown.``; as a stated answer it may be one."""
    return bool(_BLANK.fullmatch(text))


def is_remark(text: str) -> bool:
    """Whether the text is a refusal or a sentence about the question: ``The answer cannot be determined.``"""
    text = text[:400].strip()
    if is_refusal(text):
        return True
    return len(text.split()) > 2 and bool(_REMARK.match(text)) and bool(_VERB.search(text))
