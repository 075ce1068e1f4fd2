"""The baselines' objectives as weights: how much of each example's likelihood, and of its unlikelihood, is learned.

A batch's loss is  Σ_i [ -l_i Σ_t log p(z_it) - u_i Σ_t log(1 - p(z_it)) ],  with T the batch's rationale tokens:

    kd    l = 1/T, on right rationales                                   plain distillation (CoT-KD)
    mix   l = 1/T, on right and wrong ones alike
    prefix   as mix, on wrong ones that end before their first false equation
    nt    l = 1/T on right, -λ/T on wrong ones                           negative training (equation 15)
    ul    l = 1/T on right ones, u = λ/T on wrong ones                   unlikelihood, token by token (equation 16)
    cl    l = 1/T on right ones, and the InfoNCE loss below over a question's candidates

The paper's unlikelihood is of whole sequences, whose probability is about 0; a mean over tokens is the form that
teaches anything (docs/methods.md). λ is 0.05 in the paper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from aurify.distillation.examples import Example


class Weighted(NamedTuple):
    """An example with its weights in the loss."""

    example: Example
    likelihood: float = 0.0
    unlikelihood: float = 0.0


def likelihood(examples: Sequence[Example]) -> list[Weighted]:
    """kd, mix and prefix: the mean over the tokens of all examples."""
    share = 1 / n_tokens(examples)
    return [Weighted(example, share) for example in examples]


def negative_training(examples: Sequence[Example], weight: float) -> list[Weighted]:
    """nt: wrong rationales made less likely, with a small weight."""
    share = 1 / n_tokens(examples)
    return [Weighted(example, share if example.right else -weight * share) for example in examples]


def unlikelihood(examples: Sequence[Example], weight: float) -> list[Weighted]:
    """ul: every token of a wrong rationale made less likely, the more the likelier it is."""
    share = 1 / n_tokens(examples)
    return [
        Weighted(example, share) if example.right else Weighted(example, 0.0, weight * share) for example in examples
    ]


def contrastive(groups: Sequence[Sequence[Example]], means: Sequence[Sequence[float]]) -> list[Weighted]:
    """cl: likelihood on the right ones, and InfoNCE within each question.

    With s_i the mean log-probability of candidate i's tokens, R and W a question's right and wrong candidates, the
    contrastive loss is the mean over questions that have both, and over their right ones, of

        -log( e^{s_r} / (e^{s_r} + Σ_{w in W} e^{s_w}) )

    Its gradient with respect to s is taken in closed form, at ``means``, the s of the present model; divided by the
    lengths it is the weight of each candidate's log-probability. So the loss here has that gradient, not that value.
    """
    mixed = sum(any(example.right for example in group) and not all(e.right for e in group) for group in groups)
    share = 1 / max(1, sum(len(example.token_ids) for group in groups for example in group if example.right))
    found = []
    for group, scores in zip(groups, means, strict=True):
        slopes = [0.0] * len(group)
        right = [i for i, example in enumerate(group) if example.right]
        wrong = [i for i, example in enumerate(group) if not example.right]
        for r in right if wrong else ():
            odds = [math.exp(min(scores[w] - scores[r], 700.0)) for w in wrong]
            total = 1 + sum(odds)
            slopes[r] += sum(odds) / total / len(right) / mixed
            for w, odd in zip(wrong, odds, strict=True):
                slopes[w] -= odd / total / len(right) / mixed
        for example, slope in zip(group, slopes, strict=True):
            learned = share if example.right else 0.0
            found.append(Weighted(example, learned + slope / len(example.token_ids)))
    return found


def info_nce(group: Sequence[Example], means: Sequence[float]) -> float | None:
    """The contrastive loss of one question; None where it has not both right and wrong candidates."""
    right = [score for example, score in zip(group, means, strict=True) if example.right]
    wrong = [score for example, score in zip(group, means, strict=True) if not example.right]
    if not right or not wrong:
        return None
    return sum(math.log1p(sum(math.exp(min(w - r, 700.0)) for w in wrong)) for r in right) / len(right)


def n_tokens(examples: Sequence[Example]) -> int:
    """How many tokens the examples' rationales have together."""
    return sum(len(example.token_ids) for example in examples)
