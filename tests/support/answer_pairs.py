"""Pairs of answers that are equal, or unequal, by construction: a value in many dresses, and with one digit changed.

Used by ``tests/answers/test_pairs.py`` (a few thousand) and ``bench/verifier.py`` (100,000 of each type).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

TYPES = ("number", "choice", "text", "math")
QUESTION = "Which?\n(A) red clay\n(B) blue slate\n(C) green glass\n(D) dry cork\n(E) old rope"
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")


@dataclass(frozen=True)
class AnswerPair:
    """A prediction, a gold answer, and whether they are equal."""

    kind: str
    pred: str
    gold: str
    equal: bool


def pairs(kind: str, count: int, seed: int = 0) -> Iterator[AnswerPair]:
    """``count`` pairs of one answer type, by turns equal and unequal; the same for a seed on every machine."""
    rng = random.Random(f"{kind} {seed}")
    make = {"number": _number, "choice": _choice, "text": _text, "math": _mathematics}[kind]
    for i in range(count):
        pred, gold = make(rng, i % 2 == 0)
        yield AnswerPair(kind, _said(rng, pred, kind), gold, i % 2 == 0)


_SAYINGS: list[Callable[[str], str]] = [
    lambda x: f"The answer is {x}.",
    lambda x: f"We add 3 and 4 first.\nSo the answer is {x}.",
    lambda x: f"Answer: {x}",
    lambda x: f"**Answer:** {x}",
    lambda x: f"### Final Answer\n{x}",
    lambda x: f"The final answer is: {x}",
    lambda x: f"The answer is {x}.\n\nProblem: I have 9 cups.\nThe answer is 31.",
    lambda x: f"The answer is {x}.\n\nUser: And 9 cups?\n\nAssistant: The answer is (E).",
    lambda x: f"So \\boxed{{{x}}}.",
    lambda x: f"Therefore, the final answer is $\\boxed{{{x}}}$.",
]


def _said(rng: random.Random, answer: str, kind: str) -> str:
    say = rng.choice(_SAYINGS[:-2] if kind in ("text", "number", "choice") else _SAYINGS)
    return say(f"${answer}$" if kind == "math" and say not in _SAYINGS[-2:] and rng.random() < 0.5 else answer)


def _changed(rng: random.Random, digits: str) -> str:
    """The digits with one of them changed, never into another spelling of the same number."""
    places = [i for i, c in enumerate(digits) if c.isdigit()]
    at = rng.choice(places)
    other = rng.choice([d for d in "0123456789" if d != digits[at] and not (d == "0" and at == places[0])])
    return digits[:at] + other + digits[at + 1 :]


def _grouped(digits: str, mark: str) -> str:
    whole, point, decimals = digits.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    groups: list[str] = []
    while len(whole) > 3:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    return sign + mark.join([whole, *groups]) + point + decimals


def _number(rng: random.Random, equal: bool) -> tuple[str, str]:
    digits = str(rng.randint(1, 10 ** rng.randint(1, 12)))
    if rng.random() < 0.4:
        digits += f".{rng.randint(0, 999):03d}"
    digits = ("-" if rng.random() < 0.2 else "") + digits
    gold = rng.choice((digits, digits, _grouped(digits, ","), f"{digits} apples"))
    value = digits if equal else _changed(rng, digits)
    return rng.choice(_NUMBERS)(value), gold


def _scientific(digits: str, power: Callable[[int], str]) -> str:
    sign, plain = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, _, decimals = plain.partition(".")
    return f"{sign}{whole[0]}.{whole[1:]}{decimals or '0'} {power(len(whole) - 1)}"


def _fraction(digits: str) -> str:
    value = Fraction(digits)
    return f"{value.numerator}/{value.denominator}"


def _latex_fraction(digits: str) -> str:
    value = Fraction(digits)
    return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


_NUMBERS: list[Callable[[str], str]] = [
    lambda d: d,
    lambda d: _grouped(d, ","),
    lambda d: _grouped(d, "\u202f"),
    lambda d: _grouped(d, " "),
    lambda d: _grouped(d, "{,}"),
    lambda d: _grouped(d, ",\\!"),
    lambda d: f"**{d}**",
    lambda d: f"${d}$",
    lambda d: f"x = {d}",
    lambda d: d + ("0" if "." in d else ".0"),
    lambda d: d.replace("-", "−"),
    lambda d: d.translate(_WIDE),
    lambda d: f"{d} apples",
    lambda d: f"{d}\\text{{ cm}}",
    lambda d: f"({d})",
    lambda d: f"{d} km/h",
    _fraction,
    _latex_fraction,
    lambda d: _scientific(d, lambda k: f"\\times 10^{{{k}}}"),
    lambda d: _scientific(d, lambda k: "× 10" + str(k).translate(_RAISED)),
    lambda d: f"\\text{{{d}}}",
    lambda d: f"{d.replace('-', '-$')} dollars" if d.startswith("-") else f"${d}",
]


def _choice(rng: random.Random, equal: bool) -> tuple[str, str]:
    options = dict(line[1:].split(") ") for line in QUESTION.split("\n")[1:])
    gold = rng.choice(list(options))
    letter = gold if equal else rng.choice([other for other in options if other != gold])
    dress = rng.choice(_CHOICES)
    return dress.format(letter=letter, text=options[letter], small=letter.lower()), rng.choice((gold, f"({gold})"))


_CHOICES = [
    "{letter}",
    "({letter})",
    "{letter}.",
    "{letter})",
    "[{letter}]",
    "**{letter}**",
    "**({letter})**",
    "option {letter}",
    "choice ({letter})",
    "{text}",
    "({letter}) {text}",
    "{letter}. {text}",
    "{letter}: {text}",
    "\\text{{{letter}}}",
    "\\text{{({letter})}}",
    "({letter}), because it floats",
    "{letter} because the others sink",
    "'{text}'",
    "({small})",
    "`{letter}`",
    "{letter}, since it is light",
    "$({letter})$",
]


def _text(rng: random.Random, equal: bool) -> tuple[str, str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(3, 9))) for _ in range(rng.randint(1, 4))]
    gold = " ".join(words)
    said = gold
    if not equal:
        at = rng.choice([i for i, c in enumerate(gold) if c.isalpha()])
        said = gold[:at] + rng.choice([c for c in letters if c != gold[at]]) + gold[at + 1 :]
    return rng.choice(_TEXTS)(said), gold


_TEXTS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.title,
    str.capitalize,
    lambda t: f"'{t}'",
    lambda t: f'"{t}"',
    lambda t: f"“{t}”",
    lambda t: f"**{t}**",
    lambda t: f"`{t}`",
    lambda t: f"*{t}*",
    lambda t: f"{t}!",
    lambda t: f"{t},",
    lambda t: t.replace(" ", "  "),
    lambda t: f" {t} ",
    lambda t: f"\\text{{{t}}}",
    lambda t: f"\\textbf{{{t}}}",
    lambda t: f"«{t}»",
    lambda t: f"'{t.title()}'",
    lambda t: f"**{t.upper()}**",
    lambda t: f"‘{t}’",
]


def _mathematics(rng: random.Random, equal: bool) -> tuple[str, str]:
    make = rng.choice(_FAMILIES)
    numbers = [rng.randint(2, 99) for _ in range(3)]
    others = list(numbers)
    if not equal:
        at = rng.randrange(make.__defaults__[0] if make.__defaults__ else 3)
        others[at] = int(_changed(rng, str(numbers[at])))
    gold, said = make(numbers), make(others)
    if not equal and set(gold) & set(said):  # the change is another spelling of the same, as 2/4 of 3/6
        return _mathematics(rng, equal)
    return rng.choice(said), gold[0]


def _fractions(n: list[int], used: int = 2) -> list[str]:
    value = Fraction(n[0], n[1])
    a, b = value.numerator, value.denominator
    return [
        f"\\frac{{{a}}}{{{b}}}",
        f"\\dfrac{{{a}}}{{{b}}}",
        f"{a}/{b}",
        f"\\tfrac{{{a}}}{{{b}}}",
        f"({a})/({b})",
        f"\\frac{{{2 * a}}}{{{2 * b}}}",
        f"--{a}/{b}".replace("--", "-(-") + ")",
        f"{a} \\div {b}",
        f"{a}⁄{b}",
        f"\\frac {{ {a} }} {{ {b} }}",
    ]


def _surds(n: list[int], used: int = 2) -> list[str]:
    a, b = n[0], 2 if int(n[1] ** 0.5) ** 2 == n[1] else n[1]
    return [
        f"{a}\\sqrt{{{b}}}",
        f"{a}*sqrt({b})",
        f"{a} \\cdot \\sqrt{{{b}}}",
        f"\\sqrt{{{a * a * b}}}",
        f"{a}√{b}",
        f"{a} * {b}^(1/2)",
        f"{a} \\cdot {b}^{{1/2}}",
        f"\\sqrt{{{b}}} \\times {a}",
        f"{a * b}/\\sqrt{{{b}}}",
        f"\\frac{{{a * b}}}{{\\sqrt{{{b}}}}}",
    ]


def _multiples_of_pi(n: list[int], used: int = 1) -> list[str]:
    a = n[0]
    return [
        f"{a}\\pi",
        f"{a} \\pi",
        f"{a}*pi",
        f"{a}π",
        f"{a}pi",
        f"\\pi \\cdot {a}",
        f"{a}\\cdot\\pi",
        f"\\frac{{{3 * a}\\pi}}{{3}}",
    ]


def _polynomials(n: list[int]) -> list[str]:
    a, b, c = n
    return [
        f"{a}x^2 + {b}x - {c}",
        f"{a}x^{{2}}+{b}x-{c}",
        f"{a}*x**2 + {b}*x - {c}",
        f"{a}x² + {b}x − {c}",
        f"-{c} + {b}x + {a}x^2",
        f"x({a}x + {b}) - {c}",
        f"{a} x^2 + {b} x - {c}",
        f"{a} \\cdot x^2 + {b} \\cdot x - {c}",
        f"{b}x - ({c} - {a}x^2)",
    ]


def _points(n: list[int], used: int = 2) -> list[str]:
    a, b = n[0], n[1]
    return [
        f"({a}, -{b})",
        f"({a},-{b})",
        f"\\left({a}, -{b}\\right)",
        f"( {a} , -{b} )",
        f"({a}.0, −{b})",
        f"\\langle {a}, -{b} \\rangle",
    ]


def _sets(n: list[int], used: int = 2) -> list[str]:
    a, b = n[0], n[0] + n[1]
    return [
        f"\\{{{a}, {b}\\}}",
        f"\\{{{b},{a}\\}}",
        f"\\left\\{{ {a}, {b} \\right\\}}",
        f"{a}, {b}",
        f"{b} \\text{{ and }} {a}",
        f"x = {a} or x = {b}",
        f"{{{a}, {b}}}",
        f"x = {b}, {a}",
        f"\\lbrace {a}, {b} \\rbrace",
    ]


def _intervals(n: list[int], used: int = 2) -> list[str]:
    a, b = n[0], n[0] + n[1]
    return [
        f"[{a}, {b})",
        f"\\left[{a}, {b}\\right)",
        f"{a} \\le x < {b}",
        f"{a} <= x < {b}",
        f"x \\in [{a},{b})",
        f"[{a},{b}[",
        f"{b} > x \\geq {a}",
        f"{a} ≤ x < {b}",
        f"x \\ge {a} \\text{{ and }} x < {b}",
    ]


def _powers(n: list[int], used: int = 2) -> list[str]:
    a, b = n[0], n[1]
    return [
        f"e^{{-{a}}} + {b}",
        f"exp(-{a}) + {b}",
        f"{b} + e^(-{a})",
        f"{b} + \\frac{{1}}{{e^{{{a}}}}}",
        f"e^{{-{a}}}+{b}",
        f"{b} + 1/e^{a}",
    ]


def _complex(n: list[int], used: int = 2) -> list[str]:
    a, b = n[0], n[1]
    return [
        f"{a} - {b}i",
        f"{a}-{b}i",
        f"-{b}i + {a}",
        f"{a} - {b} \\cdot i",
        f"{a} - {b}*I",
        f"{a} − {b}i",
        f"({a} - {b}i)",
        f"\\frac{{{2 * a} - {2 * b}i}}{{2}}",
        f"z = {a} - {b}i",
    ]


def _matrices(n: list[int]) -> list[str]:
    a, b, c = n
    return [
        f"\\begin{{pmatrix}} {a} & -{b} \\\\ 0 & {c} \\end{{pmatrix}}",
        f"\\begin{{bmatrix}} {a} & -{b} \\\\ 0 & {c} \\end{{bmatrix}}",
        f"\\begin{{pmatrix}}{a}&-{b}\\\\0&{c}\\end{{pmatrix}}",
        f"[[{a}, -{b}], [0, {c}]]",
        f"[{a}, -{b}; 0, {c}]",
        f"Matrix([[{a}, -{b}], [0, {c}]])",
        f"\\left[\\begin{{array}}{{cc}} {a} & -{b} \\\\ 0 & {c} \\end{{array}}\\right]",
        f"A = \\begin{{pmatrix}} {a} & −{b} \\\\ 0 & {c}.0 \\end{{pmatrix}}",
    ]


def _ratios(n: list[int]) -> list[str]:
    a, b, c = n
    return [
        f"{a}:{b}:{c}",
        f"{a} : {b} : {c}",
        f"{2 * a}:{2 * b}:{2 * c}",
        f"{a}\\!:\\!{b}\\!:\\!{c}",
        f"{a}{{:}}{b}{{:}}{c}",
    ]


def _lines(n: list[int]) -> list[str]:
    a, b, c = n
    return [
        f"{a}x + {b}y = {c}",
        f"{a}x+{b}y={c}",
        f"{b}y + {a}x = {c}",
        f"{c} = {a}x + {b}y",
        f"{a}x + {b}y - {c} = 0",
        f"{2 * a}x + {2 * b}y = {2 * c}",
        f"{a}*x + {b}*y = {c}",
        f"{a}x = {c} - {b}y",
    ]


def _around(n: list[int], used: int = 2) -> list[str]:
    a, b = n[0], n[1]
    return [
        f"({a - b}, {a + b})",
        f"|x - {a}| < {b}",
        f"{b} > |x-{a}|",
        f"\\left|x-{a}\\right| < {b}",
        f"{a - b} < x < {a + b}",
        f"x > {a - b} \\text{{ and }} x < {a + b}",
        f"]{a - b}, {a + b}[",
        f"x \\in ({a - b}, {a + b})",
        f"-{b} < x - {a} < {b}",
    ]


def _cases(n: list[int]) -> list[str]:
    a, b, c = n
    return [
        f"\\begin{{cases}} {a}x & x > {b} \\\\ {c} & x \\le {b} \\end{{cases}}",
        f"\\begin{{cases}} {a}x & \\text{{if }} x > {b}, \\\\ {c} & \\text{{if }} x \\le {b}. \\end{{cases}}",
        f"\\begin{{cases}} {c} & x \\le {b} \\\\ {a}x & {b} < x \\end{{cases}}",
        f"f(x) = \\begin{{cases}} {a} \\cdot x & \\text{{for }} x > {b} \\\\ {c} & x \\leq {b} \\end{{cases}}",
    ]


def _logarithms(n: list[int], used: int = 2) -> list[str]:
    a, b = n[0], n[1]
    return [
        f"{a} \\ln {b}",
        f"{a}\\ln({b})",
        f"{a}*ln({b})",
        f"\\ln {b}^{{{a}}}",
        f"{a} \\cdot \\ln {b}",
        f"\\ln({b}) \\times {a}",
        f"-{a} \\ln \\frac{{1}}{{{b}}}",
    ]


_FAMILIES: list[Callable[[list[int]], list[str]]] = [
    _fractions, _surds, _multiples_of_pi, _polynomials, _points, _sets, _intervals, _powers, _complex, _matrices,
    _ratios, _lines, _around, _cases, _logarithms,
]  # fmt: skip
