"""What the own grammar does not read: math-verify's parser, and SymPy's exact arithmetic behind it.

Imported only in the worker process, which can be killed. Only scalar expressions are compared, by their values to 50
and more digits at generic points: math-verify's own comparison rounds at 15 digits, so that e^-50 is e^-51 for it.
"""

from __future__ import annotations

from typing import Any

import sympy
from latex2sympy2_extended import NormalizationConfig, latex2sympy, normalize_latex
from latex2sympy2_extended.latex2sympy2 import ConversionConfig

_NORMAL = NormalizationConfig(
    # units off: its list holds single letters, and would read "2 - t" as "2 -"
    basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
)  # fmt: skip
_CONVERSION = ConversionConfig(lowercase_symbols=False)
_POINTS = ((97, 89), (31, 53), (-71, 37))


def parse_latex(text: str) -> Any | None:
    """The SymPy object of a whole text, with its decimals exact; None where it cannot be read."""
    try:
        parsed = latex2sympy(normalize_latex(text, _NORMAL), normalization_config=None, conversion_config=_CONVERSION)
        if not isinstance(parsed, sympy.Basic):
            return None
        return parsed.xreplace({number: sympy.Rational(str(number)) for number in parsed.atoms(sympy.Float)})
    except (MemoryError, RecursionError):
        raise
    except Exception:
        return None


def equal(a: Any, b: Any) -> bool:
    """Whether two SymPy objects are equal: the same in form, or scalar expressions of the same value."""
    if a == b:
        return True
    if not (isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr)):
        return False
    difference = a.doit() - b.doit()
    if difference == 0:
        return True
    symbols = sorted(difference.free_symbols, key=str)
    points = _POINTS if symbols else _POINTS[:1]
    return all(_vanishes(difference.subs(_point(symbols, point))) for point in points)


def _point(symbols: list[Any], point: tuple[int, int]) -> dict[Any, Any]:
    return {symbol: sympy.Rational(point[0] + 2 * i, point[1]) for i, symbol in enumerate(symbols)}


def _vanishes(value: Any) -> bool:
    """Whether a constant is zero: it shrinks with the digits to which it is computed."""
    if value == 0:
        return True
    coarse, fine = sympy.N(value, 50), sympy.N(value, 150)
    if not (coarse.is_number and fine.is_number) or fine.has(sympy.nan, sympy.zoo, sympy.oo):
        return False
    return bool(abs(fine) < sympy.Float(10, 20) ** -100)
