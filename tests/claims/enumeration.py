"""A world small enough to enumerate: every question is a softmax over a handful of rationales, some of them right.

theta_QV holds one logit a rationale. Scores are exact: s(z) = onehot(z) - softmax(theta) in the question's own row.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Logits theta_QV and which rationales are right, right_QV."""

    theta_QV: Array
    right_QV: NDArray[np.bool_]

    @classmethod
    def random(cls, questions: int, rationales: int, seed: int) -> World:
        """Random logits; every question has right rationales and wrong ones."""
        random = np.random.default_rng(seed)
        right_QV = np.zeros((questions, rationales), dtype=bool)
        for row in right_QV:
            row[random.permutation(rationales)[: random.integers(1, rationales)]] = True
        return cls(random.normal(size=(questions, rationales)), right_QV)

    @property
    def p_QV(self) -> Array:
        """p(z | x)."""
        e = np.exp(self.theta_QV)
        return e / e.sum(axis=1, keepdims=True)

    @property
    def pi_Q(self) -> Array:
        """P(right | x), each question's success probability."""
        return (self.p_QV * self.right_QV).sum(axis=1)

    @property
    def posterior_QV(self) -> Array:
        """p(z | x, y)."""
        return self.p_QV * self.right_QV / self.pi_Q[:, None]

    def score(self, question: int, rationale: int) -> Array:
        """grad log p(z | x) with respect to theta_QV."""
        gradient = np.zeros_like(self.theta_QV)
        gradient[question] = -self.p_QV[question]
        gradient[question, rationale] += 1
        return gradient

    def gradient_log_pi(self) -> Array:
        """The mean over questions of grad log P(right | x): what TRICE estimates."""
        return (self.posterior_QV - self.p_QV) / len(self.theta_QV)

    def gradient(
        self, memory_Q: Array, memory: tuple[int, ...], proposals_QS: Array, drawn: tuple[tuple[int, ...], ...]
    ) -> Array:
        """sum_i w_i s_i for the weights of remembered and drawn rationales."""
        total = np.zeros_like(self.theta_QV)
        for q in range(len(self.theta_QV)):
            total += memory_Q[q] * self.score(q, memory[q])
            for k, z in enumerate(drawn[q]):
                total += proposals_QS[q, k] * self.score(q, z)
        return total

    def draws(self, samples: int) -> Iterator[tuple[float, tuple[tuple[int, ...], ...]]]:
        """Every outcome of drawing ``samples`` rationales a question, with its probability."""
        questions, rationales = self.theta_QV.shape
        rows = list(itertools.product(range(rationales), repeat=samples))
        for outcome in itertools.product(rows, repeat=questions):
            yield float(np.prod([self.p_QV[q, z] for q, row in enumerate(outcome) for z in row])), outcome

    def memories(self) -> Iterator[tuple[float, tuple[int, ...]]]:
        """Every state of chains that have reached their target, with its probability."""
        questions, rationales = self.theta_QV.shape
        for state in itertools.product(range(rationales), repeat=questions):
            probability = float(np.prod([self.posterior_QV[q, z] for q, z in enumerate(state)]))
            if probability > 0:
                yield probability, state

    def expectation(
        self, estimator: Callable[[tuple[int, ...], tuple[tuple[int, ...], ...]], Array], samples: int
    ) -> Array:
        """E[estimator(memory, draws)] over posterior memories and model draws, summed over every outcome."""
        memories = list(self.memories())
        return sum(
            (p * m * estimator(memory, drawn) for p, drawn in self.draws(samples) for m, memory in memories),
            np.zeros_like(self.theta_QV),
        )

    def is_right(self, drawn: tuple[tuple[int, ...], ...]) -> NDArray[np.bool_]:
        """c(z~) of drawn rationales [Q, S]."""
        return np.array([[self.right_QV[q, z] for z in row] for q, row in enumerate(drawn)])
