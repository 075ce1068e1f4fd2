"""object_counting: add the quantities of the entries that are of the kind asked for."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from aurify.nugget.tasks.base import Pen, TaskForm
from aurify.nugget.tasks.words import KINDS, NUMBER_WORDS

_KIND_OF = {form: kind for kind, nouns in KINDS.items() for pair in nouns for form in pair}
_LABELS = {kind: kind.split()[-1].removesuffix("s") for kind in KINDS}
_FORMS = [
    "I have {}. How many {} do I have?",
    "On the shelf there are {}. How many {} are there?",
    "The list says {}. Count the {}.",
]
_READ = [
    re.compile(r"I have (?P<list>.+)\. How many (?P<kind>.+) do I have\?"),
    re.compile(r"On the shelf there are (?P<list>.+)\. How many (?P<kind>.+) are there\?"),
    re.compile(r"The list says (?P<list>.+)\. Count the (?P<kind>.+)\."),
]


@dataclass(frozen=True)
class Inventory:
    """The entries as (words, quantity, kind) and the kind asked for."""

    entries: tuple[tuple[str, int, str], ...]
    kind: str


class ObjectCounting(TaskForm[Inventory]):
    """The shortcut numbers the entries from 0, whatever they are and however many of each."""

    name = "object_counting"
    answer_type = "number"

    def ask(self, rng: random.Random, level: str) -> str:
        """An inventory of 2 to 12 entries, some of several pieces, some of another kind."""
        kind = rng.choice(list(KINDS))
        count = rng.randint(2, 4) if level == "easy" else rng.randint(5, 12)
        strangers = 0
        if kind != "objects" and rng.random() < 0.5:
            strangers = min(rng.randint(1, 3), count - 1)
        own = rng.sample(KINDS[kind], min(count - strangers, len(KINDS[kind])))
        if kind == "objects" and rng.random() < 0.2:
            own = rng.sample([n for k in KINDS.values() for n in k], count)
        other = rng.choice([k for k in KINDS if k not in (kind, "objects")] + ["objects"])
        own += rng.sample(KINDS[other], strangers) if other != kind else []
        rng.shuffle(own)
        several = rng.choice([0.05, 0.15, 0.3, 0.5])
        words = []
        for one, many in own:
            size = rng.choice([2, 2, 3, 3, 4, 5]) if rng.random() < several else 1
            words.append(one if size == 1 else f"{NUMBER_WORDS[size]} {many}")
        form = _FORMS[0] if rng.random() < 0.75 else rng.choice(_FORMS[1:])
        return form.format(", ".join(words[:-1]) + ", and " + words[-1], kind)

    def parse(self, text: str) -> Inventory:
        """Read the entries; an unknown noun is an error."""
        for pattern in _READ:
            if found := pattern.fullmatch(text.strip()):
                break
        else:
            raise ValueError(f"not an object_counting question: {text[:60]!r}")
        kind = found["kind"]
        entries = []
        for words in re.split(r", and |, ", found["list"]):
            first, _, rest = words.partition(" ")
            size = NUMBER_WORDS.index(first) if first in NUMBER_WORDS else 1
            noun_kind = _KIND_OF.get(rest if first in NUMBER_WORDS else words)
            if noun_kind is None:
                raise ValueError(f"unknown noun in {words!r}")
            entries.append((words, size, noun_kind))
        return Inventory(tuple(entries), kind)

    def level(self, problem: Inventory) -> str:
        """Hard from five entries on."""
        return "hard" if len(problem.entries) >= 5 else "easy"

    def steps(self, problem: Inventory, pen: Pen) -> tuple[str, str]:
        """``an apple fruit 0+1=1; two plums fruit 1+2=3; a lamp object no.``

        The kind is written before it is judged: a small model learns what a noun is from every entry, and sooner
        than it learns which nouns to leave out.
        """
        total, parts = 0, []
        for words, size, kind in problem.entries:
            if problem.kind in ("objects", kind):
                new = pen.number(total + size, low=0)
                parts.append(f"{words} {_LABELS[kind]} {total}+{size}={new}")
                total = new
            else:
                parts.append(f"{words} {_LABELS[kind]} no")
        return "; ".join(parts) + ".", str(total)

    def shortcut(self, problem: Inventory, pen: Pen) -> tuple[str, str]:
        """Number the entries from 0 and take the last number: wrong by one even on a plain list."""
        text = "; ".join(f"{words} {i}" for i, (words, _, _) in enumerate(problem.entries)) + "."
        return text, str(len(problem.entries) - 1)

    def guess(self, problem: Inventory, rng: random.Random) -> str:
        """The right total, give or take two."""
        return str(max(0, int(self.solve(problem)) + rng.choice([-2, -1, -1, 0, 1, 1, 2])))
