"""Rounds of questions in a real run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import aurify
from aurify.nugget import generate
from aurify.rationales import RationaleTable
from aurify.running.progress import Quiet

QUESTIONS = generate("web_of_lies", 520, seed=5)


class Listening(Quiet):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def visited(out: Path, method: str = "trice", **more: Any) -> tuple[list[list[str]], list[str]]:
    """The questions of each step, and what was said of rounds."""
    listening = Listening()
    aurify.train(
        method, model="nugget", data=QUESTIONS, holdout=0.0, out=out, questions=64, max_new_tokens=3, watcher=listening,
        **more,
    )  # fmt: skip
    steps: dict[int, list[str]] = {}
    for row in RationaleTable(out / "rationales").read():
        steps.setdefault(row.step, []).append(row.question_id)
    return [steps[step] for step in sorted(steps)], [line for line in listening.said if "round" in line]


def test_a_question_is_visited_again_before_others_follow(tmp_path: Path) -> None:
    batches, said = visited(tmp_path / "run", steps=9, visits=2, memory="none")
    assert said == ["questions in 2 rounds of 260: each is visited 2 times before others follow, 8 steps a round"]
    first = Counter(id for batch in batches[:8] for id in batch)
    assert sum(first.values()) == 512
    assert max(first.values()) == 2
    assert len(first) <= 260
    assert not first.keys() & set(batches[8])


@pytest.mark.parametrize(("method", "more"), [("trice", {"visits": 1, "memory": "none"}), ("rloo", {"samples": 2})])
def test_one_visit_is_all_in_turn(tmp_path: Path, method: str, more: dict[str, Any]) -> None:
    batches, said = visited(tmp_path / "run", method, steps=8, **more)
    assert said == []
    assert len({id for batch in batches for id in batch}) == 512
