"""Sets of real numbers: intervals, their unions and intersections, and the inequalities that describe them.

An inequality in one variable is solved where it is linear, or bounds the absolute value of something linear. Others,
such as ``x^2 < 4``, stay relations: they are the problem and not its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import pairwise

from aurify.answers.math.tree import ONE, ZERO, Tree, substituted, variables_of
from aurify.answers.math.values import differ, real_value
from aurify.answers.reading import Unreadable

INFINITE: Tree = ("constant", "oo")
LEAST: Tree = ("-", INFINITE)
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


@dataclass(frozen=True)
class RealInterval:
    """Real numbers from ``low`` to ``high``; an end is open or closed."""

    low: Tree
    low_open: bool
    high: Tree
    high_open: bool


@dataclass(frozen=True)
class Reals:
    """A set of real numbers, in order, and the name of what lies in it, where it was given as an inequality."""

    spans: tuple[RealInterval, ...]
    name: str | None = None

    @property
    def is_hole(self) -> bool:
        """Whether it is all real numbers but one."""
        ends = [(span.low, span.high) for span in self.spans]
        return len(ends) == 2 and ends[0][0] == LEAST and ends[1][1] == INFINITE and ends[0][1] == ends[1][0]


EVERYTHING = RealInterval(LEAST, True, INFINITE, True)


def union(sets: Sequence[Reals]) -> Reals:
    """The numbers in any of the sets."""
    return Reals(tuple(span for one in sets for span in one.spans), next((one.name for one in sets if one.name), None))


def intersection(sets: Sequence[Reals]) -> Reals:
    """The numbers in all of the sets.

    Raises:
        Unreadable: an end of an interval is no number.
    """
    spans = sets[0].spans
    for other in sets[1:]:
        both = [_both(a, b) for a in spans for b in other.spans]
        spans = tuple(span for span in both if not _is_empty(span))
    return Reals(spans, next((one.name for one in sets if one.name), None))


def without(points: Sequence[Tree], name: str | None = None) -> Reals:
    """All real numbers but these."""
    ends = [LEAST, *sorted(points, key=cmp_to_key(_order)), INFINITE]
    return Reals(tuple(RealInterval(a, True, b, True) for a, b in pairwise(ends)), name)


def simplest(reals: Reals) -> tuple[RealInterval, ...]:
    """The same set as the fewest intervals, in order: ``(0, 1) ∪ {1}`` is ``(0, 1]``."""
    merged: list[RealInterval] = []
    spans = [span for span in reals.spans if not _is_empty(span)]
    for span in sorted(spans, key=cmp_to_key(_first)):
        last = merged[-1] if merged else None
        gap = _order(last.high, span.low) if last else -1
        if last is None or gap < 0 or (gap == 0 and last.high_open and span.low_open):
            merged.append(span)
            continue
        further = _order(span.high, last.high)
        if further > 0 or (further == 0 and not span.high_open):
            merged[-1] = RealInterval(last.low, last.low_open, span.high, span.high_open)
    return tuple(merged)


def inequality(operators: Sequence[str], sides: Sequence[Tree]) -> Reals | None:
    """The real numbers for which ``x < 3``, ``2 \\le x < 5``, ``x \\ne 3`` or ``|x - 3| < 2`` holds; None: others."""
    names = set().union(*map(variables_of, sides))
    known = ("!=",) if len(sides) == 2 else ()
    if len(names) != 1 or any(operator not in ("<", "<=", ">", ">=", *known) for operator in operators):
        return None
    name = next(iter(names))
    if len(sides) > 2 and len({operator[0] for operator in operators}) > 1:
        return None
    try:
        found = [_solved(op, a, b, name) for op, (a, b) in zip(operators, pairwise(sides), strict=True)]
        return None if None in found else intersection([Reals(one, name) for one in found if one is not None])
    except Unreadable:
        return None


Spans = tuple[RealInterval, ...]


def _solved(operator: str, left: Tree, right: Tree, name: str) -> Spans | None:
    if not variables_of(left) and variables_of(right):
        operator, left, right = FLIPPED[operator], right, left
    if variables_of(right) or left[:2] != ("call", "abs"):
        line = _line(left if not variables_of(right) else ("+", left, ("-", right)), name)
        if line is None:
            return None
        bound = ZERO if variables_of(right) else right
        return _beside(operator if real_value(line[0]) > 0 else FLIPPED[operator], _root(line, bound))
    line = _line(left[2], name)
    if line is None or operator == "!=":
        return None
    return _around(operator, line, right)


def _beside(operator: str, bound: Tree) -> Spans:
    below, above = (
        RealInterval(LEAST, True, bound, operator != "<="),
        RealInterval(bound, operator != ">=", INFINITE, True),
    )
    return (below, above) if operator == "!=" else (below,) if operator[0] == "<" else (above,)


def _around(operator: str, line: tuple[Tree, Tree], radius: Tree) -> Spans:
    """Where the absolute value of the line is below (or above) the radius."""
    size, is_open = real_value(radius), len(operator) == 1
    if size < 0:
        return () if operator[0] == "<" else (EVERYTHING,)
    low, high = _root(line, ("-", radius)), _root(line, radius)
    if real_value(line[0]) < 0:
        low, high = high, low
    if operator[0] == "<":
        return (RealInterval(low, is_open, high, is_open),)
    return (RealInterval(LEAST, True, low, is_open), RealInterval(high, is_open, INFINITE, True))


def _line(tree: Tree, name: str) -> tuple[Tree, Tree] | None:
    """The slope and the value at 0 of what is linear in the name; None: it is not."""
    if tree == ("symbol", name):
        return ONE, ZERO
    start = substituted(tree, name, ZERO)
    slope: Tree = ("+", substituted(tree, name, ONE), ("-", start))
    if real_value(slope) == 0 or differ(tree, ("+", ("*", slope, ("symbol", name)), start)):
        return None
    return slope, start


def _root(line: tuple[Tree, Tree], value: Tree) -> Tree:
    """Where the line takes the value."""
    return value if line == (ONE, ZERO) else ("/", ("+", value, ("-", line[1])), line[0])


def _both(a: RealInterval, b: RealInterval) -> RealInterval:
    low, high = _order(a.low, b.low), _order(a.high, b.high)
    return RealInterval(
        a.low if low >= 0 else b.low,
        (low >= 0 and a.low_open) or (low <= 0 and b.low_open),
        a.high if high <= 0 else b.high,
        (high <= 0 and a.high_open) or (high >= 0 and b.high_open),
    )


def _is_empty(span: RealInterval) -> bool:
    order = _order(span.low, span.high)
    return order > 0 or (order == 0 and (span.low_open or span.high_open))


def _first(a: RealInterval, b: RealInterval) -> int:
    return _order(a.low, b.low) or a.low_open - b.low_open


def _order(a: Tree, b: Tree) -> int:
    """-1, 0 or 1 where a is below, at or above b; minus infinity is the least."""
    ends = [-1 if end == LEAST else end == INFINITE for end in (a, b)]
    if any(ends):
        return (ends[0] > ends[1]) - (ends[0] < ends[1])
    if not differ(a, b):
        return 0
    return 1 if real_value(("+", a, ("-", b))) > 0 else -1
