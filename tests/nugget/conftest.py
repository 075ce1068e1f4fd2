"""Answers to BBH-form questions by other means than the package's: evaluation, parity, complex numbers, a stack."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

NUMBERS = {"a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5}
KINDS = {
    "fruits": "apple banana blackberr grape nectarine orange peach plum raspberr strawberr",
    "vegetables": "cabbage carrot cauliflower garlic onion potato yam lettuce broccoli celery",
    "musical instruments": "accordion clarinet drum flute piano trombone trumpet violin",
    "animals": "bear cat chicken cow dog donkey duck fish frog goat mouse mice pig rabbit snail snake",
}
ORDER = [
    "opinion: awful good lovely mysterious nice obnoxious repulsive ridiculous silly terrible wonderful",
    "size: big enormous huge large little massive medium-size midsize normal-size small tiny",
    "age: ancient archaic brand-new new old old-fashioned",
    "shape: circular prismlike pyramidal rectangular spherical square triangular",
    "colour: black blue brown gray green grey orange pink purple red tan white yellow crimson ivory cyan teal",
    "origin: American Bangladeshi Brazilian Chinese Congolese Egyptian Ethiopian Filipino German Indian Indonesian "
    "Iranian Japanese Mexican Nigerian Pakistani Russian Thai Turkish Vietnamese",
    "material: cardboard cloth fiberglass glass gold iron lead leather paper plastic rubber silver steel wood wool",
    "purpose: drinking driving eating exercise hiking smoking snorkeling typing walking whittling",
]


def object_counting(text: str) -> str:
    kind = next(k for k in [*KINDS, "objects"] if re.search(rf"(many|the) {k}", text))
    listed = re.search(r"(?:have|are|says) (.+?)\. ", text)
    assert listed
    total = 0
    for entry in listed[1].replace(" and ", " ").split(","):
        words = entry.split()
        if kind == "objects" or any(w.startswith(n) for w in words[1:] for n in KINDS[kind].split()):
            total += NUMBERS[words[0]]
    return str(total)


def web_of_lies(text: str) -> str:
    # The number of "lies" decides: each one flips what the last speaker is.
    return "No" if len(re.findall(r"\blies\b", text)) % 2 else "Yes"


def navigate(text: str) -> str:
    at, facing = 0j, 1j
    turns = {"left": 1j, "right": -1j, "around": -1}
    sides = {"forward": 1j, "backward": -1j, "left": -1, "right": 1}
    for sentence in re.split(r"[.?]", text):
        words = sentence.split()
        if words[:1] == ["Turn"]:
            facing *= turns[words[1]]
        elif words[:1] in (["Take"], ["Go"]):
            at += int(words[1]) * (sides[words[3]] if len(words) > 3 else facing)
    return "Yes" if at == 0 else "No"


def boolean_expressions(text: str) -> str:
    expression = (
        text.removeprefix("Evaluate:").removeprefix("What is the value of").removesuffix("?").removesuffix("is")
    )
    assert set(expression.split()) <= {"True", "False", "and", "or", "not", "(", ")"}
    return str(eval(expression))


def hyperbaton(text: str) -> str:
    ranks = {word: i for i, group in enumerate(ORDER) for word in group.split()[1:]}
    options = re.findall(r"\(([AB])\) (.+)", text)
    ordered = [letter for letter, words in options if (r := [ranks[w] for w in words.split()[:-1]]) == sorted(r)]
    assert len(ordered) == 1
    return f"({ordered[0]})"


def dyck_languages(text: str) -> str:
    closing, stack = {"(": ")", "[": "]", "{": "}", "<": ">"}, []
    for token in text.rpartition(":")[2].split():
        if token in closing:
            stack.append(closing[token])
        else:
            assert stack.pop() == token
    return " ".join(reversed(stack))


SOLVERS = {
    f.__name__: f for f in (object_counting, web_of_lies, navigate, boolean_expressions, hyperbaton, dyck_languages)
}


@pytest.fixture(scope="session")
def solvers() -> dict[str, Callable[[str], str]]:
    """Task -> its independent solver."""
    return SOLVERS
