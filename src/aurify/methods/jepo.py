"""JEPO: lower bounds of the marginal likelihood, from the model's own probability of the known answer.

With L(z) = p(y | x, z) and K draws z_1 .. z_K from the model,

    single-sample bound    E[ log L(z) ]                        <= log p(y | x), by Jensen
    multi-sample bound     E[ log (1/K) sum_k L(z_k) ]          <= log p(y | x), tighter in K

and their gradients, the mean over questions of

    single    (1/K) sum_k [ (log L_k - mean_{j != k} log L_j) s(z_k) + grad log L_k ]
    multi     sum_k [ (log (1/K) sum_j L_j - log (1/(K-1)) sum_{j != k} L_j) s(z_k) + w_k grad log L_k ]

where s(z) = grad log p(z | x) and w_k = L_k / sum_j L_j. The subtracted terms do not depend on z_k, so they bias
nothing.

Neither is the gradient of log p(y | x): the single-sample bound falls short by KL(p(z | x) || p(z | x, y)), and for an
answer that a program checks (L in {0, 1}) it is minus infinity. With K to infinity the multi-sample bound is the
marginal likelihood, which ``methods.likelihood`` targets for every K.

log L is held at -20 from below, and has no gradient there, so that a rationale which comes to no answer has a finite
reward; the bounds above are then those of max(L, exp(-20)).

Left out: the divergence from a reference model, and clipping (the draws are learned from once).

Source: Tang et al., "Beyond Verifiable Rewards: Scaling Reinforcement Learning of Language Models to Unverifiable
Data", 2025 (arXiv 2503.19618).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from aurify.errors import UsageError
from aurify.methods.answered import answer_logprobs, thought_ids
from aurify.methods.base import EStep, Method, Term
from aurify.methods.terms import Floats, advanced, merge
from aurify.rationales import Chain, Rationale

FLOOR = -20.0
"""The least log p(y | x, z), in nats."""


def single_bound(logprobs_QS: Floats) -> tuple[Floats, Floats]:
    """(weights of s(z_k), weights of grad log L_k), each [Q, S], of the single-sample bound; S at least 2."""
    floored_QS = np.maximum(logprobs_QS, FLOOR)
    samples = logprobs_QS.shape[1]
    others_QS = (floored_QS.sum(axis=1, keepdims=True) - floored_QS) / (samples - 1)
    return (floored_QS - others_QS) / samples, (logprobs_QS > FLOOR) / samples


def multi_bound(logprobs_QS: Floats) -> tuple[Floats, Floats]:
    """The same of the multi-sample bound; S at least 2."""
    from scipy.special import logsumexp  # the command line, which looks at every method, starts without SciPy

    floored_QS = np.maximum(logprobs_QS, FLOOR)
    samples = logprobs_QS.shape[1]
    total_Q1 = logsumexp(floored_QS, axis=1, keepdims=True)
    others = [logsumexp(np.delete(floored_QS, k, axis=1), axis=1) for k in range(samples)]
    advantage_QS = total_Q1 - np.log(samples) - (np.stack(others, axis=1) - np.log(samples - 1))
    return advantage_QS, np.exp(floored_QS - total_Q1) * (logprobs_QS > FLOOR)


@dataclass(frozen=True)
class Jepo(Method):
    """JEPO: the multi-sample lower bound of the marginal likelihood, without a checker; at least 2 samples.

    Its E-step is on answered rationales (``methods.answered``).
    """

    samples: int = 4
    bound: Literal["multi", "single"] = "multi"
    scores_answers: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise UsageError(
                f"jepo compares a question's samples with each other, so {self.samples} is too few: "
                "give --samples 2 or more"
            )

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Weigh every draw, and the answer after it (see ``methods.base.Method``); the chains keep the best draw."""
        _, logprobs_QS = answer_logprobs(chains, proposals)
        thought_QS, answer_QS = (single_bound if self.bound == "single" else multi_bound)(logprobs_QS)
        weighed = []
        for q, (chain, row) in enumerate(zip(chains, proposals, strict=True)):
            for k, sample in enumerate(row):  # grad log L = s(z, y) - s(z)
                answer = float(answer_QS[q, k]) / len(chains)
                weighed.append(Term(chain.question_id, sample.token_ids, answer))
                weighed.append(
                    Term(chain.question_id, thought_ids(sample), float(thought_QS[q, k]) / len(chains) - answer)
                )
        best_Q = np.where(logprobs_QS.max(axis=1) > -np.inf, logprobs_QS.argmax(axis=1), -1)
        after = advanced(chains, proposals, best_Q, step)
        info = {
            "acceptance": float((logprobs_QS > -np.inf).mean()),
            "valid_chains": float(np.mean([chain.right for chain in after])),
            "answer_logprob": float(np.maximum(logprobs_QS, FLOOR).mean()),
        }
        return EStep(after, merge(weighed), info)


@dataclass(frozen=True)
class JepoSingle(Jepo):
    """JEPO's single-sample lower bound of the marginal likelihood, without a checker; at least 2 samples."""

    bound: Literal["multi", "single"] = "single"
