"""What expressions are worth, and whether two are worth the same: exactly where they are rational, else to many digits.

Two expressions are equal where they take the same value at a handful of fixed, generic points. A polynomial that is not
zero has few zeros, so no two different answers agree there; this is the test of Schwartz and Zippel, and it needs no
simplification, whose time nobody can bound. Irrational values are computed to 50, 150 and, where these do not decide,
450 digits: a difference that stays the same as the digits grow is one, however small; one that shrinks with them is the
rounding of zero. So e^-50 and e^-51, and 1/31! and 1/33!, differ.

Where no side names the imaginary unit, a point where any part of either leaves the real numbers, as the root of a
negative number does, is one where nobody asked: sqrt(1/n) is 1/sqrt(n), and sqrt(x^2) is not x.

``log`` without a base may be of any base: its value is that of an unknown base, so that it equals only itself.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from mpmath import mp

from aurify.answers.math.tree import Tree, variables_of
from aurify.answers.reading import Unreadable

POINTS = 5
"""Points at which expressions with variables are compared."""
_POSITIVE = (0, 1, 4)
"""Those at which all variables are."""
DIGITS = (50, 150, 450)
_LOGARITHMS, _COMPLEX = ("log", "ln", "lg"), ("i", "cis")
_MAX_BITS = 60_000
_LARGEST_POWER = 10**12
_UNKNOWN_BASE = Fraction(70_657_931, 10_000_019)

NumberLike = Any
"""A Fraction where the value is rational, else a real or complex number of mpmath."""
Point = Mapping[str, Fraction]


class NotReal(ArithmeticError):
    """A part of an expression has no real value at a point."""


def value_of(tree: Tree, point: Point, *, real: bool = False) -> NumberLike:
    """The value at a point, to mpmath's current number of digits.

    Args:
        real: whether all its parts must be real.

    Raises:
        Unreadable: it has none: a list, an equation, infinity, an unknown function.
        ZeroDivisionError: it has none at this point.
        NotReal: see ``real``.
    """
    value = _value_of(tree, point, real)
    if real and isinstance(value, mp.mpc):
        raise NotReal
    return value


def _value_of(tree: Tree, point: Point, real: bool) -> NumberLike:
    kind = tree[0]
    if kind == "number":
        return tree[1]
    if kind == "symbol":
        return point[tree[1]]
    if kind == "constant":
        return _constant(tree[1])
    if kind == "call":
        return _FUNCTIONS[tree[1]](*(value_of(argument, point, real=real) for argument in tree[2:]))
    rule = _RULES.get(kind)
    if rule is None:
        raise Unreadable("no single value")
    return rule(*(value_of(part, point, real=real) for part in tree[1:]))


def differ(a: Tree, b: Tree) -> bool:
    """Whether two scalar expressions differ.

    Raises:
        Unreadable: one of them has no value.
    """
    names = tuple(sorted(variables_of(a) | variables_of(b)))
    found = _differ_anywhere(a, b, names, real=True) if names and not _calls(_COMPLEX, a, b) else None
    found = _differ_anywhere(a, b, names, real=False) if found is None else found
    if found is None:
        raise Unreadable("a value that cannot be computed")
    return found


def _differ_anywhere(a: Tree, b: Tree, names: tuple[str, ...], *, real: bool) -> bool | None:
    """Whether they do at one of the points; None: at none of them both have a value, which is ``real`` if so asked."""
    decided = None
    numbers: Sequence[int] = range(POINTS if names else 1)
    if names and _calls(_LOGARITHMS, a, b):  # log(xy) is log x + log y for positive variables
        numbers = _POSITIVE
    for number in numbers:
        try:
            if _differ_at(a, b, _point(names, number), real=real):
                return True
            decided = False
        except (ArithmeticError, ValueError):
            continue
    return decided


def _calls(words: Collection[str], *trees: Tree) -> bool:
    """Whether a function or a constant of these occurs in any of the trees."""
    return any(
        (tree[0] in ("call", "constant") and tree[1] in words)
        or _calls(words, *(part for part in tree[1:] if isinstance(part, tuple)))
        for tree in trees
    )


def proportional(a: Tree, b: Tree) -> int:
    """The sign of the constant that b is times a: 1, -1; 0: b is no constant multiple of a (or either is zero)."""
    names = tuple(sorted(variables_of(a) | variables_of(b)))
    ratios: list[NumberLike] = []
    with mp.workdps(DIGITS[1]):
        for number in range(POINTS):
            point = _point(names, number)
            try:
                ratios.append(_divide(value_of(b, point), value_of(a, point)))
            except (ZeroDivisionError, OverflowError, ValueError):
                continue
        if len(ratios) < 3 or any(
            abs(_real(r) - _real(ratios[0])) > abs(_real(ratios[0])) * mp.mpf(10) ** -40 for r in ratios
        ):
            return 0
        first = _real(ratios[0])
        if not first or isinstance(first, mp.mpc):
            return 0
        return 1 if first > 0 else -1


def real_value(tree: Tree) -> NumberLike:
    """The real value of an expression without variables.

    Raises:
        Unreadable: it has none.
    """
    if variables_of(tree):
        raise Unreadable("a bound that is no number")
    try:
        with mp.workdps(DIGITS[0]):
            value = value_of(tree, {})
    except (ZeroDivisionError, OverflowError, ValueError):
        raise Unreadable("a value that cannot be computed") from None
    if isinstance(value, mp.mpc):
        raise Unreadable("a bound that is not real")
    return value


def _differ_at(a: Tree, b: Tree, point: Point, *, real: bool) -> bool:
    earlier: NumberLike = None
    for digits in DIGITS:
        with mp.workdps(digits):
            x, y = value_of(a, point, real=real), value_of(b, point, real=real)
            if isinstance(x, Fraction) and isinstance(y, Fraction):
                return x != y
            difference = _real(x) - _real(y)
            if not mp.isfinite(difference):
                raise ZeroDivisionError
            if earlier is not None:
                if difference == 0 and earlier == 0:
                    return False
                if difference != 0 and abs(difference - earlier) <= abs(difference) / 1000:
                    return True
            earlier = difference
    return False


@lru_cache(maxsize=2000)
def _point(names: tuple[str, ...], number: int) -> dict[str, Fraction]:
    """A value for every variable, the same on every machine: below 1, above 1, negative, of either sign, large."""
    low, high = ((50, 990), (1100, 6000), (-3900, -200), (-9000, 9000), (20000, 90000))[number]
    return {name: Fraction(random.Random(f"{number} {name}").randint(low, high) * 2 + 1, 2018) for name in names}


def _real(value: NumberLike) -> NumberLike:
    return mp.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def _constant(name: str) -> NumberLike:
    if name == "oo":
        raise Unreadable("infinity is no value")
    return {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}[name]


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def _exact(x: NumberLike, y: NumberLike) -> bool:
    return isinstance(x, Fraction) and isinstance(y, Fraction) and _bits(x) + _bits(y) < _MAX_BITS


def _add(x: NumberLike, y: NumberLike) -> NumberLike:
    return x + y if _exact(x, y) else _real(x) + _real(y)


def _multiply(x: NumberLike, y: NumberLike) -> NumberLike:
    return x * y if _exact(x, y) else _real(x) * _real(y)


def _divide(x: NumberLike, y: NumberLike) -> NumberLike:
    if y == 0:
        raise ZeroDivisionError
    return x / y if _exact(x, y) else _real(x) / _real(y)


def _power(base: NumberLike, exponent: NumberLike) -> NumberLike:
    if isinstance(base, Fraction) and base == 0:
        if isinstance(exponent, mp.mpc) or exponent <= 0:
            raise ZeroDivisionError
        return Fraction(0)
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        if exponent.denominator == 1 and abs(exponent) * _bits(base) < _MAX_BITS:
            return base ** int(exponent)
        root = _rational_root(base, exponent.denominator) if exponent.denominator <= 64 else None
        if root is not None and abs(exponent.numerator) * _bits(root) < _MAX_BITS:
            return root**exponent.numerator
    size = abs(exponent) * (1 + abs(mp.log(abs(_real(base))))) if base else 0
    if size > _LARGEST_POWER:
        raise Unreadable("too large a power")
    negative = not isinstance(base, mp.mpc) and base < 0
    odd = isinstance(exponent, Fraction) and exponent.denominator % 2 and exponent.denominator < 100
    if negative and odd:  # the real root, as people mean it
        sign = -1 if exponent.numerator % 2 else 1
        return sign * mp.power(-_real(base), _real(exponent))
    return mp.power(_real(base), _real(exponent))


def _root(degree: NumberLike, radicand: NumberLike) -> NumberLike:
    if not isinstance(degree, Fraction) or degree == 0:
        return _power(radicand, _divide(Fraction(1), degree))
    return _power(radicand, 1 / degree)


def _rational_root(base: Fraction, degree: int) -> Fraction | None:
    """The real root of a fraction where it is a fraction."""
    sign = -1 if base < 0 else 1
    if (sign < 0 and degree % 2 == 0) or _bits(base) > 4000:
        return None
    over, under = _whole_root(abs(base.numerator), degree), _whole_root(base.denominator, degree)
    return None if over is None or under is None else Fraction(sign * over, under)


def _whole_root(n: int, degree: int) -> int | None:
    if n < 2:
        return n
    if degree == 2:
        root = math.isqrt(n)
        return root if root * root == n else None
    low, high = 1, 1 << (n.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= n else (low, middle - 1)
    return low if low**degree == n else None


def _factorial(n: NumberLike) -> NumberLike:
    if isinstance(n, Fraction) and n.denominator == 1:
        if n < 0:
            raise ZeroDivisionError
        if n <= 2000:
            return Fraction(math.factorial(int(n)))
    if abs(n) > 10**9:
        raise Unreadable("too large a factorial")
    return mp.gamma(_real(n) + 1)


def _binomial(n: NumberLike, k: NumberLike) -> NumberLike:
    if _exact(n, k) and n.denominator == k.denominator == 1 and 0 <= k <= n <= 2000:
        return Fraction(math.comb(int(n), int(k)))
    if _exact(n, k) and k.denominator == 1 and 0 <= k <= 200:
        value = Fraction(1)
        for i in range(int(k)):
            value *= (n - i) / Fraction(i + 1)
        return value
    if max(abs(n), abs(k)) > 10**9:
        raise Unreadable("too large a binomial")
    return mp.binomial(_real(n), _real(k))


def _log(x: NumberLike, base: NumberLike | None = None) -> NumberLike:
    if x == 0 or base == 0:
        raise ZeroDivisionError
    return _divide(mp.log(_real(x)), mp.log(_real(_UNKNOWN_BASE if base is None else base)))


def _whole(
    rounding: Callable[[NumberLike], int], mp_rounding: Callable[[NumberLike], NumberLike]
) -> Callable[[NumberLike], NumberLike]:
    return lambda x: Fraction(rounding(x)) if isinstance(x, Fraction) else mp_rounding(x)


def _of_integers(function: Callable[..., int]) -> Callable[..., NumberLike]:
    def call(*values: NumberLike) -> NumberLike:
        if not all(isinstance(v, Fraction) and v.denominator == 1 for v in values):
            raise Unreadable("no integers")
        return Fraction(function(*map(int, values)))

    return call


def _real_only(function: Callable[..., NumberLike]) -> Callable[..., NumberLike]:
    def call(*values: NumberLike) -> NumberLike:
        if any(isinstance(v, mp.mpc) for v in values):
            raise ZeroDivisionError
        return function(*values)

    return call


def _of(name: str) -> Callable[[NumberLike], NumberLike]:
    return lambda x: getattr(mp, name)(_real(x))


_RULES: dict[str, Callable[..., NumberLike]] = {
    "+": _add,
    "*": _multiply,
    "/": _divide,
    "-": lambda x: -x,
    "^": _power,
    "root": _root,
    "%": lambda x: _divide(x, Fraction(100)),
    "degrees": lambda x: _divide(_multiply(x, +mp.pi), Fraction(180)),
}
_FUNCTIONS: dict[str, Callable[..., NumberLike]] = {
    **{name: _of(name) for name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh")},
    **{"arc" + name: _of("a" + name) for name in ("sin", "cos", "tan")},
    "cis": lambda x: mp.expj(_real(x)),
    "ln": lambda x: _log(x, +mp.e),
    "log": _log,
    "lg": lambda x: _log(x, Fraction(10)),
    "abs": abs,
    "floor": _real_only(_whole(math.floor, mp.floor)),
    "ceil": _real_only(_whole(math.ceil, mp.ceil)),
    "factorial": _factorial,
    "binom": _binomial,
    "max": _real_only(lambda *values: max(values)),
    "min": _real_only(lambda *values: min(values)),
    "gcd": _of_integers(math.gcd),
    "lcm": _of_integers(math.lcm),
}
