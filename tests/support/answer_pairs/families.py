"""Mathematics: families of expressions, each a function of up to three numbers that gives one value in many dresses."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction


def fractions(n: list[int]) -> list[str]:
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


def surds(n: list[int]) -> list[str]:
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


def multiples_of_pi(n: list[int]) -> list[str]:
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


def polynomials(n: list[int]) -> list[str]:
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


def points(n: list[int]) -> list[str]:
    a, b = n[0], n[1]
    return [
        f"({a}, -{b})",
        f"({a},-{b})",
        f"\\left({a}, -{b}\\right)",
        f"( {a} , -{b} )",
        f"({a}.0, −{b})",
        f"\\langle {a}, -{b} \\rangle",
    ]


def sets(n: list[int]) -> list[str]:
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


def intervals(n: list[int]) -> list[str]:
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


def powers(n: list[int]) -> list[str]:
    a, b = n[0], n[1]
    return [
        f"e^{{-{a}}} + {b}",
        f"exp(-{a}) + {b}",
        f"{b} + e^(-{a})",
        f"{b} + \\frac{{1}}{{e^{{{a}}}}}",
        f"e^{{-{a}}}+{b}",
        f"{b} + 1/e^{a}",
    ]


def complex_numbers(n: list[int]) -> list[str]:
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


def matrices(n: list[int]) -> list[str]:
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


def ratios(n: list[int]) -> list[str]:
    a, b, c = n
    return [
        f"{a}:{b}:{c}",
        f"{a} : {b} : {c}",
        f"{2 * a}:{2 * b}:{2 * c}",
        f"{a}\\!:\\!{b}\\!:\\!{c}",
        f"{a}{{:}}{b}{{:}}{c}",
    ]


def lines(n: list[int]) -> list[str]:
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


def around(n: list[int]) -> list[str]:
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


def cases(n: list[int]) -> list[str]:
    a, b, c = n
    return [
        f"\\begin{{cases}} {a}x & x > {b} \\\\ {c} & x \\le {b} \\end{{cases}}",
        f"\\begin{{cases}} {a}x & \\text{{if }} x > {b}, \\\\ {c} & \\text{{if }} x \\le {b}. \\end{{cases}}",
        f"\\begin{{cases}} {c} & x \\le {b} \\\\ {a}x & {b} < x \\end{{cases}}",
        f"f(x) = \\begin{{cases}} {a} \\cdot x & \\text{{for }} x > {b} \\\\ {c} & x \\leq {b} \\end{{cases}}",
    ]


def logarithms(n: list[int]) -> list[str]:
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


FAMILIES: list[tuple[Callable[[list[int]], list[str]], int]] = [
    (fractions, 2), (surds, 2), (multiples_of_pi, 1), (polynomials, 3), (points, 2), (sets, 2), (intervals, 2),
    (powers, 2), (complex_numbers, 2), (matrices, 3), (ratios, 3), (lines, 3), (around, 2), (cases, 3), (logarithms, 2),
]  # fmt: skip
"""Each with how many of the numbers it takes."""
