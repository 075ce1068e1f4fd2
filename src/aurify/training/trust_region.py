"""A step as long as its effect allows: the learning rate follows from how far the model moves.

A rate does not fit models of all sizes; its effect does. So the direction is Adam's, and its length is the one at which
the model's own samples move by at most a given KL divergence (nats a rationale), less where few rationales stand
behind the step. KL(old || new) grows with the square of a small step, so one look at a trial step tells the
rate that meets the bound:

    rate = trial * sqrt(bound / KL(trial)),    bound = target * decay^2 * min(1, n / 64)

where ``n`` is the effective number of rationales that the step learns from, (sum |w|)^2 / sum w^2, and
``decay`` the schedule's share of the peak. The target itself follows the model, where no other is given: it is a share
of the surprise of its own rationales, the median of -log p(z | x) of those that it has just drawn. A model that writes
long rationales of many likely words, of 26 nats, may move farther by a step than one of 1 million parameters whose
rationales have 1 nat. Source: trust regions as in Schulman et al. 2015 (TRPO), with Adam's
direction in the place of the natural gradient; the estimate of the KL is that of ``effect.Effect``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch

from aurify.errors import AurifyError
from aurify.methods import Term
from aurify.rationales import Rationale
from aurify.training.effect import Effect

TARGET_KL = 0.02
"""Nats a rationale by which a step may always move the model where nothing else is said (see docs/decisions.md)."""
OF_SURPRISE = 0.03
"""And this share of its own rationales' surprise, where that is more."""
EVIDENCE = 64
"""Rationales that earn a whole step."""
MEASURABLE = 0.2
"""Nats a rationale that stand clear of bfloat16's rounding, which alone looks like 0.02 to 0.03 nats."""
TRUSTED_RATIO = 4.0
"""How many times the effect that is looked for a trial may have; beyond it the square law says too little."""
TRIALS = 8
GROWTH = 2.0
"""How much longer a step may be than the one before."""
CEILING = 4.0
"""A rate that no step passes, in plain default rates."""


class Step(NamedTuple):
    """A step that was taken: its rate, its bound, and its effect (of the trial, by the square law at this rate)."""

    rate: float
    bound: float
    effect: Effect


@dataclass
class TrustRegion:
    """How far steps go."""

    target_kl: float
    """Nats a rationale."""
    ceiling: float
    """The rate that is never passed."""
    rate: float
    """That of the last step over its ``decay``: all the state there is."""
    of_surprise: float = 0.0
    """The share of the surprise of the model's own rationales that is the target where that is more."""

    @classmethod
    def around(cls, target_kl: float, rate: float, of_surprise: float) -> TrustRegion:
        """One that begins at half of a plain default rate and may go to ``CEILING`` times it."""
        return cls(target_kl, CEILING * rate, rate / (2 * GROWTH), of_surprise)

    def step(
        self,
        optimizer: torch.optim.Optimizer,
        *,
        decay: float,
        evidence: float,
        exact: bool,
        measure: Callable[[], Effect],
        surprise: float = 0.0,
    ) -> Step:
        """One optimiser step on the gradients that are there, as long as the bound allows.

        Args:
            optimizer: Adam or AdamW.
            decay: the schedule's share of the peak at this step.
            evidence: the effective number of rationales behind it.
            exact: whether log-probabilities are precise enough to measure the step itself; else a longer one is.
            measure: the effect of what changed since before this call.
            surprise: of the model's own rationales, in nats (see ``surprise``).

        Raises:
            AurifyError: the log-probabilities are not finite even after a very short step.
        """
        if decay == 0:  # a schedule that ends at nothing
            _at_rate(optimizer, 0.0)
            optimizer.step()
            return Step(0.0, 0.0, measure())
        target = max(self.target_kl, self.of_surprise * surprise)
        bound = target * decay**2 * min(1.0, evidence / EVIDENCE)
        longest = min(self.rate * GROWTH, self.ceiling) * decay
        wanted = bound if exact else max(bound, MEASURABLE)
        trial = longest * math.sqrt(wanted / bound)
        with _without_weight_decay(optimizer) as decays:
            _at_rate(optimizer, trial)
            optimizer.step()
            effect, trial = _tried(optimizer, trial, wanted, measure)
            rate = min(longest, trial * math.sqrt(bound / effect.kl)) if effect.kl > 0 else longest
            _retreat(optimizer, trial - rate)
        _decay_weights(optimizer, decays, rate)
        self.rate, share = rate / decay, rate / trial
        return Step(rate, bound, Effect(effect.kl * share**2, effect.gain * share, effect.raised))


def _at_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _tried(
    optimizer: torch.optim.Optimizer, trial: float, wanted: float, measure: Callable[[], Effect]
) -> tuple[Effect, float]:
    """The effect of a trial step that was just taken, and its rate; shortened while the effect is too large to tell."""
    effect = measure()
    for _ in range(TRIALS):
        if effect.kl <= TRUSTED_RATIO * wanted:
            break
        share = max(1 / 8, math.sqrt(wanted / effect.kl)) if math.isfinite(effect.kl) else 1 / 8
        _retreat(optimizer, trial * (1 - share))
        trial *= share
        effect = measure()
    if not math.isfinite(effect.kl):
        raise AurifyError("the update's effect is not finite: resume from an earlier checkpoint with a lower --lr")
    return effect, trial


def evidence(terms: Sequence[Term]) -> float:
    """The effective number of rationales behind a step: (sum |w|)^2 / sum w^2."""
    weights = [abs(term.weight) for term in terms]
    return sum(weights) ** 2 / sum(weight**2 for weight in weights) if any(weights) else 0.0


def surprise(proposals: Iterable[Rationale]) -> float:
    """The median of -log p(z | x) in nats of those that the model drew whole, by itself; 0 where there are none."""
    own = [-p.logprob for p in proposals if p.source == "self" and p.move != "suffix" and p.logprob is not None]
    return statistics.median(own) if own else 0.0


@torch.no_grad()
def _retreat(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Go back against Adam's direction, as it now stands, by this rate: what a step at a lower one had done."""
    for group in optimizer.param_groups:
        beta1, beta2 = group["betas"]
        for parameter in group["params"]:
            state = optimizer.state.get(parameter)
            if parameter.grad is None or not state:
                continue
            n = float(state["step"])
            scale = math.sqrt(1 - beta2**n)
            denominator = state["exp_avg_sq"].sqrt().div_(scale).add_(group["eps"])
            parameter.addcdiv_(state["exp_avg"], denominator, value=rate / (1 - beta1**n))


@contextmanager
def _without_weight_decay(optimizer: torch.optim.Optimizer) -> Iterator[list[float]]:
    """The groups' weight decay, which is 0 inside: it must follow the rate that is found, not the trial's."""
    decays = [float(group["weight_decay"]) for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["weight_decay"] = 0.0
    yield decays
    for group, weight_decay in zip(optimizer.param_groups, decays, strict=True):
        group["weight_decay"] = weight_decay


@torch.no_grad()
def _decay_weights(optimizer: torch.optim.Optimizer, decays: Sequence[float], rate: float) -> None:
    for group, weight_decay in zip(optimizer.param_groups, decays, strict=True):
        group["lr"] = rate
        for parameter in group["params"]:
            if weight_decay and parameter.grad is not None:
                parameter.mul_(1 - rate * weight_decay)
