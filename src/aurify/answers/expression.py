"""Reads mathematics, in LaTeX or in plain notation, into a tree. Pure, linear in the length, bounded in depth.

One grammar serves both: ``\\frac{1}{2}``, ``1/2`` and ``½``; ``2\\pi`` and ``2*pi``; ``\\sin^2 x`` and ``sin(x)^2``;
``x^{2}``, ``x²`` and ``x**2``; ``\\binom{n}{2}`` and ``C(n,2)``; ``(-\\infty, 2]`` and ``(-oo, 2]``. What the grammar
does not know is unreadable here and left to math-verify (``algebra``).

A tree is a tuple whose first member says what it is:
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

from aurify.answers.reading import Unreadable
from aurify.answers.tokens import ALIASES, CONSTANTS, FUNCTIONS, GREEK, Token, tokens_of

Tree = tuple[Any, ...]

MAX_DEPTH = 60
"""Formulas that are nested more deeply are unreadable."""

_RELATIONS = frozenset(("=", "!=", "<", ">", "<=", ">=", "∈", "≈"))
_UNREAL = frozenset(
    ("\\text", "\\mathrm", "\\textbf", "\\mathbf", "\\operatorname", "\\mbox", "\\textit", "\\mathit", "\\rm")
)
_CLOSES = frozenset((")", "]", "}", "\\}", "⟩", "⌋", "⌉"))


def read_expression(text: str) -> Tree:
    """The tree of a whole text.

    Raises:
        Unreadable: it is no expression of this grammar, or nested too deeply.
    """
    return _Parser(tokens_of(text)).whole()


def names_of(tree: Tree) -> frozenset[str]:
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


class _Parser:
    """Recursive descent. ``bars`` counts the absolute values that are open: there a bar closes."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth, self.bars = tokens, 0, 0, 0

    def peek(self, ahead: int = 0) -> Token | None:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else None

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise Unreadable("an expression that breaks off")
        self.at += 1
        return token

    def accept(self, *texts: str) -> bool:
        if self.peek() in texts:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise Unreadable(f"no {text!r} where one belongs")

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
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
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
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        tree: Tree | None = None
        while True:
            if self.accept("+"):
                term = self.product()
                tree = term if tree is None else ("+", tree, term)
            elif self.accept("-"):
                term = ("-", self.product())
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
                return ("+", tree, ("/", _number(over), _number(self.take())))
            if before.kind == "number":
                raise Unreadable("two numbers side by side")
        factor = self.power()
        proper = factor[0] == "/" and factor[1][0] == factor[2][0] == "number" and factor[1][1] < factor[2][1]
        if whole and proper and token == "\\frac":
            return ("+", tree, factor)
        return ("*", tree, factor)

    def starts_factor(self) -> bool:
        token = self.peek()
        if token is None or token in ("and", "or", "\\\\", "\\end", "\\]", "\\)"):
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
        if self.accept("°"):
            return ("degrees", base)
        if self.peek() == "{" and self.peek(1) == "°" and self.peek(2) == "}":
            self.at += 3
            return ("degrees", base)
        exponent = self.exponent()
        tree: Tree = ("^", base, exponent)
        return self.marks(tree)

    def exponent(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
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
            if self.peek() == "!" and self.peek(1) not in ("!", "="):
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

    def group(self) -> Tree:
        """What stands in braces, or one token: ``\\frac12``, ``x^{2}``."""
        if self.accept("{"):
            bars, self.bars = self.bars, 0
            tree = self.items()
            self.bars = bars
            self.expect("}")
            return tree
        token = self.peek()
        if (
            token is not None and token.kind == "number" and len(token) > 1 and "." not in token
        ):  # one digit, as TeX has it
            first, rest = Token(token[0]), Token(token[1:])
            first.kind = rest.kind = "number"
            first.spaced, rest.spaced = token.spaced, False
            self.tokens[self.at : self.at + 1] = [first, rest]
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        tree = ("-", self.atom()) if self.accept("-") else self.atom()
        self.depth -= 1
        return tree

    def atom(self) -> Tree:
        token = self.take()
        if token.kind == "number":
            return _number(token)
        if token in ("(", "[", "]", "⟨", "\\{", "{"):
            return self.bracketed(token)
        if token == "|":
            return self.absolute()
        if token in ("⌊", "⌈"):
            tree = self.items()
            self.expect("⌋" if token == "⌊" else "⌉")
            return ("call", "floor" if token == "⌊" else "ceil", tree)
        if token == "√":
            return ("root", _TWO, self.postfix() if self.peek() != "{" else self.group())
        if token == "∅":
            return ("set",)
        if token.kind == "macro":
            return self.macro(token)
        if token.kind == "word":
            return self.word(str(token))
        raise Unreadable(f"{token[:10]!r} where none belongs")

    def absolute(self) -> Tree:
        self.bars += 1
        tree = self.sum()
        self.bars -= 1
        self.expect("|")
        return ("call", "abs", tree)

    def bracketed(self, opening: str) -> Tree:
        bars, self.bars = self.bars, 0
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        if opening in ("\\{", "{") and self.accept("\\}", "}"):
            tree: Tree = ("set",)
        else:
            tree = self.inside(opening)
        self.bars, self.depth = bars, self.depth - 1
        return tree

    def inside(self, opening: str) -> Tree:
        tree = self.relation() if opening == "\\{" else self.items()
        if opening == "\\{" and self.accept("|", ":"):  # { x | condition }
            tree = self.items()
            self.expect("\\}")
            return tree
        if opening == "\\{":
            found = [tree]
            while self.accept(",", ";", "and"):
                found.append(self.relation())
            self.expect("\\}")
            return ("set", *found)
        items = list(tree[1:]) if tree[0] == "list" else [tree]
        closing = self.take()
        if opening == "{":
            if closing != "}":
                raise Unreadable("a brace that is not closed")
            return ("set", *items) if len(items) > 1 else tree
        if opening == "⟨" and closing == "⟩":
            return ("bracket", "⟨", "⟩", *items)
        if closing not in (")", "]", "["):
            raise Unreadable("a bracket that is not closed")
        if len(items) == 1 and (opening, str(closing)) in (("(", ")"), ("[", "]")) and tree[0] != "bracket":
            return tree if opening == "(" or tree[0] != "number" else ("bracket", "[", "]", tree)
        if opening == "(" and closing == ")" and len(items) == 1:
            return tree
        return ("bracket", opening, str(closing), *items)

    def macro(self, macro: str) -> Tree:
        if macro in ("\\frac", "\\dfrac", "\\tfrac", "\\cfrac"):
            over = self.group()
            return ("/", over, self.group())
        if macro in ("\\binom", "\\dbinom", "\\tbinom"):
            upper = self.group()
            return ("call", "binom", upper, self.group())
        if macro == "\\sqrt":
            return self.root()
        if macro in _UNREAL:
            return self.named()
        if macro == "\\begin":
            return self.matrix()
        if macro == "\\mathbb":
            if self.group() == ("symbol", "R"):
                return ("reals",)
            raise Unreadable("a set that has no formula")
        return self.word(macro[1:], latex=True)

    def root(self) -> Tree:
        degree: Tree = _TWO
        if self.accept("["):
            degree = self.sum()
            self.expect("]")
        return ("root", degree, self.group())

    def named(self) -> Tree:
        """A word in ``\\text{...}``: a name, as in ``\\mathrm{e}``; one of several words is no expression."""
        self.expect("{")
        words = []
        while not self.accept("}"):
            words.append(str(self.take()))
        name = "".join(words)
        if name in ("and", "or", ","):
            raise Unreadable("words")
        if not name.isalpha():
            raise Unreadable("words")
        return self.word(name)

    def matrix(self) -> Tree:
        self.expect("{")
        kind = str(self.take())
        while not self.accept("}"):
            kind += self.take()
        if kind == "array" and self.accept("{"):
            while not self.accept("}"):
                self.take()
        if kind not in ("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "smallmatrix", "array"):
            raise Unreadable("an environment that is no matrix")
        rows: list[Tree] = []
        row: list[Tree] = []
        while not self.accept("\\end"):
            if self.accept("&"):
                continue
            if self.accept("\\\\"):
                rows.append(("row", *row))
                row = []
                continue
            row.append(self.sum())
        if row:
            rows.append(("row", *row))
        self.expect("{")
        while not self.accept("}"):
            self.take()
        if kind == "vmatrix" or not rows or len({len(r) for r in rows}) > 1:
            raise Unreadable("no matrix")
        return ("matrix", *rows)

    def word(self, name: str, *, latex: bool = False) -> Tree:
        name = ALIASES.get(name, name)
        if name in FUNCTIONS:
            return self.function(name)
        if name in CONSTANTS:
            return ("constant", CONSTANTS[name])
        if name == "e" or name == "i":
            return ("constant", name)
        if name in ("C", "binomial", "nCr") and self.peek() == "(":
            arguments = self.arguments()
            if len(arguments) == 2:
                return ("call", "binom", *arguments)
            return ("*", ("symbol", name), arguments[0])
        if name == "Matrix" and self.accept("("):
            tree = self.items()
            self.expect(")")
            return tree
        if latex and name not in GREEK:
            raise Unreadable(f"\\{name[:20]} has no meaning here")
        if name in ("f", "g", "h") and self.peek() == "(":
            raise Unreadable("a function that is not known")
        if self.accept("_"):
            name += "_" + self.subscript()
        while self.accept("'"):
            name += "'"
        return ("symbol", name)

    def subscript(self) -> str:
        if not self.accept("{"):
            return str(self.take())
        parts = []
        while not self.accept("}"):
            parts.append(str(self.take()))
        return "".join(parts)

    def arguments(self) -> list[Tree]:
        self.expect("(")
        bars, self.bars = self.bars, 0
        tree = self.items()
        self.bars = bars
        self.expect(")")
        return list(tree[1:]) if tree[0] == "list" else [tree]

    def function(self, name: str) -> Tree:
        base: Tree | None = None
        exponent: Tree | None = None
        while self.peek() in ("_", "^"):
            if self.take() == "_":
                base = self.group()
            else:
                exponent = self.group() if self.peek() == "{" else self.exponent()
        arguments = self.arguments() if self.peek() == "(" else [self.implied_argument()]
        if name == "log" and base is not None:
            arguments.append(base)
        elif name == "log" and len(arguments) == 2:
            pass  # log(x, b)
        if exponent is not None and exponent == ("-", _ONE) and "arc" + name in FUNCTIONS:
            return ("call", "arc" + name, *arguments)
        tree: Tree = ("root", _TWO, arguments[0]) if name == "sqrt" else ("call", name, *arguments)
        if name == "cbrt":
            tree = ("root", ("number", Fraction(3), 0), arguments[0])
        if name == "exp":
            tree = ("^", ("constant", "e"), arguments[0])
        return tree if exponent is None else ("^", tree, exponent)

    def implied_argument(self) -> Tree:
        """``2x`` of ``\\sin 2x``: the factors up to a sign, a bracket behind the first, or another function."""
        if self.accept("-"):
            return ("-", self.implied_argument())
        tree = self.power()
        while True:
            token = self.peek()
            if token is None or token in ("(", "|") or not self.starts_factor():
                return tree
            if token.lstrip("\\") in FUNCTIONS or token.lstrip("\\") in ALIASES:
                return tree
            tree = self.implied(tree)


_ONE: Tree = ("number", Fraction(1), 0)
_TWO: Tree = ("number", Fraction(2), 0)


def _number(token: str) -> Tree:
    return ("number", Fraction(token if token[0] != "." else "0" + token), len(token.partition(".")[2]))
