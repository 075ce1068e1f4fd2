"""web_of_lies: a chain of people who call one another liars or honest."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from aurify.nugget.tasks.base import Pen, TaskForm, yes_no
from aurify.nugget.tasks.words import NAMES

_CLAIM = re.compile(r"(\w+) says (\w+) (lies|tells the truth)")
_FIRST = re.compile(r"(\w+) (lies|tells the truth)")


@dataclass(frozen=True)
class Testimony:
    """Statements as (speaker, subject, called honest?); the first has no subject and is simply known."""

    links: tuple[tuple[str, str, bool], ...]


def _words(honest: bool) -> str:
    return "tells the truth" if honest else "lies"


class WebOfLies(TaskForm[Testimony]):
    """The shortcut misreads the first statement, so that everything that follows is inverted."""

    name = "web_of_lies"
    answer_type = "text"
    binary = True

    def ask(self, rng: random.Random, level: str) -> str:
        """A chain of 2 to 7 people."""
        count = rng.randint(2, 4) if level == "easy" else rng.choice([5, 5, 5, 6, 7])
        people = rng.sample(NAMES, count)
        said = [_words(rng.random() < 0.5) for _ in people]
        text = f"{people[0]} {said[0]}. "
        for i in range(1, count):
            text += f"{people[i]} says {people[i - 1]} {said[i]}. "
        style = rng.random()
        if style < 0.75:
            return f"Question: {text}Does {people[-1]} tell the truth?"
        return text + (f"Is {people[-1]} honest?" if style < 0.9 else f"Can we trust {people[-1]}?")

    def parse(self, text: str) -> Testimony:
        """Read the statements in order; each speaker must speak of the one before."""
        body = text.removeprefix("Question: ")
        first = _FIRST.match(body)
        claims = _CLAIM.findall(body)
        if not first or not claims:
            raise ValueError(f"not a web_of_lies question: {text[:60]!r}")
        links = [(first[1], "", first[2] != "lies")]
        for speaker, subject, said in claims:
            if subject != links[-1][0]:
                raise ValueError(f"{speaker} speaks of {subject}, not of {links[-1][0]}")
            links.append((speaker, subject, said != "lies"))
        return Testimony(tuple(links))

    def level(self, problem: Testimony) -> str:
        """Hard from five people on."""
        return "hard" if len(problem.links) >= 5 else "easy"

    def _walk(self, problem: Testimony, pen: Pen, misread: bool) -> tuple[str, str]:
        parts, honest = [], True
        for speaker, subject, said in problem.links:
            if subject:
                honest = pen.truth(said == honest)
                parts.append(f"{speaker} says {subject} {_words(said)}: {'honest' if honest else 'liar'}")
            else:
                honest = pen.truth(said) != misread
                parts.append(f"{speaker} {_words(said)}: {'honest' if honest else 'liar'}")
        return ". ".join(parts) + ".", yes_no(honest)

    def steps(self, problem: Testimony, pen: Pen) -> tuple[str, str]:
        """``Jim lies: liar. Ana says Jim lies: honest.`` Each statement, then what it makes of its speaker."""
        return self._walk(problem, pen, misread=False)

    def shortcut(self, problem: Testimony, pen: Pen) -> tuple[str, str]:
        """The same walk from a misread first statement."""
        return self._walk(problem, pen, misread=True)

    def guess(self, problem: Testimony, rng: random.Random) -> str:
        """A coin."""
        return rng.choice(["Yes", "No"])
