"""How the languages of the published multilingual sets (MGSM and its kin) say "the answer is" and "answer:".

A statement in them is read in the first sentence only. A number has to begin it, since what else its words say
(``nicht 18``) is read in English alone.
"""

from __future__ import annotations

import re

from aurify.answers.bare import BEGINS_NUMBER

_ANSWER = {
    "Arabic": (r"(?:ال)?(?:جواب|إجابة|اجابة)(?:\s(?:النهائية?|الصحيحة?))?", r"\s(?:هو|هي)"),
    "Bengali": (r"উত্তর(?:টি)?", r"\s?(?:হলো|হল|হচ্ছে|হবে)"),
    "Chinese": (r"答案", r"(?:就|应该|應該)?(?:是|为|為)"),
    "French": (r"\bréponse(?:\s(?:finale|correcte|exacte))?", r"\sest\b"),
    "German": (r"\bantwort", r"\s(?:ist|lautet)\b"),
    "Hindi": (r"उत्तर", r"\sहै"),
    "Italian": (r"\brisposta(?:\s(?:finale|corretta|esatta))?", r"\sè"),
    "Japanese": (r"(?:答え?|解答|回答|正解)", r"は"),
    "Korean": (r"(?:정답|답)", r"은"),
    "Portuguese": (r"\bresposta(?:\s(?:final|correta|certa))?", r"\sé"),
    "Russian": (r"\bответ", r"\s?[—–-]"),
    "Spanish": (r"\brespuesta(?:\s(?:final|correcta))?", r"\ses\b"),
    "Swahili": (r"\bjibu(?:\s(?:la\smwisho|sahihi))?", r"\sni\b"),
    "Telugu": (r"సమాధానం", r"(?=\s\d)"),
    "Thai": (r"คำตอบ(?:สุดท้าย|ที่ถูกต้อง)?", r"\s?คือ"),
}
"""The word for an answer, and what stands for "is" behind it; a colon does everywhere."""
ABROAD = re.compile(
    "(?P<abroad>"
    + "|".join(
        rf"{noun}[*_]{{0,3}}(?:{copula}|\s?[:：])[*_]{{0,3}}[:：]?[ \t\n]{{0,6}}" for noun, copula in _ANSWER.values()
    )
    + ")",
    re.IGNORECASE,
)
"""The words that state an answer, up to where it begins."""
_PLAIN = ("antwort", "jibu", "respuesta", "resposta", "risposta")
"""The words for it that are all ASCII."""
_LONGEST = 400
"""Characters of a statement that are looked at."""
_POINTS = re.compile(r"antwort|respuesta|resposta|risposta", re.IGNORECASE)
"""Languages that write 1.200 for 1,200."""
_COMMAS = re.compile(r"antwort|respuesta|resposta|risposta|réponse|ответ", re.IGNORECASE)
"""Languages that write 2,5 for 2.5."""
_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:\.\d{3})+(?![\d.]*\d)")
_DECIMALS = re.compile(r"(?<![\d.,])(\d+),(\d{1,2})(?![\d,.]*\d)")
_END = re.compile(r"[。！？।\n]|，(?!\d)|\.(?=\s|\Z)")
_COPULA = re.compile(r"\s?(?:です|である|だ|となります|になります|입니다|이다|이에요|예요)[*_.]{0,4}\Z")
_DENIED = re.compile(
    r"では(?:な|あり)|じゃ(?:な|あり)|아[니닙닌]|নয়|కాదు|नहीं|ไม่|ليس|不|错|錯|或|または|또는"
    r"|\b(?:nicht|falsch|oder|pas|faux|ou|non|falso|não|incorrect[ao]|не|неверно|нет|или|si\s)\b",
    re.IGNORECASE,
)
_SCALED = re.compile(
    r"\b(?:mil(?:le|a)?|tausend|hundert|dutzend|m[iy]l+i?[oó]n\w*|milh\w+|mili\w+|тысяч\w*|миллион\w*|cent|cien\w*"
    r"|douzaine\w*|docen\w*|d[uú]zia\w*|dozzin\w*|halb\w*|demie?|medi[ao]|mei[ao]|mezz[ao]|половин\w*)\b"
    r"|[百千万萬亿億兆十半折割成]|[백천만억조십]|절반|ครึ่ง|สิบ|ร้อย|พัน|หมื่น|แสน|ล้าน",
    re.IGNORECASE,
)
"""Words that make another number of the digits before them."""


def is_abroad(text: str) -> bool:
    """Whether the text may state an answer in another language; what it says at once, of most."""
    if text.isascii():
        text = text.lower()
        return any(word in text for word in _PLAIN)
    return ABROAD.search(text) is not None


def said_abroad(marker: str, text: str, answer_type: str) -> str | None:
    """What a statement in another language states, perhaps nothing; None: its words deny or change what they hold."""
    text = text[:_LONGEST].lstrip(" \t*_")
    end = _END.search(text)
    answer = _COPULA.sub("", text[: end.start()] if end else text)
    if answer_type != "text" and _DENIED.search(answer):
        return None
    if answer_type == "number" and _SCALED.search(answer):
        return None
    if answer_type != "number":
        return answer
    if not BEGINS_NUMBER.match(answer):
        return ""
    if _POINTS.search(marker):
        answer = _THOUSANDS.sub(lambda amount: amount[0].replace(".", ""), answer)
    return _DECIMALS.sub(r"\1.\2", answer) if _COMMAS.search(marker) else answer
