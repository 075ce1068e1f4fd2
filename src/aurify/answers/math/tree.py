"""The tree of an expression. It is a tuple whose first member says what it is:
``("number", Fraction, decimals | None)``, ``("symbol", name)``, ``("constant", "pi" | "e" | "i" | "oo")``,
``("+" | "*", left, right)``, ``("/", over, under)``, ``("^", base, exponent)``, ``("root", degree, radicand)``,
``("-", x)``, ``("pm", left | None, right, sign)``, ``("call", function, argument, ...)``, ``("%", x)``,
``("base", digits, base)``, ``("bracket", opening, closing, item, ...)``, ``("list" | "set", item, ...)``,
``("matrix", row, ...)``, ``("relation", (operator, ...), side, ...)``, ``("or" | "and", item, ...)``,
``("union" | "without", left, right)``, ``("reals",)``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Tree = tuple[Any, ...]

ZERO: Tree = ("number", Fraction(0), 0)
ONE: Tree = ("number", Fraction(1), 0)
TWO: Tree = ("number", Fraction(2), 0)
THREE: Tree = ("number", Fraction(3), 0)


def variables_of(tree: Tree) -> frozenset[str]:
    """The names of the variables in a tree."""
    found: set[str] = set()
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            if len(node) == 2 and node[0] == "symbol":
                found.add(node[1])
            else:
                stack.extend(node[1:])
    return frozenset(found)


def substituted(tree: Tree, name: str, value: Tree) -> Tree:
    """The tree with a value in place of a variable."""
    if tree == ("symbol", name):
        return value
    return tuple(substituted(part, name, value) if isinstance(part, tuple) else part for part in tree)


def number(token: str) -> Tree:
    """The tree of a number as it is written, with its decimals."""
    return ("number", Fraction(token if token[0] != "." else "0" + token), len(token.partition(".")[2]))
