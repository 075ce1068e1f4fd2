"""What kind of thing a mathematical answer is: a value, a list, a point, a set, an interval, an equation, a matrix.

A list without brackets (``3, 5``, ``x = 3 or x = 5``, ``4 \\pm 1``) is a set, or a point whose order it keeps.
Inequalities, intervals and the real numbers without some are sets of real numbers, whichever way they are written. Of
``x = 5`` the value is 5, and its name x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from aurify.answers.math.expression import read_expression
from aurify.answers.math.reals import EVERYTHING, FLIPPED, RealInterval, Reals, inequality, intersection, union, without
from aurify.answers.math.tree import Tree, variables_of
from aurify.answers.math.written import Cases, Ratio, cases_in, clock_in, ratio_in, rows_in, without_library
from aurify.answers.reading import Unreadable

_MOST_SIGNS = 3
_SCALARS = frozenset(("number", "symbol", "constant", "+", "*", "/", "-", "^", "root", "call", "%", "degrees"))


@dataclass(frozen=True)
class Value:
    """One scalar, and the name that it was given (``x = 5``)."""

    tree: Tree
    name: Tree | None = None


@dataclass(frozen=True)
class Several:
    """Items in brackets or in none. ``kind``: list (no brackets), set, point, vector, square."""

    kind: str
    items: tuple[Any, ...]


@dataclass(frozen=True)
class MatrixTree:
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Relation:
    """An equation or inequality between expressions: ``left - right`` is compared with zero."""

    operator: str
    difference: Tree
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Based:
    """Digits in a base: ``204_5``."""

    digits: Fraction
    base: Fraction


Structure = Any


def read_structure(text: str) -> Structure:
    """What a text states.

    Raises:
        Unreadable: it is none of these.
    """
    clock = clock_in(text)
    if clock is not None:
        return clock
    matrix = rows_in(text)
    if matrix is not None:
        return MatrixTree(tuple(tuple(_value(cell) for cell in row) for row in matrix))
    rows = cases_in(text)
    if rows is not None:
        return _cases(rows)
    parts = ratio_in(text)
    if parts is not None:
        return Ratio(tuple(_value(part) for part in parts))
    return _structure(read_expression(without_library(text)))


def _value(text: str) -> Value:
    found = _structure(read_expression(text))
    if not isinstance(found, Value):
        raise Unreadable("a ratio of other things than values")
    return found


def _cases(rows: Sequence[tuple[str, str]]) -> Structure:
    if not any(condition for _, condition in rows):  # a system of equations
        return _structure(read_expression(", ".join(value for value, _ in rows)))
    return Cases(tuple((read_structure(value), _condition(condition)) for value, condition in rows))


def _condition(text: str) -> Structure:
    """A condition as a structure, or as words that are compared as they are written."""
    try:
        return read_structure(text)
    except Unreadable:
        return " ".join(word for word in text.lower().replace("$", " ").split() if word not in ("is", "are"))


def _structure(tree: Tree) -> Structure:
    kind = tree[0]
    if kind == "+" and tree[1] == ("reals",) and tree[2][0] == "-":
        return _real_set(("without", tree[1], tree[2][1]))
    if kind == "*" and tree[2][0] == "matrix":
        return _scaled(tree[1], _structure(tree[2]))
    if kind in _SCALARS or kind == "pm":
        return _scalars(tree)
    if kind == "base":
        return Value(("number", tree[1], 0)) if tree[2] == 10 else Based(tree[1], tree[2])
    if kind == "list":
        return _listed([_structure(item) for item in tree[1:]])
    if kind == "set":
        return Several("set", tuple(_flat([_structure(item) for item in tree[1:]])))
    if kind == "matrix":
        return MatrixTree(tuple(tuple(_structure(item) for item in row[1:]) for row in tree[1:]))
    if kind == "bracket":
        return _bracket(tree[1], tree[2], tree[3:])
    if kind == "relation":
        return _relation(tree[1], tree[2:])
    if kind in ("or", "and"):
        return _joined(kind, [_structure(item) for item in tree[1:]])
    if kind in ("union", "without", "reals"):
        return _real_set(tree)
    raise Unreadable("no answer of a known kind")


def _scaled(factor: Tree, matrix: MatrixTree) -> MatrixTree:
    entries = [entry for row in matrix.rows for entry in row]
    if factor[0] not in _SCALARS or not all(isinstance(entry, Value) for entry in entries):
        raise Unreadable("a product of other things than a number and a matrix")
    return MatrixTree(tuple(tuple(Value(("*", factor, entry.tree)) for entry in row) for row in matrix.rows))


def _scalars(tree: Tree) -> Structure:
    variants = _without_signs(tree)
    if len(variants) == 1:
        return Value(variants[0])
    return Several("list", tuple(Value(variant) for variant in variants))


def _without_signs(tree: Tree) -> list[Tree]:
    """The expressions that ``±`` stands for: the upper and the lower, or all where several are independent."""
    count = _count_signs(tree)
    if not count:
        return [tree]
    if count > _MOST_SIGNS:
        raise Unreadable("too many signs")
    return [_signed(tree, iter(signs)) for signs in product((1, -1), repeat=count)]


def _count_signs(tree: Any) -> int:
    if not isinstance(tree, tuple):
        return 0
    return (tree[:1] == ("pm",)) + sum(_count_signs(part) for part in tree[1:])


def _signed(tree: Any, signs: Any) -> Any:
    if not isinstance(tree, tuple):
        return tree
    if tree[0] != "pm":
        return (tree[0], *(_signed(part, signs) for part in tree[1:]))
    left = _signed(tree[1], signs)
    is_plus = (next(signs) > 0) == (tree[3] == "±")
    right = _signed(tree[2], signs)
    right = right if is_plus else ("-", right)
    return right if left is None else ("+", left, right)


def _flat(items: Sequence[Structure]) -> list[Structure]:
    """``4 \\pm 1`` within a list or set is two of its items."""
    flat: list[Structure] = []
    for item in items:
        flat.extend(item.items if isinstance(item, Several) and item.kind == "list" else [item])
    return flat


def _listed(items: list[Structure]) -> Structure:
    items = _flat(items)
    if isinstance(items[0], Reals) and items[0].name is not None:
        ranges = _ranges(items[0], items[1:])
        if ranges is not None:
            return ranges
    named = [item for item in items if isinstance(item, Value) and item.name is not None]
    if named and named[0] is items[0] and len(named) == 1 and all(isinstance(item, Value) for item in items):
        items = [Value(item.tree) for item in items]  # "x = 1, 2"
    return Several("list", tuple(items))


def _ranges(first: Reals, others: Sequence[Structure]) -> Reals | None:
    """``x > 3, x \\le 7`` and ``x \\ne 3, 5``: what holds together, or, where nothing does, each of them."""
    if first.is_hole and all(isinstance(item, Value) and _is_constant(item.tree) for item in others):
        return without([first.spans[0].high, *(item.tree for item in others)], first.name)
    if not all(isinstance(item, Reals) and item.name == first.name for item in others):
        return None
    together = intersection([first, *others])
    return together if together.spans else union([first, *others])


def _bracket(opening: str, closing: str, parts: Sequence[Tree]) -> Structure:
    items = tuple(_structure(part) for part in parts)
    if opening == "⟨":
        return Several("vector", items)
    if (opening, closing) == ("(", ")"):
        return Several("point", items)
    if (opening, closing) == ("[", "]"):
        rows = [item for item in items if isinstance(item, Several) and item.kind == "square"]
        if len(rows) == len(items) and len({len(row.items) for row in rows}) == 1:
            return MatrixTree(tuple(row.items for row in rows))
        return Several("square", items)
    if len(parts) != 2 or any(part[0] not in _SCALARS for part in parts):
        raise Unreadable("brackets that do not belong together")
    return Reals((RealInterval(parts[0], opening in "(]", parts[1], closing in ")["),))


def _relation(operators: Sequence[str], sides: Sequence[Tree]) -> Structure:
    if operators[-1] == "≈" and len(sides) > 1:
        operators, sides = (operators[:-1], sides[:-1]) if len(sides) > 2 or not _is_name(sides[0]) else (("=",), sides)
        if not operators:
            return _structure(sides[0])
    if operators == ("!=",) and all(_is_constant(side) for side in sides):  # "5!=120"
        operators, sides = ("=",), (("call", "factorial", sides[0]), sides[1])
    if any(operator == "≈" for operator in operators):
        raise Unreadable("an approximation within an equation")
    if operators == ("∈",) and sides[0][0] == "symbol":
        return _member(sides[0], _structure(sides[1]))
    if set(operators) == {"="}:
        last = _structure(sides[-1])
        if sides[0][0] == "bracket":
            return _coordinates(sides[0], last)
        if _is_name(sides[0]):
            return _named(sides[0], last)
        if len(sides) > 2 or all(_is_constant(side) for side in sides):
            return last
    ranges = inequality(operators, sides)
    if ranges is not None:
        return ranges
    if len(sides) != 2 or any(side[0] not in _SCALARS for side in sides):
        raise Unreadable("a relation of more than two sides")
    operator, left, right = operators[0], sides[0], sides[1]
    if operator in (">", ">="):
        operator, left, right = FLIPPED[operator], right, left
    return Relation(operator, ("+", left, ("-", right)), left, right)


def _named(name: Tree, value: Structure) -> Structure:
    return Value(value.tree, name) if isinstance(value, Value) else value


def _coordinates(names: Tree, values: Structure) -> Structure:
    """``(x, y) = (2, 3)``: a point, each of whose values has a name."""
    items = names[3:]
    if not isinstance(values, Several) or len(values.items) != len(items):
        raise Unreadable("an equation of other brackets")
    if not all(item[0] == "symbol" for item in items) or not all(isinstance(item, Value) for item in values.items):
        return values
    pairs = zip(items, values.items, strict=True)
    return Several(values.kind, tuple(Value(value.tree, name) for name, value in pairs))


def _member(name: Tree, value: Structure) -> Structure:
    if isinstance(value, Reals):
        return Reals(value.spans, name[1])
    if isinstance(value, Several) and value.kind in ("point", "square") and len(value.items) == 2:
        ends = as_reals(value)
        return Reals(ends.spans, name[1]) if ends else value
    return value


def _is_name(tree: Tree) -> bool:
    """Whether the tree names a quantity: letters without numbers, as ``x``, ``AB`` and ``x + y``."""
    if tree[0] == "symbol":
        return True
    if tree[0] == "call":  # "\\tan Y = 7/24"
        return len(tree) == 3 and tree[2][0] == "symbol"
    return tree[0] in ("*", "+", "/") and all(_is_name(part) for part in tree[1:])


def _is_constant(tree: Tree) -> bool:
    return tree[0] in _SCALARS and not variables_of(tree)


def _joined(kind: str, items: list[Structure]) -> Structure:
    """``x < 2 or x > 5`` is a set of reals, ``x > 2 and x < 5`` another; ``3 or 5`` a list."""
    reals = [item for item in items if isinstance(item, Reals) and item.name is not None]
    if len(reals) != len(items):
        return _listed([Value(i.tree) if isinstance(i, Value) and i.name and _one_name(items) else i for i in items])
    if len({item.name for item in reals}) > 1:
        return Several("list", tuple(items))
    return union(reals) if kind == "or" else intersection(reals)


def _one_name(items: Sequence[Structure]) -> bool:
    return len({item.name for item in items if isinstance(item, Value)}) == 1


def _real_set(tree: Tree) -> Reals:
    if tree[0] == "reals":
        return Reals((EVERYTHING,))
    if tree[0] == "union":
        left, right = as_reals(_structure(tree[1])), as_reals(_structure(tree[2]))
        if left is None or right is None:
            raise Unreadable("a union of other sets")
        return union([left, right])
    left, removed = _structure(tree[1]), _structure(tree[2])
    points = removed.items if isinstance(removed, Several) and removed.kind in ("set", "list") else (removed,)
    if left != Reals((EVERYTHING,)) or not all(isinstance(point, Value) for point in points):
        raise Unreadable("a difference of other sets")
    return without([point.tree for point in points])


def as_reals(item: Structure) -> Reals | None:
    if isinstance(item, Reals):
        return item
    if not isinstance(item, Several) or not all(isinstance(part, Value) for part in item.items):
        return None
    if item.kind in ("point", "square") and len(item.items) == 2:
        is_open = item.kind == "point"
        return Reals((RealInterval(item.items[0].tree, is_open, item.items[1].tree, is_open),))
    if item.kind == "set":
        return Reals(tuple(RealInterval(point.tree, False, point.tree, False) for point in item.items))
    return None
