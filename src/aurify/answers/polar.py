"""Yes or no (true or false) with its reason behind it: ``Yes, both were American.``, ``No because it sinks.``"""

from __future__ import annotations

import re

from aurify.answers.refusals import is_refusal

_POLAR = re.compile(
    r"[*_\"'“‘`]{0,4}(?P<word>yes|no|true|false)[*_\"'”’`]{0,4}"
    r"(?P<rest>\Z|[*_]{0,3}\s*\n.*|\s?[,;:(].*|\s?—.*|\s[–-]\s.*|[.!](?=[\s*_]|\Z)(?!\s?\d).*|,?\s+(?:because|since|as|due)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
_DOUBT = re.compile(
    r"\b(?:but|however|although|though|unless|except|if|or|maybe|perhaps|possibly|probably|might|sometimes|depends|partly"
    r"|partially|wait|actually|wrong|incorrect|unsure|not\s(?:sure|certain|entirely|always|necessarily)"
    r"|(?:do\snot|don['’]t|cannot|can['’]t)\s(?:know|tell|say))\b|\?\s*\Z",
    re.IGNORECASE,
)


def polar_word(text: str) -> str | None:
    """``yes`` of "Yes, both were American."; None: it begins with no such word, or goes on to doubt it."""
    found = _POLAR.fullmatch(text.strip())
    if not found:
        return None
    word, rest = found["word"].lower(), found["rest"]
    if re.search(rf"\b{_OPPOSITES[word]}\b", rest, re.IGNORECASE) or _DOUBT.search(rest):
        return None
    return None if is_refusal(rest) else word
