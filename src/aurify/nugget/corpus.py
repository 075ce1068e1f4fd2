"""The documents of the pretraining corpus: a prompt and what one of the writers made of it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from aurify.nugget.tasks.words import ADJECTIVES, KINDS, NAMES
from aurify.nugget.writers import TASKS, hinted_prompt, make, mixture, pick, prompt, rationale
from aurify.seeds import stable_seed

HINTED = 0.08
"""The share of documents whose writer was told the answer."""
DIRECT = 0.03
"""The share of documents that state the right answer with no rationale."""

WEIGHTS = {
    "object_counting": 1.4,
    "web_of_lies": 0.6,
    "hyperbaton": 0.7,
    "navigate": 1.4,
    "boolean_expressions": 1.6,
    "dyck_languages": 1.2,
}
"""How often each task is asked (1 where not said): those that come later in pretraining are asked more often."""

CAREFUL = {"careful": 0.85, "sloppy": 0.0, "shortcut": 0.13, "answer": 0.02}
"""The shares of the styles early in pretraining, before the mixture by difficulty: skills come sooner from these."""


@dataclass(frozen=True)
class Document:
    """A prompt and its continuation, which an end-of-text token follows."""

    prompt: str
    continuation: str
    task: str


_MOVES = ("left", "right", "forward", "backward", "around")
_SIGNS = ("True", "False", "and", "or", "not", "(", ")", "[", "]", "{", "}", "<", ">")
_WORDS = (
    [n for nouns in KINDS.values() for pair in nouns for n in (pair[0].split()[-1], pair[1])]
    + NAMES
    + [a for group in ADJECTIVES for a in group]
    + [*_MOVES, *_SIGNS]
)
_STARTS = ["a", "an", "two", "three", "not", "("]
_REMARKS = [",", ";", " no;", " 0+1=1;", ": honest.", ": liar.", "=2 up,", " x:0+3=3;", " 4;", " 7+2=9;"]


def drill(rng: random.Random) -> Document:
    """A copying exercise: the chunks of a list again, in order, with a remark after each.

    Every task of the nugget walks through its question this way. Models learn to find "what came after the last
    chunk" from these within hundreds of steps, and hardly at all, in this small size, from the tasks alone.
    """
    chunks = []
    for _ in range(rng.randint(2, 12)):
        words = [rng.choice(_WORDS) for _ in range(rng.choice([1, 1, 2, 2, 3]))]
        chunks.append(" ".join([rng.choice(_STARTS), *words] if rng.random() < 0.4 else words))
    remark = rng.choice(_REMARKS)
    joint = rng.choice([", ", " ", ". "])
    return Document(f"Question: Copy {joint.join(chunks)}\nAnswer:", "".join(f" {c}{remark}" for c in chunks), "")


def document(seed: int, index: int, early: float = 0.0, easy: float = 0.4, drills: float = 0.0) -> Document:
    """Document ``index`` of the corpus of this seed.

    ``drills`` is the share of copying exercises, ``early`` is the chance that its writer comes from the
    careful-minded early mixture, and ``easy`` the share of
    easy questions.
    """
    rng = random.Random(stable_seed("nugget-corpus", seed, index))
    if rng.random() < drills:
        return drill(rng)
    task = rng.choices(TASKS, weights=[WEIGHTS.get(t, 1.0) for t in TASKS])[0]
    question = make(task, seed, index, "easy" if rng.random() < easy else "hard")
    kind = rng.random()
    if kind < DIRECT:
        return Document(f"Question: {question.text}\nAnswer:", f" {question.answer}", task)
    hinted = kind < DIRECT + HINTED
    shares = mixture(question, hinted)
    if not hinted and rng.random() < early:
        shares = CAREFUL
    written = rationale(question, pick(shares, rng), rng)
    return Document((hinted_prompt if hinted else prompt)(question), written.text, task)
