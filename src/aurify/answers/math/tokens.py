"""Splits tidied mathematics, in LaTeX or in plain notation, into tokens that mean the same in both. Linear."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

from aurify.answers.wrapped import MACRO

_FUNCTION_NAMES = """sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln log lg exp sqrt cbrt abs floor ceil
max min gcd lcm binom factorial cis"""
FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "ceiling": "ceil", "Abs": "abs"}
CONSTANTS = {"pi": "pi", "oo": "oo", "inf": "oo", "infty": "oo", "infinity": "oo", "Infinity": "oo", "Pi": "pi"}
_GREEK_LETTERS = """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho
sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell"""
GREEK = frozenset(_GREEK_LETTERS.split())
_NAMES = frozenset((*FUNCTIONS, *ALIASES, *CONSTANTS, *GREEK, "and", "or", "choose"))
_PREFIXES = sorted(
    (name for name in _NAMES if len(name) > 2 and name not in ("and", "eta", "inf", "psi", "cis", "choose")),
    key=len,
    reverse=True,
)
_SPELLINGS = {
    "*": r"\cdot \times \ast", "/": r"\div", "^": "**", "<=": r"\le =<", ">=": r"\ge", "!=": r"\ne", "<": r"\lt",
    ">": r"\gt", "=": "==", "±": r"\pm +-", "∓": r"\mp", "∪": r"\cup union", "∩": r"\cap", "∈": r"\in",
    "∖": r"\setminus \backslash", "⟨": r"\langle", "⟩": r"\rangle", "|": r"\lvert \rvert \vert \mid", "⌊": r"\lfloor",
    "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "[": r"\lbrack", "]": r"\rbrack", "≈": r"\approx \simeq",
    "%": r"\%", "∅": r"\emptyset", "→": r"\to", "⇒": r"\Rightarrow", "⇔": r"\iff", "and": r"\land \wedge",
    "or": r"\lor \vee", "°": r"\circ", "'": r"\prime", "…": r"... \ldots \dots \cdots \dotsb \dotsc", "i": r"\imath",
}  # fmt: skip
"""What is written for each sign, once ``latex.tidy`` has brought its own spellings to one."""
_SAME = {spelled: sign for sign, spellings in _SPELLINGS.items() for spelled in spellings.split()}
_TOKEN = re.compile(
    r"\s+|(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<macro>\\[A-Za-z]+\*?|\\.)|(?P<word>[A-Za-z]+)"
    r"|(?P<sign>\.\.\.|\*\*|<=|=<|>=|!=|==|\+-(?=\s?\d|\s?\\sqrt|\s?sqrt)|.)",
    re.DOTALL,
)
_REPEATING = re.compile(
    r"(\d*\.\d*)\\(?:overline|bar|overbar|dot)\s*(?:\{\s*(\d+)\s*\}|(\d))|(?<![\d.])(\d+\.)\((\d{1,20})\)(?![\d^])"
)
_CHOOSE = re.compile(r"\{([^{}]{1,40})\\choose([^{}]{1,40})\}")
_COUNTED = re.compile(
    r"(?:\{\s*\}\s*)?[_^]\s*\{?\s*(\w{1,6})\s*\}?\s*(?:\\(?:text|mathrm)\s?\{\s*C\s*\}|C)\s*_\s*\{?\s*(\w{1,6})\s*\}?"
    r"|(?<![\w\\])(\d{1,6}|[a-z])C(\d{1,6}|[a-z])(?!\w)"
)
_ARRANGED = re.compile(
    r"(?:\{\s*\}\s*)?[_^]\s*\{?\s*(\w{1,6})\s*\}?\s*(?:\\(?:text|mathrm)\s?\{\s*P\s*\}|P)\s*_\s*\{?\s*(\w{1,6})\s*\}?"
    r"|(?<![\w\\])(\d{1,6})P(\d{1,6})(?!\w)|(?<![\w\\])n?P(?:er)?m?\((\d{1,6}),\s?(\d{1,6})\)"
)
_COMPLEX = re.compile(r"\(?[-+]?[\d.]+\s?[-+]\s?(?:[\d.]+\s?\*?\s?)?[jI]\)?")
_JOINING = re.compile(MACRO + r"\{\s*(and|or|,|cis)\s*\}")


class Token(str):
    """A token's text; ``kind`` is number, macro, word or sign, ``spaced`` whether a space stands before it."""

    kind: str
    spaced: bool


def is_known_word(word: str) -> bool:
    """Whether a word of letters has a meaning in formulas: a function, a constant, a Greek letter, ``xyz``."""
    return len(_split_word(word)) > 1 or word in _NAMES


def tokens_of(text: str) -> list[Token]:
    text = _CHOOSE.sub(r"\\binom{\1}{\2}", text)
    text = _COUNTED.sub(lambda m: f"\\binom{{{m[1] or m[3]}}}{{{m[2] or m[4]}}}", text)
    if _COMPLEX.fullmatch(text.strip()):
        text = text.replace("j", "i").replace("I", "i")
    text = _ARRANGED.sub(_falling, text)
    text = _JOINING.sub(r" \1 ", periodic_as_fractions(text))
    found: list[Token] = []
    spaced = False
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None or match[0] == "\\limits":
            spaced = True
            continue
        pieces = _split_word(match[0]) if kind == "word" else [match[0]]
        for piece in pieces:
            same = _SAME.get(piece, piece)
            token = Token(same)
            token.kind, token.spaced = kind if same == piece or kind == "number" else "sign", spaced
            if same in ("and", "or"):
                token.kind = "word"
            found.append(token)
            spaced = False
    return found


def _falling(match: re.Match[str]) -> str:
    """``5P3``, the arrangements of 3 of 5, as factorials."""
    n, k = (match[1], match[2]) if match[1] else (match[3] or match[5], match[4] or match[6])
    return f"\\frac{{({n})!}}{{({n}-{k})!}}"


def periodic_as_fractions(text: str) -> str:
    """``0.\\overline{3}`` and ``0.(3)`` as ``\\frac{1}{3}``."""
    return _REPEATING.sub(_periodic, text)


def _periodic(match: re.Match[str]) -> str:
    """``0.1\\overline{6}`` as the fraction that it is."""
    head, period = match[1] or match[4], match[2] or match[3] or match[5]
    whole, _, decimals = head.partition(".")
    value = Fraction(f"{whole or 0}.{decimals or 0}") + Fraction(
        int(period), (10 ** len(period) - 1) * 10 ** len(decimals)
    )
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"


def _split_word(word: str) -> list[str]:
    """``2pi r`` and ``xsin`` hold names of more than one letter, ``xy`` two; a word of a language stays whole."""
    if word in _NAMES or len(word) == 1:
        return [word]
    for known in _PREFIXES:
        if 0 < len(word) - len(known) <= 2:
            if word.startswith(known):
                return [known, *word[len(known) :]]
            if word.endswith(known):
                return [*word[: -len(known)], known]
    if word[:2] == "pi" and len(word) == 3:
        return ["pi", word[2]]
    if len(word) == 2 or (len(word) == 3 and _consecutive(word)) or (len(word) <= 5 and word.isupper()):
        return list(word)
    return [word]


def _consecutive(word: str) -> bool:
    return all(ord(b) - ord(a) == 1 for a, b in pairwise(word)) or set(word) <= set("abcnrtxyz")
