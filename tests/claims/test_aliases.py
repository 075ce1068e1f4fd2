"""Losses of other names whose gradient, with one step a batch by the model that drew it, is a method's of ours.

Each is written down as its paper has it (the sum over a sequence's tokens in the place of their mean, as everywhere in
aurify), and differentiated at the weights that drew the samples.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aurify.answers import Verdict
from aurify.methods import METHODS
from aurify.rationales import Chain, Rationale

EOS, VOCABULARY, LENGTH = 0, 3, 3
CLIP = 0.2
SAMPLES = [(1, 2, EOS), (EOS,), (2, EOS), (1, 1, EOS), (1, 2, EOS)]
RIGHT = [True, False, True, False, True]


def logits(seed: int) -> torch.Tensor:
    """One logit for each token after each token, at each place."""
    random = torch.Generator().manual_seed(seed)
    shape = (LENGTH, VOCABULARY, VOCABULARY)
    return torch.randn(shape, generator=random, dtype=torch.float64).requires_grad_()


def token_logprobs(theta: torch.Tensor, sequence: tuple[int, ...]) -> torch.Tensor:
    rows = [theta[place, before] for place, before in enumerate((EOS, *sequence[:-1]))]
    return torch.stack([row.log_softmax(-1)[token] for row, token in zip(rows, sequence, strict=True)])


def standardised(right: np.ndarray) -> np.ndarray:
    return (right - right.mean()) / right.std()


def centred(right: np.ndarray) -> np.ndarray:
    return right - right.mean()


def clipped(ratio: torch.Tensor, advantage: float) -> torch.Tensor:
    return torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage)


def ppo(new: torch.Tensor, old: torch.Tensor, advantage: float) -> torch.Tensor:
    return clipped((new - old).exp(), advantage).sum()


def dapo(new: torch.Tensor, old: torch.Tensor, advantage: float) -> torch.Tensor:
    ratio = (new - old).exp()
    return torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + 0.28) * advantage).sum()


def gspo(new: torch.Tensor, old: torch.Tensor, advantage: float) -> torch.Tensor:
    return len(new) * clipped((new - old).mean().exp(), advantage)


def cispo(new: torch.Tensor, old: torch.Tensor, advantage: float) -> torch.Tensor:
    return ((new - old).exp().clamp(1 - CLIP, 1 + CLIP).detach() * advantage * new).sum()


def sapo(new: torch.Tensor, old: torch.Tensor, advantage: float) -> torch.Tensor:
    temperature = 1.0 if advantage > 0 else 1.05
    return (4 / temperature * torch.sigmoid(temperature * ((new - old).exp() - 1)) * advantage).sum()


def nft(new: torch.Tensor, old: torch.Tensor, advantage: float) -> torch.Tensor:
    """With q the share of right samples: log r of a right one, log((1 - q r) / (1 - q)) of a wrong one, each weighed by
    sqrt((1 - q) / q)."""
    q, ratio = float(np.mean(RIGHT)), (new - old).exp()
    implicit = ratio if advantage > 0 else (1 - q * ratio).clamp(min=1e-6) / (1 - q)
    return ((1 - q) / q) ** 0.5 * implicit.log().sum()


LENGTHS = sum(map(len, SAMPLES))
"""DAPO divides the sum over all tokens of a batch by their number, GRPO here by that of samples."""

LOSSES = {
    "ppo": (ppo, standardised, 1),
    "gspo": (gspo, standardised, 1),
    "cispo": (cispo, standardised, 1),
    "sapo": (sapo, standardised, 1),
    "dapo": (lambda *given: len(SAMPLES) / LENGTHS * dapo(*given), standardised, len(SAMPLES) / LENGTHS),
    "nft": (nft, standardised, 1),
    "dr-grpo": (ppo, centred, (len(SAMPLES) - 1) / len(SAMPLES)),
    "raft++": (ppo, lambda right: right * len(right) / right.sum(), 1),
}


def surrogate_gradient(word: str, theta: torch.Tensor, drew: torch.Tensor) -> torch.Tensor:
    loss, advantages, _ = LOSSES[word]
    terms = [
        loss(token_logprobs(theta, sequence), token_logprobs(drew, sequence).detach(), advantage)
        for sequence, advantage in zip(SAMPLES, advantages(np.array(RIGHT, dtype=float)), strict=True)
    ]
    (gradient,) = torch.autograd.grad(sum(terms) / len(SAMPLES), theta)
    return gradient


def our_gradient(word: str, theta: torch.Tensor) -> torch.Tensor:
    """What the terms of the alias's own E-step ascend."""
    proposals = [
        Rationale(
            question_id="q", token_ids=sequence, text="", predicted=None,
            verdict=Verdict.RIGHT if right else Verdict.WRONG, reason="", source="self", model="m", step=1,
            sample_index=index, seed=0, finish_reason="stop", logprob=None,
        )
        for index, (sequence, right) in enumerate(zip(SAMPLES, RIGHT, strict=True))
    ]  # fmt: skip
    method = METHODS.load(word)(samples=len(SAMPLES))
    terms = method.e_step(0, 1, [Chain("q")], [proposals]).terms
    (gradient,) = torch.autograd.grad(
        sum(term.weight * token_logprobs(theta, term.token_ids).sum() for term in terms), theta
    )
    return gradient


def test_every_alias_is_proved_here():
    assert {*LOSSES, "latro"} == set(METHODS.aliases)  # latro: test_likelihood_gradients.py


@pytest.mark.parametrize("word", LOSSES)
def test_the_gradient_of_an_alias_is_that_of_its_method(word):
    theta = logits(0)
    expected = LOSSES[word][2] * our_gradient(word, theta)
    torch.testing.assert_close(surrogate_gradient(word, theta, theta), expected, atol=1e-12, rtol=0)
    assert expected.abs().max() > 0.01


@pytest.mark.parametrize("word", LOSSES)
def test_not_of_samples_that_another_model_drew(word):
    """A second step on the same batch would be another method: the ratio is no longer 1."""
    theta, drew = logits(0), logits(1)
    difference = surrogate_gradient(word, theta, drew) - LOSSES[word][2] * our_gradient(word, theta)
    assert difference.abs().max() > 0.01


@pytest.mark.parametrize("word", METHODS.aliases)
def test_an_alias_says_in_one_line_what_it_is_the_same_as(word):
    note = METHODS.note(word)
    assert note.startswith(f"{word} is {METHODS.aliases[word].of} here: ")
    assert "\n" not in note
    assert METHODS.note(METHODS.aliases[word].of) == ""
