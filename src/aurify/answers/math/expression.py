"""Reads mathematics, in LaTeX or in plain notation, into a tree. Pure, linear in the length, bounded in depth.

One grammar serves both: ``\\frac{1}{2}``, ``1/2`` and ``½``; ``2\\pi`` and ``2*pi``; ``\\sin^2 x`` and ``sin(x)^2``;
``x^{2}``, ``x²`` and ``x**2``; ``\\binom{n}{2}`` and ``C(n,2)``; ``(-\\infty, 2]`` and ``(-oo, 2]``. What the grammar
does not know is unreadable here and left to math-verify (``algebra``).
"""

from __future__ import annotations

from aurify.answers.math.atoms import Atoms
from aurify.answers.math.tokens import tokens_of
from aurify.answers.math.tree import Tree, number
from aurify.answers.reading import Unreadable

_RELATIONS = frozenset(("=", "!=", "<", ">", "<=", ">=", "∈", "≈"))
_CLOSES = frozenset((")", "]", "}", "\\}", "⟩", "⌋", "⌉"))


def read_expression(text: str) -> Tree:
    """The tree of a whole text.

    Raises:
        Unreadable: it is no expression of this grammar, or nested too deeply.
    """
    return _Parser(tokens_of(text)).whole()


class _Parser(Atoms):
    """Recursive descent: lists, relations, sums, products, powers."""

    def whole(self) -> Tree:
        if not self.tokens:
            raise Unreadable("empty")
        self.accept("=")
        tree = self.items(top=True)
        if self.peek() is not None:
            raise Unreadable(f"{self.peek()!r} where none belongs")
        return tree

    def items(self, *, top: bool = False) -> Tree:
        """Items between commas, ``and`` and ``or``."""
        self.deeper()
        found, joints = [self.relation()], []
        while self.peek() in (",", ";", "and", "or"):
            joint = self.take()
            while self.peek() in ("and", "or", ","):  # "1, 2, and 3"
                joint = self.take()
            if self.peek() is None:
                if top:
                    break
                raise Unreadable("a list that breaks off")
            joints.append(str(joint))
            found.append(self.relation())
        self.depth -= 1
        if len(found) == 1:
            return found[0]
        if set(joints) <= {"or"} or set(joints) == {"and"}:
            return (joints[0], *found)
        return ("list", *found)

    def relation(self) -> Tree:
        sides, operators = [self.union()], []
        while self.peek() in _RELATIONS:
            operators.append(str(self.take()))
            sides.append(self.union())
        return ("relation", tuple(operators), *sides) if operators else sides[0]

    def union(self) -> Tree:
        tree = self.sum()
        while self.peek() in ("∪", "∖") or (self.peek() in ("U", "u") and self.peek(1) in ("(", "[", "{", "\\{")):
            word = "without" if self.take() == "∖" else "union"
            tree = (word, tree, self.sum())
        return tree

    def sum(self) -> Tree:
        self.deeper()
        tree: Tree | None = None
        while True:
            if self.peek() in ("+", "-"):
                term = self.product() if self.take() == "+" else ("-", self.product())
                tree = term if tree is None else ("+", tree, term)
            elif self.peek() in ("±", "∓"):
                sign = str(self.take())
                tree = ("pm", tree, self.product(), sign)
            elif tree is None:
                tree = self.product()
            else:
                break
        self.depth -= 1
        return tree

    def product(self) -> Tree:
        tree = self.signed()
        while True:
            if self.accept("*"):
                tree = ("*", tree, self.signed())
            elif self.accept("/"):
                tree = ("/", tree, self.signed())
            elif self.accept("choose"):
                tree = ("call", "binom", tree, self.signed())
            elif self.starts_factor():
                tree = self.implied(tree)
            else:
                return tree

    def implied(self, tree: Tree) -> Tree:
        """A factor without a sign between; ``2 1/2`` and ``2\\frac{1}{2}`` are mixed numbers."""
        token = self.peek()
        assert token is not None
        before = self.tokens[self.at - 1]
        whole = tree[0] == "number" and tree[2] == 0 and before.kind == "number"
        if token.kind == "number":
            under = self.peek(2)
            if whole and token.spaced and self.peek(1) == "/" and under is not None and under.kind == "number":
                over = self.take()
                self.take()
                return ("+", tree, ("/", number(over), number(self.take())))
            if before.kind == "number":
                raise Unreadable("two numbers side by side")
        factor = self.power()
        proper = factor[0] == "/" and factor[1][0] == factor[2][0] == "number" and factor[1][1] < factor[2][1]
        if whole and proper and token == "\\frac":
            return ("+", tree, factor)
        return ("*", tree, factor)

    def starts_factor(self) -> bool:
        token = self.peek()
        if token is None or token in ("and", "or", "choose", "\\\\", "\\end", "\\]", "\\)"):
            return False
        if token == "|":
            return self.bars == 0 and self.peek(1) is not None
        if (
            token in ("U", "u")
            and self.peek(1) in ("(", "[", "{", "\\{")
            and self.at
            and self.tokens[self.at - 1] in _CLOSES
        ):
            return False
        if token.kind in ("number", "macro", "word"):
            return token not in _CLOSES
        return token in ("(", "{", "⌊", "⌈", "√", "∅")

    def signed(self) -> Tree:
        if self.accept("-"):
            return ("-", self.signed())
        if self.accept("+"):
            return self.signed()
        return self.power()

    def power(self) -> Tree:
        base = self.postfix()
        if not self.accept("^"):
            return base
        if base[0] in ("matrix", "bracket") and self.peek() in ("T", "\\top", "\\intercal", "{"):
            return self.transposed(base)
        if self.accept("°"):
            return ("degrees", base)
        if self.peek() == "{" and self.peek(1) == "°" and self.peek(2) == "}":
            self.at += 3
            return ("degrees", base)
        return self.marks(("^", base, self.exponent()))

    def transposed(self, tree: Tree) -> Tree:
        """A matrix, or a row in square brackets, behind which ``^T`` stands."""
        braces = self.accept("{")
        if not self.accept("T", "\\top", "\\intercal"):
            raise Unreadable("a power of brackets")
        if braces:
            self.expect("}")
        if tree[0] == "bracket" and tree[1:3] == ("(", ")"):
            tree = ("matrix", ("row", *tree[3:]))
        elif tree[0] == "bracket" and tree[1:3] == ("[", "]"):
            nested = all(part[0] == "bracket" for part in tree[3:])
            rows = [("row", *part[3:]) for part in tree[3:]] if nested else [("row", *tree[3:])]
            tree = ("matrix", *rows)
        if tree[0] != "matrix" or len({len(row) for row in tree[1:]}) != 1:
            raise Unreadable("nothing that can be transposed")
        return ("matrix", *(("row", *column) for column in zip(*(row[1:] for row in tree[1:]), strict=True)))

    def exponent(self) -> Tree:
        self.deeper()
        negative = self.accept("-")
        if not negative:
            self.accept("+")
        exponent = self.power()
        self.depth -= 1
        return ("-", exponent) if negative else exponent

    def postfix(self) -> Tree:
        return self.marks(self.atom())

    def marks(self, tree: Tree) -> Tree:
        while True:
            if self.peek() == "!" and self.peek(1) != "!":
                self.take()
                tree = ("call", "factorial", tree)
            elif self.accept("%"):
                tree = ("%", tree)
            elif self.accept("°"):
                tree = ("degrees", tree)
            elif self.peek() == "_" and tree[0] == "number":
                self.take()
                base = self.group()
                if base[0] != "number" or base[1].denominator != 1:
                    raise Unreadable("a base that is no number")
                tree = ("base", tree[1], base[1])
            else:
                return tree
