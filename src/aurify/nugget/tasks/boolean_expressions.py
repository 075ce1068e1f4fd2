"""boolean_expressions: simplify an expression of True, False, and, or, not and brackets, pass by pass."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from aurify.nugget.tasks.base import Pen, TaskForm

_VALUES = ("True", "False")


@dataclass(frozen=True)
class Expression:
    """The tokens of the expression."""

    tokens: tuple[str, ...]


def _make(rng: random.Random, length: int) -> list[str]:
    """A random expression of exactly ``length`` tokens."""
    if length == 1:
        return [rng.choice(_VALUES)]
    kinds = ["not"] + (["("] if length >= 3 else []) + ["and", "or"] * (2 if length >= 3 else 0)
    kind = rng.choice(kinds)
    if kind == "not":
        return ["not", *_make(rng, length - 1)] if length == 2 or rng.random() < 0.6 else _not_group(rng, length)
    if kind == "(":
        return ["(", *_make(rng, length - 2), ")"]
    left = rng.randint(1, length - 2)
    return [*_make(rng, left), kind, *_make(rng, length - 1 - left)]


def _not_group(rng: random.Random, length: int) -> list[str]:
    return ["not", "(", *_make(rng, length - 3), ")"] if length >= 4 else ["not", *_make(rng, length - 1)]


def _pass(tokens: list[str], pen: Pen) -> list[str]:
    """One pass: every ``not V`` and ``( V )``; where there is none every run of ``and``; else every run of ``or``."""
    out: list[str] = []
    i = 0
    while i < len(tokens):
        if tokens[i] == "not" and tokens[i + 1] in _VALUES:
            out.append(str(pen.truth(tokens[i + 1] != "True")))
            i += 2
        elif tokens[i] == "(" and tokens[i + 1] in _VALUES and tokens[i + 2] == ")":
            out.append(str(pen.truth(tokens[i + 1] == "True")))
            i += 3
        else:
            out.append(tokens[i])
            i += 1
    if len(out) < len(tokens):
        return out
    joined = " ".join(tokens)
    value = "(?:True|False)"
    done = re.sub(rf"{value}(?: and {value})+", lambda m: str(pen.truth("False" not in m[0])), joined)
    if done == joined:
        run = rf"(?<!and ){value}(?: or {value}(?! and))+"
        done = re.sub(run, lambda m: str(pen.truth("True" in m[0])), joined)
    return done.split()


class BooleanExpressions(TaskForm[Expression]):
    """The shortcut takes the question to be whether the expression is false."""

    name = "boolean_expressions"
    answer_type = "text"
    binary = True

    def ask(self, rng: random.Random, level: str) -> str:
        """An expression of 3 to 10 tokens; BBH's have 9."""
        length = rng.randint(3, 5) if level == "easy" else rng.choice([6, 7, 8, 9, 9, 9, 10])
        body = " ".join(_make(rng, length))
        style = rng.random()
        if style < 0.75:
            return f"{body} is"
        return f"Evaluate: {body}" if style < 0.9 else f"What is the value of {body} ?"

    def parse(self, text: str) -> Expression:
        """The tokens in order."""
        tokens = re.findall(r"True|False|\band\b|\bor\b|\bnot\b|[()]", text)
        if not tokens or not set(tokens) & set(_VALUES):
            raise ValueError(f"not a boolean_expressions question: {text[:60]!r}")
        return Expression(tuple(tokens))

    def level(self, problem: Expression) -> str:
        """Hard from six tokens on."""
        return "hard" if len(problem.tokens) >= 6 else "easy"

    def _simplify(self, problem: Expression, pen: Pen) -> tuple[str, bool]:
        tokens = list(problem.tokens)
        lines = [" ".join(tokens)]
        while len(tokens) > 1:
            tokens = _pass(tokens, pen)
            lines.append(" ".join(tokens))
        return " = ".join(lines), (tokens[0] == "True")

    def steps(self, problem: Expression, pen: Pen) -> tuple[str, str]:
        """``True and ( False ) = True and False = False.``"""
        text, value = self._simplify(problem, pen)
        return f"{text}.", str(value)

    def shortcut(self, problem: Expression, pen: Pen) -> tuple[str, str]:
        """The same simplification, then whether the result is False."""
        text, value = self._simplify(problem, pen)
        return f"{text}.", str(not value)

    def guess(self, problem: Expression, rng: random.Random) -> str:
        """A coin."""
        return rng.choice(_VALUES)
