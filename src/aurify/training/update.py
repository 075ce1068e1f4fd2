"""The M-step of a run: one optimiser step on the terms that the E-step gave, and what it did to the model.

Source: docs/methods.md, "The gradient (M-step)".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from aurify.clock import Clock
from aurify.errors import AurifyError
from aurify.methods import Term
from aurify.models import Tuned, trainable_parameters
from aurify.models.heap import give_back
from aurify.models.sharding import in_pieces, own_piece, split
from aurify.models.token_budget import TokenBudget, drop_gradients
from aurify.rationales import Rationale
from aurify.running.world import World
from aurify.training.effect import Probes, probes_of, scorer
from aurify.training.m_step import CLIP, MOST_IMPORTANCE, accumulate_gradient, ascend, build_optimizer, clip_gradient
from aurify.training.settings import TrainSettings
from aurify.training.signal import GradientSignal
from aurify.training.trust_region import EVIDENCE, TrustRegion, evidence, surprise

LOOKED_EVERY = 5
"""Steps between looks at what a step did, where its effect does not bound it: two forward passes each."""


class Ascent(NamedTuple):
    """A gradient that has been accumulated, and what is needed to step along it."""

    probes: Probes | None
    """None: nobody looks at what the step does."""
    evidence: float
    """The effective number of rationales behind it."""
    surprise: float = 0.0
    """Of the model's own rationales, in nats."""
    ratios: Sequence[float] = ()
    """By which the weights of terms were multiplied that older weights drew."""


def importance(ratios: Sequence[float]) -> dict[str, float]:
    """What metrics.jsonl says of them: their mean, the share that was truncated, and (sum r)^2 / (n sum r^2)."""
    total, squares = math.fsum(ratios), math.fsum(ratio * ratio for ratio in ratios)
    return {
        "mean": total / len(ratios),
        "truncated": sum(ratio >= MOST_IMPORTANCE for ratio in ratios) / len(ratios),
        "effective": total * total / (len(ratios) * squares) if squares else 0.0,
    }


class Update:
    """What is trained, and by which optimiser.

    Args:
        budget: tokens a micro-batch.
        pad_token_id: the tokenizer's.
        target_kl: what a step may move the model by, in nats a rationale (see ``trust_region``); 0: no bound.
        of_surprise: the share of its own rationales' surprise that it may move by where that is more.
    """

    def __init__(
        self,
        settings: TrainSettings,
        tuned: Tuned,
        world: World,
        clock: Clock,
        *,
        budget: TokenBudget,
        pad_token_id: int,
        target_kl: float,
        of_surprise: float,
    ) -> None:
        self.settings, self.tuned, self.world, self.clock = settings, tuned, world, clock
        self.budget, self.pad_token_id = budget, pad_token_id
        self._for_probes = TokenBudget(budget.tokens, budget.say, repeats=budget.repeats)
        self.parameters = trainable_parameters(tuned.model)
        self.low_precision = settings.dtype != "float32"
        self.peak_rate = settings.lr or tuned.learning_rate
        self.trust: TrustRegion | None = None
        """What bounds the steps; None: the rate alone."""
        if target_kl:
            self.trust = TrustRegion.around(target_kl, self.peak_rate, of_surprise)
            if settings.lr:
                self.trust.ceiling = settings.lr
        self.signal = GradientSignal()
        self.optimizer: torch.optim.Optimizer
        self.begin()

    def begin(self) -> None:
        """Start with a fresh optimiser."""
        self.optimizer = build_optimizer(
            list(self.parameters.values()), self.tuned.kind, rate=self.peak_rate,
            weight_decay=self.settings.weight_decay,
        )  # fmt: skip

    def gradient(
        self,
        terms: Sequence[Term],
        prompts: Mapping[str, tuple[int, ...]],
        proposals: Sequence[Sequence[Rationale]] = (),
        *,
        look: bool = True,
    ) -> Ascent | None:
        """Accumulate the gradient of sum_i w_i log p(z_i | x_i); None where there is nothing to ascend.

        The weights stay as they are. The processes share the terms.

        Args:
            prompts: token ids of the prompt of every question of this step, by question id.
            proposals: of this step's questions; the effect is measured on those that the model itself has just drawn.
            look: whether it is measured at all; where it bounds the step, it always is.

        Raises:
            Interrupted: it was broken off, in all processes; the weights are as they were.
        """
        if not any(term.weight for term in terms):
            return None
        split(self.tuned.model)
        longest_first = sorted(terms, key=lambda term: (-len(term.token_ids), term.question_id))
        mine = self.world.share(longest_first)
        tokens = sum(len(prompts[id]) for id in {term.question_id for term in mine})
        probes = self._probes(terms, prompts, proposals) if look or self.trust else None

        def accumulate() -> list[float]:
            return accumulate_gradient(
                self.tuned.model, mine, prompts, pad_token_id=self.pad_token_id, token_budget=self.budget.tokens,
                bf16=self.low_precision,
            )  # fmt: skip

        breaking = self.world.stop.breaking(self.budget.spend, in_step=in_pieces(self.tuned.model))
        with self.clock.measure("gradient", tokens + sum(len(term.token_ids) for term in mine)):
            ratios = self.world.together(lambda: breaking(accumulate, lambda: drop_gradients(self.tuned.model)))
        if not self._finite():
            raise AurifyError(self._blame(longest_first, prompts))
        return Ascent(probes, evidence(terms), surprise(sample for row in proposals for sample in row), ratios)

    def _probes(
        self,
        terms: Sequence[Term],
        prompts: Mapping[str, tuple[int, ...]],
        proposals: Sequence[Sequence[Rationale]],
    ) -> Probes:
        with self.clock.measure("effect"):
            score = scorer(self.tuned.model, self.pad_token_id, self._for_probes, bf16=self.low_precision)
            return Probes(self.world, score, *probes_of(prompts, proposals, terms))

    def _blame(self, terms: Sequence[Term], prompts: Mapping[str, tuple[int, ...]]) -> str:
        """A gradient that is not finite in words: which rationales alone give such a one."""
        found = []
        for term in terms:
            drop_gradients(self.tuned.model)
            accumulate_gradient(
                self.tuned.model, self.world.share([term]), prompts, pad_token_id=self.pad_token_id, token_budget=1,
                bf16=self.low_precision,
            )  # fmt: skip
            if not self._finite():
                found.append(term.question_id)
        drop_gradients(self.tuned.model)
        whose = f"for {', '.join(sorted(set(found)))}" if found else "in sum, though it is for each rationale alone"
        return f"the gradient is not finite {whose}; the weights are still those of the last step: lower --lr"

    def _finite(self) -> bool:
        """Whether the gradients are, in all processes."""
        gradients = (own_piece(p.grad) for p in self.parameters.values() if p.grad is not None)
        return not self.world.any(not all(bool(gradient.isfinite().all()) for gradient in gradients))

    def step(self, ascent: Ascent | None, rate: float) -> dict[str, Any]:
        """One optimiser step along the gradient, and what it did.

        Args:
            rate: the learning rate by the schedule; where steps are bounded, only its share of the peak counts.
        """
        if ascent is None:
            return {"updated": False, "learning_rate": rate, "gradient_norm": 0.0}
        parameters = list(self.parameters.values())
        told: dict[str, float] = {}
        with self.clock.measure("optimizer"):
            self.world.sum_gradients(parameters)
            cosine = self.signal.cosine(parameters)
            if self.trust and ascent.probes and ascent.probes.tell_kl:
                scale = min(1.0, ascent.evidence / EVIDENCE)
                norm = clip_gradient(parameters, self.settings.clip or math.inf, scale=scale)
                taken = self.trust.step(
                    self.optimizer, decay=rate / self.peak_rate, evidence=ascent.evidence,
                    exact=not self.low_precision, measure=ascent.probes.measure, surprise=ascent.surprise,
                )  # fmt: skip
                rate, told = taken.rate, {"kl_bound": taken.bound, **taken.effect.told()}
                self.optimizer.zero_grad(set_to_none=True)
            else:
                norm = ascend(self.optimizer, parameters, rate=rate, clip=self.settings.clip or CLIP)
                told = ascent.probes.measure().told() if ascent.probes else {}
        give_back(self.tuned.model)
        signal = {} if cosine is None else {"gradient_cosine": cosine}
        corrected = {"importance": importance(ascent.ratios)} if ascent.ratios else {}
        return {"updated": True, "learning_rate": rate, "gradient_norm": norm, **signal, **corrected, **told}

    def told(self) -> str:
        """How long its steps are, in words."""
        if self.trust is None:
            return f"at rate {self.peak_rate:.3g}"
        share = self.trust.of_surprise
        more = f", or {share:.0%} of the median -log p of its own ones" if share else ""
        return (
            f"in steps of at most {self.trust.target_kl:g} nats a rationale{more} (--target-kl), at rates of at most "
            f"{self.trust.ceiling:.3g}"
        )

    def state(self) -> bytes:
        """What bounds the next step, beside the optimiser's own state."""
        return json.dumps({"rate": self.trust.rate if self.trust else None}).encode()

    def restore(self, state: bytes) -> None:
        """See ``state``.

        Raises:
            ValueError, KeyError, TypeError: it is damaged.
        """
        rate = json.loads(state)["rate"]
        if self.trust and rate is not None:
            if not 0 < float(rate) < math.inf:
                raise ValueError(f"a rate of {rate}")
            self.trust.rate = float(rate)
