"""dyck_languages: close the brackets that are left open."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from aurify.nugget.tasks.base import Pen, TaskForm

_CLOSE = {"(": ")", "[": "]", "{": "}", "<": ">"}


@dataclass(frozen=True)
class Brackets:
    """The brackets of the question."""

    tokens: tuple[str, ...]


def _balanced(rng: random.Random, pairs: int) -> list[str]:
    if pairs == 0:
        return []
    inside = rng.randint(0, pairs - 1)
    opening = rng.choice("([{<")
    return [opening, *_balanced(rng, inside), _CLOSE[opening], *_balanced(rng, pairs - 1 - inside)]


class DyckLanguages(TaskForm[Brackets]):
    """The shortcut closes the first bracket and the last opening one, and looks at nothing else."""

    name = "dyck_languages"
    answer_type = "text"

    def ask(self, rng: random.Random, level: str) -> str:
        """2 to 5 brackets, or 6 to 12; one to four are left open."""
        total = rng.randint(2, 5) if level == "easy" else rng.randint(6, 12)
        left = rng.choice([k for k in (1, 1, 2, 2, 2, 3, 3, 4) if k <= total])
        pairs = (total - left) // 2
        cuts = sorted(rng.randint(0, pairs) for _ in range(left))
        tokens: list[str] = _balanced(rng, cuts[0]) if rng.random() < 0.3 else []
        for a, b in zip(cuts, [*cuts[1:], pairs], strict=True):
            tokens += [rng.choice("([{<"), *_balanced(rng, b - a)]
        body = " ".join(tokens)
        if rng.random() < 0.75:
            start = "Complete the rest of the sequence, making sure that the parentheses are closed properly. Input: "
            return start + body
        return f"Close every open bracket: {body}"

    def parse(self, text: str) -> Brackets:
        """The brackets after the last colon."""
        tokens = tuple(re.findall(r"[\[\](){}<>]", text.rpartition(":")[2]))
        depth = 0
        for token in tokens:
            depth += 1 if token in _CLOSE else -1
            if depth < 0:
                raise ValueError("a bracket is closed that was not open")
        if not depth:
            raise ValueError(f"not a dyck_languages question: {text[:60]!r}")
        return Brackets(tokens)

    def level(self, problem: Brackets) -> str:
        """Hard from six brackets on, or where more than three are left open."""
        return "hard" if len(problem.tokens) >= 6 else "easy"

    def steps(self, problem: Brackets, pen: Pen) -> tuple[str, str]:
        """``[1 {2 (3 )2.`` The depth after each bracket; then close what is open, from the deepest."""
        parts, stack = [], []
        for token in problem.tokens:
            if token in _CLOSE:
                stack.append(token)
            else:
                stack.pop()
            parts.append(f"{token}{len(stack)}")
        closing = [pen.word(_CLOSE[t], list(_CLOSE.values())) for t in reversed(stack)]
        return " ".join(parts) + ".", " ".join(closing)

    def shortcut(self, problem: Brackets, pen: Pen) -> tuple[str, str]:
        """Close the last opening bracket and the first."""
        first = problem.tokens[0]
        last = [t for t in problem.tokens if t in _CLOSE][-1]
        return f"last {last} first {first}.", f"{_CLOSE[last]} {_CLOSE[first]}"

    def guess(self, problem: Brackets, rng: random.Random) -> str:
        """Right about half of the time, else with one bracket wrong."""
        tokens = self.solve(problem).split()
        if rng.random() < 0.5:
            tokens[rng.randrange(len(tokens))] = rng.choice(list(_CLOSE.values()))
        return " ".join(tokens)
