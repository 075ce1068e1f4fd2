"""A method of your own, in one file: which rationales to learn from, and with which signed weight.

    python own_method.py
    aurify train own_method:Signed --model nugget --data questions.jsonl --wrong-weight 0.5
    aurify train own_method:Signed --help

The second line is run where this file lies, or with its folder in PYTHONPATH. A distribution brings a method under a
word by an entry point: in its pyproject.toml, [project.entry-points."aurify.methods"] signed = "own_method:Signed".
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import aurify
from aurify.errors import UsageError
from aurify.methods import EStep, Method
from aurify.methods.on_policy import on_policy_step
from aurify.nugget import generate
from aurify.rationales import Chain, Rationale
from aurify.registry import setting


@dataclass(frozen=True)
class Signed(Method):
    """Signed: every right sample pulls, every wrong one pushes."""

    # 1. How many rationales a question and step are drawn; --samples says otherwise.
    samples: int = 4

    # 2. Settings of its own: each is a flag (--wrong-weight), a key of a TOML file and a line of the run's config.toml.
    wrong_weight: float = setting(1.0, "The weight of a wrong sample, beside 1 of a right one.", ge=0)

    def __post_init__(self) -> None:
        # 3. Settings that mean nothing are refused, in one line.
        if self.samples == 1 and self.wrong_weight == 0:
            raise UsageError("one sample and no weight for wrong ones is rejection sampling: take rejection")

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """The weights of this step; ``on_policy_step`` makes terms of them and keeps the chains."""

        # 4. From who is right [questions, samples] to the weight of each sample's grad log p(z | x). The expectation of
        #    one question is (1 + wrong_weight) grad P(right): prove yours as tests/claims does, by enumeration.
        def weigh(right_QS: np.ndarray) -> np.ndarray:
            return np.where(right_QS, 1.0, -self.wrong_weight) / right_QS.shape[1]

        return on_policy_step(weigh, key, step, chains, proposals)


def main() -> None:
    """Train the embedded model by it, on generated questions."""
    options = argparse.ArgumentParser()
    options.add_argument("--out", default="runs/own-method")
    options.add_argument("--steps", type=int, default=20)
    options.add_argument("--questions", type=int, default=60)
    given = options.parse_args()
    questions = generate("web_of_lies", given.questions, seed=0)
    run = aurify.train(Signed, model="nugget", data=questions, out=given.out, steps=given.steps, questions=16)
    print(f"before {run.before}, after {run.after}: {run.model}")


if __name__ == "__main__":
    main()
