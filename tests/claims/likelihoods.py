"""A world whose model also writes the answer: z from a softmax, then y with probability L(z), one logit a rationale."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from enumeration import Array, World

from aurify.answers import Verdict
from aurify.methods import Method
from aurify.methods.answered import AnsweredRationale
from aurify.rationales import Chain

ANSWER = 99
"""The token of the known answer."""


@dataclass(frozen=True)
class LikelihoodWorld:
    """p(z | x) = softmax(theta), p(y | x, z) = L(z) = sigmoid(phi) * reaches, parameters (theta, phi) [2, Q, V]."""

    theta_QV: Array
    phi_QV: Array
    reaches_QV: Array
    """1 where a rationale comes to an answer, 0 where it does not and L = 0."""

    @classmethod
    def random(cls, questions: int, rationales: int, seed: int) -> LikelihoodWorld:
        random = np.random.default_rng(seed)
        reaches_QV = np.ones((questions, rationales))
        reaches_QV[:, 0] = 0
        return cls(random.normal(size=reaches_QV.shape), 2 * random.normal(size=reaches_QV.shape), reaches_QV)

    @property
    def p_QV(self) -> Array:
        return World(self.theta_QV, self.reaches_QV > 0).p_QV

    @property
    def likelihood_QV(self) -> Array:
        return self.reaches_QV / (1 + np.exp(-self.phi_QV))

    @property
    def marginal_Q(self) -> Array:
        """p(y | x)."""
        return (self.p_QV * self.likelihood_QV).sum(axis=1)

    @property
    def posterior_QV(self) -> Array:
        return self.p_QV * self.likelihood_QV / self.marginal_Q[:, None]

    def score(self, question: int, tokens: tuple[int, ...]) -> Array:
        """grad log p of the tokens (z) or (z, ANSWER) with respect to (theta, phi) [2, Q, V]."""
        gradient = np.zeros((2, *self.theta_QV.shape))
        gradient[0, question] = -self.p_QV[question]
        gradient[0, question, tokens[0]] += 1
        if tokens[1:] == (ANSWER,):
            gradient[1, question, tokens[0]] = 1 - self.likelihood_QV[question, tokens[0]]
        return gradient

    def answered(self, question: int, z: int) -> AnsweredRationale:
        reaches = self.reaches_QV[question, z] > 0
        return AnsweredRationale(
            question_id=str(question), token_ids=(z, ANSWER) if reaches else (z,), text=str(z), predicted=None,
            verdict=Verdict.RIGHT if reaches else Verdict.UNPARSABLE, reason="", source="self", model="m", step=1,
            sample_index=0, seed=0, finish_reason="stop", logprob=None, thought=1,
            answer_logprob=float(np.log(self.likelihood_QV[question, z])) if reaches else -np.inf,
        )  # fmt: skip

    def draws(self, samples: int) -> Iterator[tuple[float, tuple[tuple[int, ...], ...]]]:
        return World(self.theta_QV, self.reaches_QV > 0).draws(samples)

    def memories(self) -> Iterator[tuple[float, tuple[int, ...]]]:
        questions, rationales = self.theta_QV.shape
        for state in itertools.product(range(rationales), repeat=questions):
            probability = float(np.prod([self.posterior_QV[q, z] for q, z in enumerate(state)]))
            if probability > 0:
                yield probability, state

    def ascended(self, method: Method, memory: tuple[int, ...], drawn: tuple[tuple[int, ...], ...]) -> Array:
        """sum_i w_i s_i over the terms of one E-step."""
        chains = [Chain(str(q), self.answered(q, z)) for q, z in enumerate(memory)]
        proposals = [[self.answered(q, z) for z in row] for q, row in enumerate(drawn)]
        gradient = np.zeros((2, *self.theta_QV.shape))
        for term in method.e_step(0, 1, chains, proposals).terms:
            gradient += term.weight * self.score(int(term.question_id), term.token_ids)
        return gradient

    def expected(self, method: Method) -> Array:
        """The expectation of one E-step, over every outcome of draws and of memories that reached their target."""
        memories = list(self.memories())
        if not method.remembers:
            memories = [(1.0, memories[0][1])]
        return sum(
            (
                p * m * self.ascended(method, memory, drawn)
                for p, drawn in self.draws(method.samples)
                for m, memory in memories
            ),
            np.zeros((2, *self.theta_QV.shape)),
        )

    def gradient_of(self, objective: Callable[[LikelihoodWorld], float], h: float = 1e-4) -> Array:
        """The gradient of a function of the world by central differences of fourth order."""
        gradient = np.zeros((2, *self.theta_QV.shape))
        for index in np.ndindex(*gradient.shape):

            def at(step: float, index: tuple[int, ...] = index) -> float:
                parameters = np.stack([self.theta_QV, self.phi_QV])
                parameters[index] += step
                return objective(LikelihoodWorld(parameters[0], parameters[1], self.reaches_QV))

            gradient[index] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
        return gradient

    def gradient_log_marginal(self) -> Array:
        """The mean over questions of grad log p(y | x): what TRICE with a likelihood estimates."""
        questions = len(self.theta_QV)
        theta_QV = (self.posterior_QV - self.p_QV) / questions
        phi_QV = self.posterior_QV * (1 - self.likelihood_QV) / questions
        return np.stack([theta_QV, phi_QV])
