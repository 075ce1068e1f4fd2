"""A method as stages: what is trained, on which examples, with which loss; each stage one optimiser.

Source: docs/methods.md, "Negative assistant training (NAT)", "Negative calibrated enhancement (NCE)",
"What NAT is compared with".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor

from aurify.distillation import nce
from aurify.distillation.base import student_adapter
from aurify.distillation.examples import Chosen, Example
from aurify.distillation.gradient import ExampleScorer, accumulate
from aurify.distillation.objectives import (
    Weighted,
    contrastive,
    info_nce,
    likelihood,
    n_tokens,
    negative_training,
    unlikelihood,
)
from aurify.distillation.settings import DistillSettings
from aurify.errors import AurifyError
from aurify.models.nat.model import (
    NEGATIVE_STAGE,
    POSITIVE_STAGE,
    adapters,
    begin_units,
    is_part,
    shuffle_negatives,
    train_only,
)
from aurify.models.nat.unit import BOTH, NEG
from aurify.models.sharding import join, named_pieces, put_back
from aurify.running.world import World
from aurify.seeds import stable_seed

CANDIDATES = 8
"""cl looks at this many rationales of a question at most."""

NEEDS_WRONG = ("mix", "nt", "ul", "cl", "prefix")

ExampleGroup = tuple[Example, ...]
"""What is drawn together: one example, or a question's candidates."""
Breaking = Callable[[Callable[..., list[float]]], Callable[..., list[float]]]
"""Makes work on a share of a batch such that a wish to stop breaks it off (``StopRequest.breaking``)."""


@dataclass(frozen=True)
class Stage:
    """A part of a run with an optimiser of its own."""

    name: str
    groups: Sequence[ExampleGroup]
    size: int
    """Groups a step."""
    mode: str
    """The adapters that act in it, and at its end (see ``models.nat.model.set_mode``)."""
    parts: Sequence[str]
    """What it trains: adapters' and units' parameters whose names hold one of these."""
    gradient: Callable[[Sequence[ExampleGroup], Breaking], dict[str, float]]
    """Accumulate the gradient of a batch (this process's share of it); what it found. What takes long is ``Breaking``'s
    to break off."""
    shuffled: int | None = None
    """The seed by which what the negative adapter has learned is shuffled first; None: it stays."""

    def begin(self, model: Any) -> dict[str, torch.nn.Parameter]:
        """Make what it trains trainable, and nothing else; units that it trains begin again."""
        join(model)
        if self.mode == BOTH:
            begin_units(model)
        if self.shuffled is not None:
            shuffle_negatives(model, self.shuffled)
        put_back(model)
        train_only(model, self.parts)
        return self.trained(model)

    def trained(self, model: Any) -> dict[str, torch.nn.Parameter]:
        """What it trains, by name."""
        return {name: value for name, value in named_pieces(model) if is_part(name, self.parts)}

    def steps(self, settings: DistillSettings) -> int:
        """How many optimiser steps it takes."""
        batches = len(self.groups) // min(self.size, len(self.groups))
        return settings.steps or settings.epochs * batches


@dataclass(frozen=True)
class Builder:
    """Builds a method's stages on a model that holds its adapters."""

    settings: DistillSettings
    model: Any
    scorer: ExampleScorer
    world: World
    chosen: Chosen

    def stages(self) -> list[Stage]:
        """The stages, in order.

        Raises:
            AurifyError: there is nothing to learn from on a side that the method needs.
        """
        settings, method, variant = self.settings, self.settings.method, self.settings.variant
        right, wrong = self.chosen.right(), self.chosen.wrong()
        with_negatives = method in NEEDS_WRONG or (method == "nat" and variant not in ("no-negatives", "wide-lora"))
        for side, wanted, name in ((right, True, "right"), (wrong, with_negatives, "wrong")):
            if wanted and not side:
                raise AurifyError(
                    f"--from {settings.from_}: no {name} rationale of a training question is left"
                    f"{_reasons(self.chosen)}, and {method} learns from them"
                )
        if method == "nat" and variant == "wide-lora":
            return [self._plain("pos", right)]
        if method == "nat" and variant == "sequential":
            return [self._plain("neg", wrong), self._plain("pos", right)]
        if method == "nat":
            negative = self._stage("neg", wrong, NEG, NEGATIVE_STAGE, likelihood)
            positive = self._stage("pos", right, BOTH, POSITIVE_STAGE, likelihood)
            if variant == "random-negatives":
                positive = replace(positive, shuffled=stable_seed(settings.seed, "shuffle"))
            return [positive] if variant == "no-negatives" else [negative, positive]
        if method == "cl":
            return [self._contrastive()]
        if method in ("kd", "augment"):
            return [self._plain(method, right)]
        losses: dict[str, Callable[[Sequence[Example]], list[Weighted]]] = {
            "mix": likelihood,
            "prefix": likelihood,
            "nt": lambda batch: negative_training(batch, settings.negative_weight),
            "ul": lambda batch: unlikelihood(batch, settings.negative_weight),
        }
        return [self._plain(method, self.chosen.examples, losses[method])]

    def distillation(self, weights: Callable[[Sequence[Example]], Sequence[Tensor]], *, teacher: str) -> Stage:
        """The stage of nce and of self-kd; ``weights`` gives those of some rationales' tokens."""
        scorer, model = self.scorer, self.model

        def gradient(groups: Sequence[ExampleGroup], breaking: Breaking) -> dict[str, float]:
            batch = _flat(groups)
            tokens = n_tokens(batch)

            def mine(share: list[Example]) -> list[float]:
                loss = nce.accumulate_distillation(
                    scorer, share, weights(share), tokens=tokens,
                    teacher=lambda: adapters(model, teacher),
                )  # fmt: skip
                return [loss]

            return {"loss": sum(self.world.map(breaking(mine), batch)), "tokens": tokens}

        groups = [(example,) for example in self.chosen.right()]
        adapter = student_adapter(self.settings)
        return Stage(self.settings.method, groups, self.settings.rationales, adapter, adapter_parts(adapter), gradient)

    def _plain(
        self,
        name: str,
        examples: Sequence[Example],
        loss: Callable[[Sequence[Example]], list[Weighted]] = likelihood,
    ) -> Stage:
        adapter = student_adapter(self.settings)
        return self._stage(name, examples, adapter, adapter_parts(adapter), loss)

    def _stage(
        self,
        name: str,
        examples: Sequence[Example],
        mode: str,
        parts: Sequence[str],
        loss: Callable[[Sequence[Example]], list[Weighted]],
    ) -> Stage:
        def gradient(groups: Sequence[ExampleGroup], breaking: Breaking) -> dict[str, float]:
            return self._accumulate(loss(_flat(groups)), breaking)

        return Stage(name, [(example,) for example in examples], self.settings.rationales, mode, parts, gradient)

    def _contrastive(self) -> Stage:
        groups = candidates(self.chosen.examples)
        if not any(_mixed(group) for group in groups):
            raise AurifyError(
                f"--from {self.settings.from_}: no question has both right and wrong rationales, which cl compares"
            )

        def gradient(batch: Sequence[ExampleGroup], breaking: Breaking) -> dict[str, float]:
            scores = iter(self.world.map(breaking(self.scorer.means), _flat(batch)))
            means = [[next(scores) for _ in group] for group in batch]
            compared = [
                loss for group, row in zip(batch, means, strict=True) if (loss := info_nce(group, row)) is not None
            ]
            found = self._accumulate(contrastive(batch, means), breaking)
            return {**found, "contrastive_loss": sum(compared) / len(compared) if compared else 0.0}

        size = max(1, round(self.settings.rationales * len(groups) / sum(map(len, groups))))
        adapter = student_adapter(self.settings)
        return Stage("cl", groups, size, adapter, adapter_parts(adapter), gradient)

    def _accumulate(self, batch: list[Weighted], breaking: Breaking) -> dict[str, float]:
        losses = self.world.map(breaking(lambda mine: [accumulate(self.scorer, mine)]), batch)
        return {"loss": sum(losses), "tokens": n_tokens([weighted.example for weighted in batch])}


def adapter_parts(adapter: str) -> tuple[str]:
    """What a stage trains that trains one adapter."""
    return (f".{adapter}.",)


def candidates(examples: Sequence[Example]) -> list[ExampleGroup]:
    """Each question's candidates, right and wrong by turns, at most ``CANDIDATES``; questions with a right one."""
    sides: dict[str, tuple[list[Example], list[Example]]] = {}
    for example in examples:
        sides.setdefault(example.question_id, ([], []))[example.right].append(example)
    groups = []
    for wrong, right in sides.values():
        turns = [example for pair in zip_longest(right, wrong) for example in pair if example is not None]
        if right:
            groups.append(tuple(turns[:CANDIDATES]))
    return groups


def _mixed(group: ExampleGroup) -> bool:
    return len({example.right for example in group}) == 2


def _flat(groups: Sequence[ExampleGroup]) -> list[Example]:
    return [example for group in groups for example in group]


def _reasons(chosen: Chosen) -> str:
    counts = ", ".join(f"{count} {reason}" for reason, count in sorted(chosen.left_out.items()))
    return f" ({counts} left out)" if counts else ""
