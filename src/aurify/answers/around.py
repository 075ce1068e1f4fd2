"""What stands around the digits of a number, and makes another value of it or takes it back: ``5x``, ``half of 5``."""

from __future__ import annotations

import re

from aurify.answers.reading import Unreadable
from aurify.answers.units import is_unit, unit_of

DEGREES = ("^\\circ", "^{\\circ}", "°")
_OPERATORS = set("^*/+!:=<>≤≥≠⩽⩾×÷_²³¹⁰⁴⁵⁶⁷⁸⁹√∛∜·∞π±∓‰‱…")
_ANOTHER = re.compile(r"(?<![A-Za-z^\d])\d")
_CONVERTED = re.compile(
    r"\(\s*(?:i\.?e\.?,?|that\sis,?|about|approximately|which\sis)?\s*[$€£¥₹]?[\d.,]+\s*[A-Za-z$€£¥₹%°][^()\d]*\)?\s*\Z"
)
_NUMBER_WORDS = (
    r"(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,5}teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety)"
)
_SCALES = r"(?:hundred|thousand|\w{1,9}illion|mill?|lakh|crore|dozen|score|gross|grand)s?"
_NTH = r"(?:third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|hundredth|thousandth|twelfth)"
_PARTS = rf"(?:half|halves|quarters?|{_NTH}s?)"
_PLURAL_PARTS = rf"(?:half|halves|{_NTH}s)"
_FUNCTIONS = r"(?:sin|cos|tan|cot|sec|csc|arc(?:sin|cos|tan)|log|ln|lg|exp|sqrt|cbrt|abs)"
_COUNTED = re.compile(
    rf"[\s-]*(?:and\s+)?(?:an?\s+)?(?:{_NUMBER_WORDS}|{_PLURAL_PARTS}|{_FUNCTIONS}|pi|infinity|squared?\sroot|factorial|plus"
    r"|minus|divided|squared|cubed|choose|mod(?:ulo)?|remainder|to\sthe\s\w*power"
    r"|(?:more|less|fewer|greater|larger|smaller|higher|lower)\sthan)\b"
    rf"|[\s-]*(?:times|over|by)\s+{_NUMBER_WORDS}"
    rf"|\s*-\s*[A-Za-z](?![A-Za-z])"
    rf"|.*\b(?:{_SCALES}|and\s(?:an?|one)\s{_PARTS})\b",
    re.IGNORECASE | re.DOTALL,
)
"""What makes another value of the number before it."""
RATE = re.compile(
    rf"/\s?(?!pi\b|e\b|{_NUMBER_WORDS}|{_PARTS}|{_FUNCTIONS})(?:[A-Za-z]{{3,}}|hr|wk|yr|lb|kg|km|ml|oz)\b",
    re.IGNORECASE,
)
"""What a number is for each of: ``$1200/month``, ``5 / person``."""
_TAKEN_BACK = re.compile(
    r"\bor\b|\bnot\b|n['’]t\b|\?\s*\Z|\bno\b(?!\s(?:more|less|fewer|doubt|longer|matter|one|change|remainder))"
    r"|\b(?:wrong|incorrect|false|mistake|instead|rather|should|maybe|perhaps|unless|actually|sorry|wait|hmm|oops"
    r"|I\smean|too\shigh|too\slow|below\szero)\b",
    re.IGNORECASE,
)
_NOT_THAT = re.compile(
    r"\bnot\b|n['’]t\b|\b(?:half\s(?:of|as)|twice|thrice|double|triple|never|\w*root\sof|square\sof|cube\sof"
    r"|(?:inverse|reciprocal|multiple|power|factorial|logarithm|opposite|negative|absolute\svalue)s?\sof)\b"
    rf"|\b{_PARTS}\sof\b"
    rf"|\b{_NUMBER_WORDS}\s(?:and|or|to|times|over|by|plus|minus|point|divided\sby|multiplied\sby|out\sof|of)\W*\Z"
    r"|\b(?:(?:more|less|greater|fewer|larger|smaller|higher|lower|other)\sthan|over|under|above|below|at\s(?:least|most)"
    r"|up\sto|out\sof|but|except(?:\sfor)?|excluding|times)\W*\Z"
    rf"|\\(?:[gl]eq?(?:slant)?|[gl]t|neq?|pm|mp)\W*\Z|[A-Za-z]\(\W*\Z|\b{_FUNCTIONS}\W*\Z",
    re.IGNORECASE,
)
"""What makes another value of the number behind it, or says that it is not the answer."""
_UNSPACED = re.compile(
    "(?![百千万萬亿億兆十半折割成백천만억조십])[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]+"
)
_LONE_LETTER = re.compile(r"\s*([A-Za-z])(?![^\W\d_])")


def refuse_more(before: str, behind: str, after: str) -> None:
    """Refuse where what stands around the number makes another value of it, or takes it back.

    Args:
        before: what stands before its sign and currency.
        behind: all that follows its digits.
        after: the same without a percent sign and closing marks.

    Raises:
        Unreadable: the text states another value than the number, or more than one, or none.
    """
    if re.match(r",\s*\d", after) and not after.startswith(", "):
        raise Unreadable("a comma that marks no thousands")
    if re.match(r"[eE][+-]?\d", after):
        raise Unreadable("an exponent of more than three digits")
    converted = _CONVERTED.search(after)
    if converted and unit_of(after[: converted.start()]):
        after = after[: converted.start()]
    if _ANOTHER.search(re.sub(r"\^\{?\d\}?", "", after)):
        raise Unreadable("more than one number")
    if after and after[0] in _OPERATORS and not after.startswith(DEGREES) and not RATE.match(after):
        raise Unreadable(f"an expression, not a number: {after[0]!r} follows")
    if before and before[-1] in _OPERATORS | {"\\", "{", "|"} and before[-1] != ":":
        raise Unreadable(f"an expression, not a number: {before[-1]!r} stands before it")
    _refuse_letters(behind, after)
    if _TAKEN_BACK.search(after) or _NOT_THAT.search(before):
        raise Unreadable("says what the answer is not")
    if _COUNTED.match(after):
        raise Unreadable("an expression, not a number: a number word follows")


def _refuse_letters(behind: str, after: str) -> None:
    """Refuse ``5x``, ``4i``, ``5k``, ``4\\pi``; read ``6th``, ``36cm``, ``5 a day``."""
    if "\\" in after.replace("\\circ", ""):
        raise Unreadable("an expression, not a number: LaTeX follows")
    glued = re.match(r"[^\W\d_]+", behind)
    if glued and glued[0].lower() not in ("st", "nd", "rd", "th") and not _is_word(glued[0]):
        raise Unreadable(f"an expression, not a number: {glued[0][:20]!r} follows")
    lone = _LONE_LETTER.match(after)
    if lone and not glued and not is_unit(lone[1]):
        rest = after[lone.end() :]
        if lone[1] not in "aI" or not re.match(r"\s+[A-Za-z]{2}", rest):
            raise Unreadable(f"an expression, not a number: {lone[1]!r} follows")


def _is_word(glued: str) -> bool:
    """Whether letters at a number are a unit, or a word of a script that sets no spaces: ``18个``, ``18円``."""
    return is_unit(glued) or bool(_UNSPACED.fullmatch(glued))
