"""hyperbaton: which of two phrases has its adjectives in the usual order."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from aurify.nugget.tasks.base import Pen, TaskForm
from aurify.nugget.tasks.words import ADJECTIVES, THINGS

_RANK = {word: rank for rank, group in enumerate(ADJECTIVES, start=1) for word in group}
_READ = re.compile(r"\(A\) (.+?)\s*\n\(B\) (.+?)\s*")


@dataclass(frozen=True)
class Phrases:
    """The adjectives of each of the two phrases."""

    first: tuple[str, ...]
    second: tuple[str, ...]


class Hyperbaton(TaskForm[Phrases]):
    """The shortcut looks for the wrong order instead of the right one."""

    name = "hyperbaton"
    answer_type = "choice"
    binary = True

    def ask(self, rng: random.Random, level: str) -> str:
        """Two orders of the same 2 to 7 adjectives, one of them right."""
        count = rng.randint(2, 3) if level == "easy" else rng.choice([4, 4, 4, 5, 5, 6, 7])
        right = [rng.choice(group) for group in sorted(rng.sample(ADJECTIVES, count), key=ADJECTIVES.index)]
        wrong = right[:]
        while wrong == right:
            rng.shuffle(wrong)
        noun = rng.choice(THINGS)
        pair = [" ".join([*right, noun]), " ".join([*wrong, noun])]
        if rng.random() < 0.5:
            pair.reverse()
        style = rng.random()
        start = "Which sentence has the correct adjective order:\nOptions:\n"
        if style >= 0.75:
            start = "Which one sounds right?\n" if style < 0.9 else "Choose the usual order of the adjectives.\n"
        return f"{start}(A) {pair[0]}\n(B) {pair[1]}"

    def parse(self, text: str) -> Phrases:
        """Read both phrases; an unknown adjective is an error."""
        found = _READ.fullmatch(text[max(text.find("(A)"), 0) :])
        if not found:
            raise ValueError(f"not a hyperbaton question: {text[:60]!r}")
        first, second = (tuple(words.split()[:-1]) for words in found.groups())
        if unknown := [w for w in first + second if w not in _RANK]:
            raise ValueError(f"unknown adjectives: {unknown}")
        return Phrases(first, second)

    def level(self, problem: Phrases) -> str:
        """Hard from four adjectives on."""
        return "hard" if len(problem.first) >= 4 else "easy"

    def _read(self, problem: Phrases, pen: Pen) -> tuple[str, bool]:
        parts, last = [], 0
        for word in problem.first:
            rank = _RANK[word]
            rising = pen.truth(rank > last)
            parts.append(f"{word}={rank} {'up' if rising else 'down'}")
            if not rising:
                return ", ".join(parts), False
            last = rank
        return ", ".join(parts), True

    def steps(self, problem: Phrases, pen: Pen) -> tuple[str, str]:
        """``big=2 up, red=5 up, old=3 down.`` Read (A) up to the first fall."""
        text, rising = self._read(problem, pen)
        return f"{text}.", "(A)" if rising else "(B)"

    def shortcut(self, problem: Phrases, pen: Pen) -> tuple[str, str]:
        """The same reading, then the phrase that is wrong."""
        text, rising = self._read(problem, pen)
        return f"{text}.", "(B)" if rising else "(A)"

    def guess(self, problem: Phrases, rng: random.Random) -> str:
        """A coin."""
        return rng.choice(["(A)", "(B)"])
