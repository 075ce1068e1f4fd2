"""What expressions are made of: numbers, names, functions and their arguments, brackets, fractions, roots, matrices."""

from __future__ import annotations

from abc import ABC, abstractmethod

from aurify.answers.math.tokens import ALIASES, CONSTANTS, FUNCTIONS, GREEK, Token
from aurify.answers.math.tree import ONE, THREE, TWO, Tree, number
from aurify.answers.reading import Unreadable
from aurify.answers.wrapped import WRAPPERS

MAX_DEPTH = 60
"""Formulas that are nested more deeply are unreadable."""

_ANY_NUMBER = range(1, 100)
_ARGUMENTS = {"log": (1, 2), "binom": (2,)} | dict.fromkeys(("max", "min", "gcd", "lcm"), _ANY_NUMBER)
_STYLES = frozenset(("\\mathbf", "\\mathit", "\\mathsf", "\\bm"))
_WRAPPERS = frozenset(f"\\{name}" for name in WRAPPERS)


class Cursor:
    """A place in the tokens. ``bars`` counts the absolute values that are open: there a bar closes."""

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

    def deeper(self) -> None:
        """One level further in, where one is left."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")


class Atoms(Cursor, ABC):
    """Reads one atom; the operators around it are the subclass's (``expression``)."""

    @abstractmethod
    def items(self, *, top: bool = False) -> Tree: ...

    @abstractmethod
    def relation(self) -> Tree: ...

    @abstractmethod
    def sum(self) -> Tree: ...

    @abstractmethod
    def power(self) -> Tree: ...

    @abstractmethod
    def postfix(self) -> Tree: ...

    @abstractmethod
    def exponent(self) -> Tree: ...

    @abstractmethod
    def implied(self, tree: Tree) -> Tree: ...

    @abstractmethod
    def starts_factor(self) -> bool: ...

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
        self.deeper()
        tree = ("-", self.atom()) if self.accept("-") else self.atom()
        self.depth -= 1
        return tree

    def atom(self) -> Tree:
        token = self.take()
        if token.kind == "number":
            return number(token)
        if token in ("(", "[", "]", "⟨", "\\{", "{"):
            return self.bracketed(token)
        if token == "|":
            return self.absolute()
        if token in ("⌊", "⌈"):
            tree = self.items()
            self.expect("⌋" if token == "⌊" else "⌉")
            return ("call", "floor" if token == "⌊" else "ceil", tree)
        if token == "√":
            return ("root", TWO, self.postfix() if self.peek() != "{" else self.group())
        if token == "…":
            return ("symbol", "…")
        if token == "∅":
            return ("set",)
        if token.kind == "macro":
            return self.macro(token)
        if token.kind == "word":
            return self.word(str(token))
        raise Unreadable(f"{token[:10]!r} where none belongs")

    def absolute(self) -> Tree:
        outside, self.bars = self.bars, max(self.bars, 0) + 1
        tree = self.sum()
        self.bars = outside
        self.expect("|")
        return ("call", "abs", tree)

    def bracketed(self, opening: str) -> Tree:
        bars, self.bars = self.bars, 0
        self.deeper()
        if opening in ("\\{", "{") and self.accept("\\}", "}"):
            tree: Tree = ("set",)
        else:
            tree = self.inside(opening)
        self.bars, self.depth = bars, self.depth - 1
        return tree

    def inside(self, opening: str) -> Tree:
        if opening == "\\{":
            self.bars = -1  # a bar begins the condition of a set
        tree = self.relation() if opening == "\\{" else self.items()
        if opening == "\\{" and self.accept("|", ":"):  # { x | condition }
            self.bars = 0
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
        around = (opening, str(closing))
        is_group = around == ("(", ")") or (around == ("[", "]") and tree[0] not in ("bracket", "number"))
        if len(items) == 1 and is_group:
            return tree
        return ("bracket", *around, *items)

    def macro(self, macro: str) -> Tree:
        if macro in ("\\frac", "\\dfrac", "\\tfrac", "\\cfrac"):
            over = self.group()
            return ("/", over, self.group())
        if macro in ("\\binom", "\\dbinom", "\\tbinom"):
            upper = self.group()
            return ("call", "binom", upper, self.group())
        if macro == "\\sqrt":
            return self.root()
        inner = self.peek(1)
        if macro in _STYLES and inner is not None and inner.kind != "word":
            return self.group()
        if macro in _WRAPPERS:
            return self.named()
        if macro == "\\begin":
            return self.matrix()
        if macro == "\\mathbb":
            of_numbers = self.group()
            if of_numbers == ("symbol", "R"):
                return ("reals",)
            if of_numbers in [("symbol", letter) for letter in "ZNQC"]:
                return ("symbol", f"\\mathbb{{{of_numbers[1]}}}")
            raise Unreadable("a set that has no formula")
        return self.word(macro[1:], latex=True)

    def root(self) -> Tree:
        degree: Tree = TWO
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
        if name in ("and", "or") or not name.isalpha():
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
        if name in FUNCTIONS or (name == "choose" and self.peek() == "("):
            return self.function("binom" if name == "choose" else name)
        if name in CONSTANTS:
            return ("constant", CONSTANTS[name])
        if name in ("e", "i"):
            return ("constant", name)
        if name == "I" and self.at > 1 and self.tokens[self.at - 2] == "*":
            return ("constant", "i")  # as programs print it
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
        following = self.peek()
        if self.accept("_"):
            name += "_" + self.subscript()
        elif not latex and len(name) == 1 and following is not None and following.isdigit() and not following.spaced:
            name += "_" + self.take()  # "x1", as programs write it
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
        closing = "\\}" if self.accept("\\{") else ")"
        if closing == ")":
            self.expect("(")
        bars, self.bars = self.bars, 0
        tree = self.items()
        self.bars = bars
        self.expect(closing)
        return list(tree[1:]) if tree[0] == "list" else [tree]

    def function(self, name: str) -> Tree:
        base: Tree | None = self.glued_base() if name == "log" else None
        exponent: Tree | None = None
        while self.peek() in ("_", "^"):
            if self.take() == "_":
                base = self.whole_number() or self.group()
            else:
                exponent = self.group() if self.peek() == "{" else self.exponent()
        in_brackets = self.peek() == "(" or (self.peek() == "\\{" and name in ("max", "min", "gcd", "lcm"))
        arguments = self.arguments() if in_brackets else [self.implied_argument()]
        if name == "log" and base is not None:
            arguments.append(base)
        if len(arguments) not in _ARGUMENTS.get(name, (1,)):
            raise Unreadable(f"{name} of {len(arguments)} arguments")
        if exponent is not None and exponent == ("-", ONE) and "arc" + name in FUNCTIONS:
            return ("call", "arc" + name, *arguments)
        written_as: dict[str, Tree] = {"sqrt": ("root", TWO), "cbrt": ("root", THREE), "exp": ("^", ("constant", "e"))}
        tree: Tree = (*written_as[name], arguments[0]) if name in written_as else ("call", name, *arguments)
        return tree if exponent is None else ("^", tree, exponent)

    def glued_base(self) -> Tree | None:
        """``2`` of ``log2(8)``, as programs write it."""
        token, before = self.peek(), self.tokens[self.at - 1]
        if before.kind != "word" or token is None or token.spaced or self.peek(1) != "(":
            return None
        return self.whole_number()

    def whole_number(self) -> Tree | None:
        """All digits of ``log_10``, of which TeX takes one."""
        token = self.peek()
        return number(self.take()) if token is not None and token.kind == "number" else None

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
