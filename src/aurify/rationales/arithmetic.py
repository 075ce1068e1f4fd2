"""Checks the arithmetic that a rationale writes out: every equation between two plain numbers' expressions.

``12 \\cdot 3 = 36`` is true whatever the question; a rationale that writes ``12 \\cdot 3 = 38`` has gone wrong. What
holds a variable, a word or an unknown command is not looked at. Nothing is evaluated by Python: a small parser reads
numbers, ``+ - * / ^ !``, roots, fractions, binomials and pi, in bounded size and time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_SIDE = 120
"""Longer sides of an equation are not read."""
MAX_TEXT = 20_000
"""Characters of a rationale that are looked at."""


class Arithmetic(NamedTuple):
    """The equations of one rationale that could be checked."""

    checked: int
    false: int
    last_false: bool
    """Whether the last one is false."""


_DELIMITER = re.compile(r"(\$\$?|\\[\[\]()])")
_RUN = re.compile(r"[\d.,+\-*/^()×÷= ]+")
_DIGIT = re.compile(r"\d")
_ROW = re.compile(r"\\\\|\n\s*\n|,\s|;|\\quad|\\qquad|\\implies|\\Rightarrow|\\text\{ ?(?:and|or|so) ?\}")
_RELATION = re.compile(r"=|(\\approx|\\le|\\ge|\\leq|\\geq|\\ne|\\neq|\\equiv|\\in|\\to|<|>|:|\\pm|\\mp)(?![a-z])")
_NOISE = re.compile(
    r"\\(?:left|right|displaystyle|big|Big|,|!|;|:| )(?![a-z])|\\boxed|\{,\}|(?<=\d),(?=\d{3}(?!\d))|[&$]|\\\$"
)
_TOKEN = re.compile(r"\d+\.?\d*|\.\d+|\\[a-zA-Z]+|[-+*/^!(){}×÷]|\S")


class Equation(NamedTuple):
    """An equation between plain numbers."""

    start: int
    """Where its left side begins, in characters."""
    holds: bool


def check_arithmetic(text: str) -> Arithmetic:
    """How many equations between plain numbers the text writes, and how many of them are false."""
    holds = [equation.holds for equation in equations(text)]
    return Arithmetic(len(holds), holds.count(False), bool(holds) and not holds[-1])


def before_first_false(text: str) -> str | None:
    """The text up to its first false equation, without the space before that; None where no equation is false."""
    start = next((equation.start for equation in equations(text) if not equation.holds), None)
    return None if start is None else text[:start].rstrip()


def equations(text: str) -> list[Equation]:
    """Every equation between plain numbers, in order."""
    text = text[:MAX_TEXT]
    read: Sequence[int] = range(len(text))
    if "\\" not in text:  # no LaTeX: a dollar is money
        read = [i for i in read if text[i] != "$"]
        text = text.replace("$", "")
    found = [
        equation
        for begin, segment in _segments(text)
        for row, piece in _split(_ROW, segment)
        for equation in _row(begin + row, piece)
    ]
    return [Equation(read[start], holds) for start, holds in found]


def _split(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    """The pieces between what the pattern matches, and where each begins."""
    start = 0
    for match in pattern.finditer(text):
        yield start, text[start : match.start()]
        start = match.end()
    yield start, text[start:]


def _segments(text: str) -> list[tuple[int, str]]:
    """The formulas, and outside them the runs of plain arithmetic, in order, and where each begins."""
    segments, inside, start = [], False, 0
    for piece in _DELIMITER.split(text):
        if piece in ("$", "$$"):
            inside = not inside
        elif piece[:1] == "\\" and len(piece) == 2:
            inside = piece in ("\\[", "\\(")
        elif inside:
            segments.append((start, piece))
        else:
            segments += [(start + begin, run) for begin, run in _plain_runs(piece)]
        start += len(piece)
    return segments


def _plain_runs(text: str) -> list[tuple[int, str]]:
    """Runs such as ``3 + 4 = 7`` between words, without a side that goes on in a word or a name (``= 5x``)."""
    runs = []
    for match in _RUN.finditer(text):
        start, end = match.span()
        run = match.group()
        if "=" not in run:
            continue
        before = text[start - 1 : start]
        if before and (run.lstrip()[0] in "+-*/^)×÷" or not (run[0].isspace() or before.isspace())):
            start += run.index("=")  # the side began before the run
        after = text[end : end + 1]
        if after not in "\n\t:;!?" and not run[-1].isspace():
            end = text.rindex("=", start, end) + 1  # the side goes on after it
        runs.append((start, text[start:end]))
    return runs


def _row(begin: int, row: str) -> Iterator[Equation]:
    """The equations between neighbouring sides; sides that are no plain numbers are passed over.

    ``begin`` is where the row begins.
    """
    previous: float | None = None
    rounded = False
    start = left = 0
    equals = False
    for match in [*_RELATION.finditer(row), None]:
        side = row[start : match.start() if match else len(row)]
        value = value_of_arithmetic(side)
        rough = "." in side or "dots" in side
        if equals and value is not None and previous is not None:
            near = 5e-3 if rough or rounded else 1e-9
            yield Equation(begin + left, math.isclose(value, previous, rel_tol=near, abs_tol=1e-9))
        previous, rounded, left = value, rough, start + len(side) - len(side.lstrip())
        if match:
            start, equals = match.end(), match.group() == "="


def value_of_arithmetic(expression: str) -> float | None:
    """The value of an expression of plain numbers, LaTeX or not; None where it is anything else."""
    if len(expression) > MAX_SIDE or not (_DIGIT.search(expression) or "\\pi" in expression):
        return None
    reader = _Reader(_TOKEN.findall(_NOISE.sub("", expression).strip().rstrip(".,;")))
    try:
        value = reader.sum()
        return value if reader.done() and math.isfinite(value) else None
    except (_NotPlain, ArithmeticError, ValueError):
        return None


class _NotPlain(Exception):
    """Not an expression of plain numbers."""


class _Reader:
    """A recursive-descent parser; each method reads one level of precedence."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def done(self) -> bool:
        return self._at == len(self._tokens)

    def sum(self) -> float:
        value = self._product()
        while (sign := self._peek()) in ("+", "-"):
            self._at += 1
            term = self._product()
            value = value + term if sign == "+" else value - term
        return value

    def _product(self) -> float:
        value = self._signed()
        while (token := self._peek()) is not None:
            if token in ("*", "×", "\\cdot", "\\times"):
                self._at += 1
                value *= self._signed()
            elif token in ("/", "÷", "\\div"):
                self._at += 1
                value /= self._signed()
            elif token in ("(", "\\frac", "\\dfrac", "\\tfrac", "\\sqrt", "\\pi", "\\binom"):  # 2(3), 5\sqrt2, 1\frac12
                if token.endswith("frac") and self._tokens[self._at - 1].isdigit():
                    raise _NotPlain  # a mixed number or a product: it cannot be told
                value *= self._power()
            else:
                return value
        return value

    def _signed(self) -> float:
        sign = 1.0
        while (token := self._peek()) in ("-", "+"):
            self._at += 1
            sign = -sign if token == "-" else sign
        return sign * self._power()

    def _power(self) -> float:
        base = self._atom()
        while self._peek() == "!":
            self._at += 1
            if base != int(base) or not 0 <= base <= 20:
                raise _NotPlain
            base = float(math.factorial(int(base)))
        if self._peek() == "^":
            self._at += 1
            if self._peek() == "\\circ":
                raise _NotPlain
            exponent = self._signed() if self._peek() in ("-", "+") else self._atom()
            if abs(exponent) > 64 or (base < 0 and exponent != int(exponent)):
                raise _NotPlain
            base = float(base**exponent)
        return base

    def _atom(self) -> float:
        token = self._next()
        if token in ("(", "{"):
            value = self.sum()
            if self._next() != (")" if token == "(" else "}"):
                raise _NotPlain
            return value
        if token == "\\pi":
            return math.pi
        if token == "\\sqrt":
            return math.sqrt(self._argument())
        if token in ("\\frac", "\\dfrac", "\\tfrac"):
            return self._argument() / self._argument()
        if token == "\\binom":
            n, k = self._argument(), self._argument()
            if n != int(n) or k != int(k) or not 0 <= n <= 200 or not 0 <= k <= n:
                raise _NotPlain
            return float(math.comb(int(n), int(k)))
        if token[0].isdigit() or token[0] == ".":
            return float(token)
        raise _NotPlain

    def _argument(self) -> float:
        """What a command takes: a group in braces, or one digit."""
        token = self._peek()
        if token is not None and token.isdigit() and len(token) > 1:
            self._tokens[self._at] = token[1:]
            return float(token[0])
        return self._atom()

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> str:
        token = self._peek()
        if token is None:
            raise _NotPlain
        self._at += 1
        return token
