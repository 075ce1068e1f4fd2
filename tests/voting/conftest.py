"""Pools with a planted signal, and the files that users bring."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from aurify.voting.pool import Candidate, CandidatePool


def made_pools(
    questions: int, samples: int = 8, seed: int = 0, rates: tuple[float, float] = (0.8, 0.2)
) -> list[CandidatePool]:
    """Sums that are asked for; careful rationales are right four times of five, sloppy ones once of five."""
    random_ = random.Random(seed)
    pools = []
    for index in range(questions):
        a, b = random_.randint(2, 99), random_.randint(2, 99)
        candidates = []
        answers: dict[int, int] = {}
        for _ in range(samples):
            careful = random_.random() < 0.5
            right = random_.random() < rates[not careful]
            total = a + b if right else a + b + random_.choice([1, 2, 10])
            text = f"Step by step: {a} + {b} = {total}." if careful else f"Clearly it must be {total}."
            group = answers.setdefault(total, len(answers))
            candidates.append(Candidate(text, str(total), group, right, -5.0 - random_.random(), 10, "writer"))
        pools.append(CandidatePool(f"q{index}", f"What is {a} plus {b}? ({index})", tuple(candidates), "sums"))
    return pools


@pytest.fixture(scope="session")
def make_pools() -> Callable[..., list[CandidatePool]]:
    """``make_pools(questions, samples=8, seed=0)``."""
    return made_pools


@pytest.fixture(scope="session")
def write_samples() -> Callable[[Path, list[CandidatePool]], tuple[Path, Path]]:
    """``write_samples(folder, pools)``: the paths of questions with answers, and of their samples."""
    return write_files


@pytest.fixture(scope="session")
def pools() -> list[CandidatePool]:
    """200 questions."""
    return made_pools(200)


def write_files(folder: Path, pools: list[CandidatePool]) -> tuple[Path, Path]:
    """(questions with answers, samples) of pools as JSON Lines."""
    questions, samples = folder / "questions.jsonl", folder / "samples.jsonl"
    with questions.open("w") as asked, samples.open("w") as drawn:
        for pool in pools:
            a, b = (int(word) for word in pool.question.replace("?", "").split() if word.isdigit())
            asked.write(json.dumps({"id": pool.question_id, "question": pool.question, "answer": str(a + b)}) + "\n")
            texts = [{"text": f"{c.text} The answer is {c.answer}.", "model": c.model} for c in pool.candidates]
            drawn.write(json.dumps({"id": pool.question_id, "samples": texts}) + "\n")
    return questions, samples
