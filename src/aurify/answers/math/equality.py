"""When two mathematical answers, read as structures, are the same. Nothing is by chance or by rounding at some digit.

A point is no set (``(3,1)`` and ``{1,3}``), an equation is not its right side (``7 = 11a + c``) unless the left is a
name (``x = 5``), digits have a base, a list of two is no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd

from aurify.answers.math.reals import INFINITE, LEAST, Reals, simplest
from aurify.answers.math.structures import Based, MatrixTree, Relation, Several, Structure, Value, as_reals
from aurify.answers.math.tree import ONE, Tree, variables_of
from aurify.answers.math.values import differ, proportional, real_value
from aurify.answers.math.written import Cases, Ratio, TimeOfDay
from aurify.answers.number import Number
from aurify.answers.reading import Unreadable
from aurify.answers.same_number import same_number


def same(pred: Structure, gold: Structure) -> str | None:
    """Why the two are the same; None: they are not.

    Raises:
        Unreadable: a value in them cannot be computed.
    """
    if isinstance(pred, Value) and isinstance(gold, Value):
        return _same_value(pred, gold)
    if isinstance(pred, str) or isinstance(gold, str):
        return "the same words" if pred == gold else None
    if isinstance(pred, (TimeOfDay, Ratio, Cases)) or isinstance(gold, (TimeOfDay, Ratio, Cases)):
        return _same_written(pred, gold)
    if isinstance(gold, Reals) or isinstance(pred, Reals):
        return _same_reals(as_reals(pred), as_reals(gold))
    if isinstance(pred, Relation) and isinstance(gold, Relation):
        return "an equivalent relation" if _same_relation(pred, gold) else None
    if isinstance(pred, Value) and isinstance(gold, Relation):
        return "an equivalent relation" if _equation_of(pred, gold) else None
    if isinstance(pred, Relation) and isinstance(gold, Value):
        return "an equivalent relation" if _equation_of(gold, pred) else None
    if isinstance(pred, Based) and isinstance(gold, Based):
        return "the same digits in the same base" if pred == gold else None
    if isinstance(pred, MatrixTree) or isinstance(gold, MatrixTree):
        return _same_matrix(_as_matrix(_nested(pred)), _as_matrix(_nested(gold)))
    if isinstance(pred, Several) and isinstance(gold, Several):
        return _same_items(pred, gold)
    single, several = (pred, gold) if isinstance(gold, Several) else (gold, pred)
    if isinstance(several, Several) and several.kind in ("set", "list") and len(several.items) == 1:
        return same(several.items[0], single) if several is pred else same(single, several.items[0])
    return None


def _same_written(pred: Structure, gold: Structure) -> str | None:
    if isinstance(pred, Cases) and isinstance(gold, Cases):
        rows, others = ([Several("row", row) for row in side.rows] for side in (pred, gold))
        return "the same cases" if _match(rows, others) else None
    if isinstance(pred, TimeOfDay) and isinstance(gold, TimeOfDay):
        return "the same time" if pred.is_same(gold) else None
    time, number = (pred, gold) if isinstance(pred, TimeOfDay) else (gold, pred)
    if isinstance(time, TimeOfDay) and isinstance(number, Value):
        whole = number.tree == ("number", Fraction(time.time[0]), 0)
        return "the same hour" if whole and time.half and not any(time.time[1:]) else None
    if isinstance(gold, TimeOfDay) and len(gold.parts) == 2 and gcd(*gold.parts) > 1:
        return None  # no ratio, which would be in lowest terms; three parts are seldom a time
    ours, theirs = _parts(pred), _parts(gold)
    if not ours or not theirs or len(ours) != len(theirs):
        return None
    products = (
        (("*", ours[0], other), ("*", theirs[0], part)) for part, other in zip(ours[1:], theirs[1:], strict=True)
    )
    return None if any(differ(a, b) for a, b in products) else "the same ratio"


def _parts(item: Structure) -> list[Tree]:
    """What is in a ratio; a value is one to 1, and ``10:15`` is no time of day where a ratio is asked for."""
    if isinstance(item, Ratio):
        return [part.tree for part in item.parts]
    if isinstance(item, TimeOfDay) and not item.half:
        return [("number", Fraction(part), 0) for part in item.parts]
    is_fraction = isinstance(item, Value) and (number := _as_number(item.tree)) and number.value.denominator > 1
    return [item.tree, ONE] if is_fraction else []


def _as_matrix(item: Structure) -> MatrixTree | None:
    if isinstance(item, MatrixTree):
        return item
    if isinstance(item, Several) and item.kind in ("vector", "point"):
        return MatrixTree(tuple((entry,) for entry in item.items))
    if isinstance(item, Several) and item.kind == "square":
        return MatrixTree((item.items,))
    return None


def _nested(item: Structure) -> Structure:
    """``((1, 2), (3, 4))`` and ``{{1, 2}, {3, 4}}`` as the matrix that programs write so."""
    rows = item.items if isinstance(item, Several) else ()
    kinds = {row.kind for row in rows if isinstance(row, Several)}
    if kinds not in ({"point"}, {"set"}) or not all(isinstance(row, Several) for row in rows):
        return item
    return MatrixTree(tuple(row.items for row in rows)) if len({len(row.items) for row in rows}) == 1 else item


def _same_value(pred: Value, gold: Value) -> str | None:
    if pred.name is None and gold.name is not None and gold.name[0] != "symbol":
        return None  # gold is an equation, and this its right side
    if pred.name is not None and gold.name is not None and differ(pred.name, gold.name):
        return "an equivalent equation" if proportional(_as_equation(gold), _as_equation(pred)) else None
    infinite = _infinity(pred.tree), _infinity(gold.tree)
    if any(infinite):
        return "the same infinity" if infinite[0] == infinite[1] else None
    a, b = _as_number(pred.tree), _as_number(gold.tree)
    if a and b:
        return same_number(a, b)
    tree, other = _without_percent(pred.tree), _without_percent(gold.tree)
    if not differ(pred.tree, gold.tree) or ((tree, other) != (pred.tree, gold.tree) and not differ(tree, other)):
        return "an equal expression"
    if (a and a.decimals) or (b and b.decimals):
        a, b = a or _decimals_of(pred.tree), b or _decimals_of(gold.tree)
        return same_number(a, b) if a and b else None
    return None


def _as_equation(value: Value) -> Tree:
    return ("+", value.name, ("-", value.tree))


def _decimals_of(tree: Tree) -> Number | None:
    """An irrational value to 40 decimals, for the other side's decimals: ``\\pi`` for ``3.1416``."""
    try:
        value = real_value(tree)
    except Unreadable:
        return None
    if isinstance(value, Fraction):
        return Number(value, None)
    return Number(Fraction(int(value * 10**40), 10**40), None) if abs(value) < 10**9 else None


def _infinity(tree: Tree) -> int:
    if tree == INFINITE:
        return 1
    return -1 if tree == LEAST else 0


def _as_number(tree: Tree) -> Number | None:
    """A plain number, with its decimals."""
    if tree[0] == "number":
        return Number(tree[1], tree[2])
    if tree[0] == "-" and tree[1][0] == "number":
        return Number(-tree[1][1], tree[1][2])
    if tree[0] == "%":
        inner = _as_number(tree[1])
        return Number(inner.value, inner.decimals, True) if inner and not inner.percent else None
    try:
        value = real_value(tree) if not variables_of(tree) else None
    except Unreadable:
        return None
    return Number(value, None) if isinstance(value, Fraction) else None


def _without_percent(tree: Tree) -> Tree:
    return tree[1] if tree[0] == "%" else tree


def _same_items(pred: Several, gold: Several) -> str | None:
    if pred.kind == gold.kind == "row":
        alike = (same(a, b) for a, b in zip(pred.items, gold.items, strict=True))
        return "the same row" if all(alike) else None
    if pred.kind in ("list", "set") and gold.kind in ("list", "set"):
        return "the same items" if _match(pred.items, gold.items) else None
    kinds = {pred.kind, gold.kind}
    ordered = kinds <= {"point", "vector"} or kinds in ({"square"}, {"list", "point"}, {"list", "vector"})
    no_interval = len(gold.items) > 2 and kinds in ({"square", "list"}, {"square", "vector"})
    if not (ordered or no_interval) or len(pred.items) != len(gold.items):
        return None
    pairs = zip(_in_order(pred.items), _in_order(gold.items), strict=True)
    equal = all(same(_unnamed(a), _unnamed(b)) for a, b in pairs)
    return "the same items in order" if equal else None


def _in_order(items: Sequence[Structure]) -> Sequence[Structure]:
    """Coordinates by their names, ``y = 3, x = 2`` as (2, 3), where the names follow one another in the alphabet."""
    names = [
        item.name[1] if isinstance(item, Value) and item.name and item.name[0] == "symbol" else "" for item in items
    ]
    if not all(len(name) == 1 for name in names):
        return items
    if ord(max(names)) - ord(min(names)) != len(set(names)) - 1 or len(set(names)) != len(names):
        return items
    return [item for _, item in sorted(zip(names, items, strict=True), key=lambda pair: pair[0])]


def _unnamed(item: Structure) -> Structure:
    return Value(item.tree) if isinstance(item, Value) else item


def _match(pred: Sequence[Structure], gold: Sequence[Structure]) -> bool:
    """Whether every item of either is one of the other's, as often."""
    if len(pred) != len(gold):
        return False
    left = list(gold)
    for item in pred:
        found = next((i for i, other in enumerate(left) if same(item, other)), None)
        if found is None:
            return False
        del left[found]
    return True


def _same_matrix(pred: MatrixTree | None, gold: MatrixTree | None) -> str | None:
    if pred is None or gold is None or [len(row) for row in pred.rows] != [len(row) for row in gold.rows]:
        return None
    pairs = [
        (a, b) for ours, theirs in zip(pred.rows, gold.rows, strict=True) for a, b in zip(ours, theirs, strict=True)
    ]
    return "the same matrix" if all(same(a, b) for a, b in pairs) else None


def _same_reals(pred: Reals | None, gold: Reals | None) -> str | None:
    if pred is None or gold is None:
        return None
    if pred.name is not None and gold.name is not None and pred.name != gold.name:
        return None
    ours, theirs = simplest(pred), simplest(gold)
    if len(ours) != len(theirs):
        return None
    for a, b in zip(ours, theirs, strict=True):
        if (a.low_open, a.high_open) != (b.low_open, b.high_open):
            return None
        if not (_same_value(Value(a.low), Value(b.low)) and _same_value(Value(a.high), Value(b.high))):
            return None
    return "the same real numbers"


def _same_relation(pred: Relation, gold: Relation) -> bool:
    if pred.operator != gold.operator:
        return False
    sign = proportional(gold.difference, pred.difference)
    return sign > 0 or (sign < 0 and pred.operator in ("=", "!="))


def _equation_of(value: Value, relation: Relation) -> bool:
    """``y = 2x`` is named ``y``, and may be the equation ``2x - y = 0``."""
    if value.name is None or relation.operator != "=":
        return False
    return bool(proportional(relation.difference, _as_equation(value)))
