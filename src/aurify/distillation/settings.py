"""What a distillation can be told; each field is a flag, a TOML key and a line of the run's config.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP
from aurify.asking import (
    FEW_SHOT,
    LENGTH,
    PROMPT,
    MemorySize,
    Sharding,
    StalledAfter,
    System,
    TemplateArgs,
    WeightsDtype,
)
from aurify.registry import Registry
from aurify.sampling import SAMPLERS
from aurify.sampling.chosen import SAMPLER_HELP, check_sampler
from aurify.settings import MAX_RANK, Settings
from aurify.unused import unused

_SAMPLING = ("nce", "augment", "self-kd")
_OWN_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "unit_width": ("nat",),
    "negatives": ("nat", "mix", "cl", "nt", "ul", "prefix"),
    "negative_weight": ("nt", "ul"),
    "samples": _SAMPLING,
    "temperature": _SAMPLING,
    "nce_weights": ("nce",),
}
"""The settings that only some methods look at, and which these are."""


class DistillSettings(Settings):
    """Settings of ``aurify distill METHOD``."""

    doors: ClassVar[Mapping[str, Registry[Any]]] = {"sampler": SAMPLERS, "answers": ANSWER_TYPES}

    method: Literal["nat", "nce", "kd", "mix", "cl", "nt", "ul", "prefix", "augment", "self-kd"] = Field(
        description="How to learn: nat, nce (of a NAT model), or to compare kd, mix, cl, nt, ul, prefix, augment, "
        "self-kd."
    )  # fmt: skip
    model: str = Field("", description="The student: as for train; nce, augment and self-kd: the teacher [the run's]")
    data: str = Field("", description="The questions: a file, a folder, or hf:NAME[:CONFIG[:SPLIT]] [the run's]")
    from_: str = Field(
        description="Right and wrong rationales: a run's folder (hinted ones too), a rationale table, or a file."
    )
    out: str = Field("", description="The folder of the run [runs/METHOD-DATA, or the next free one]")
    resume: bool = Field(False, description="Continue the run in --out from its last checkpoint.")
    seed: int = Field(0, ge=0, description="The run's seed: split, batches, first weights, samples.")

    eval_data: str | None = Field(None, description="Questions to evaluate on; without it, part of --data is held out.")
    holdout: float = Field(0.2, ge=0, lt=1, description="The share of --data held out for evaluation.")
    eval_limit: int = Field(500, ge=0, description="The most held-out questions an evaluation.")
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")

    epochs: int = Field(4, ge=1, description="Passes over the rationales, in each stage.")
    steps: int | None = Field(None, ge=1, description="Optimiser steps of each stage, in the place of --epochs.")
    rationales: int = Field(32, ge=1, description="Rationales a step.")
    negatives: Literal["wrong", "all"] = Field(
        "wrong", description="wrong: a parsed, wrong answer; all: also unparsable and truncated ones, as in the paper."
    )
    repeats: Literal["once", "keep"] = Field(
        "keep", description="Rationales of a question that repeat another: once, or as often as they were drawn (keep)."
    )
    max_tokens: int = Field(1024, ge=2, description="Leave out longer examples (question and rationale).")
    max_new_tokens: int | None = Field(
        None,
        ge=1,
        description=f"{LENGTH} [as the model was trained; else 1024 in a chat, 4096 if it thinks, 256 otherwise]",
    )
    prompt: Literal["auto", "plain", "chat"] = Field("auto", description=PROMPT)
    few_shot: str | None = Field(None, description=FEW_SHOT)
    system: System = None
    template_args: TemplateArgs = None

    sampler: str = Field("local", description=SAMPLER_HELP)

    variant: Literal[
        "full", "linear-value", "no-offset", "fixed", "no-negatives", "random-negatives", "wide-lora", "sequential"
    ] = Field(
        "full", description="Of nat, for ablations; wide-lora: a plain LoRA of as many parameters, on right ones; "
        "random-negatives: what the negative adapter has learned is shuffled."
    )  # fmt: skip
    negative_weight: float = Field(0.05, ge=0, description="Of the wrong rationales' term in nt and ul.")
    samples: int = Field(4, ge=0, description="Samples a question of nce, augment and self-kd; right ones are learned.")
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False, description="Of these samples.")
    nce_weights: Literal["sequence", "token"] = Field(
        "sequence", description="Whether nce weighs whole rationales, as in the paper, or each token."
    )

    lora_rank: int = Field(8, ge=1, le=MAX_RANK, description="Rank of the LoRA matrices.")
    lora_alpha: int = Field(
        16, ge=1, description="As PEFT's lora_alpha: the LoRA update is scaled by it over the rank."
    )
    lora_targets: list[str] = Field([], description="Names of the layers that get LoRA; repeat [q_proj, v_proj]")
    unit_width: int = Field(128, ge=1, le=MAX_RANK, description="Width of the integration unit.")

    lr: float | None = Field(None, gt=0, le=1e6, description="Peak learning rate [3e-4; 2e-3 below 50M parameters]")
    lr_final: float = Field(0.1, ge=0, le=1, description="The cosine schedule ends at this share of the peak.")
    warmup: int = Field(0, ge=0, description="Steps of linear warm-up, in each stage.")
    clip: float = Field(1.0, gt=0, description="Clip the gradient to this global norm.")
    token_budget: int = Field(4096, ge=1, description="Tokens a micro-batch; changes speed and memory, not results.")
    fit: MemorySize = None
    dtype: WeightsDtype = "auto"
    fsdp: Sharding = "none"
    stalled_after: StalledAfter = 3600
    save_every: int = Field(
        50, ge=1, description="Steps between checkpoints, at most: a slow step is saved after ten minutes."
    )
    track: list[Literal["trackio", "tensorboard", "wandb"]] = Field(
        [], description="Also log to trackio, tensorboard or wandb; repeat."
    )

    @model_validator(mode="after")
    def _consistent(self) -> DistillSettings:
        if self.resume and not self.out:
            raise ValueError("--resume needs --out, the folder of the run to go on with")
        check_sampler(self, "adapters")
        if self.variant != "full" and self.method != "nat":
            raise ValueError(f"--variant {self.variant} is of nat, not of {self.method}")
        return self

    @property
    def samples_first(self) -> bool:
        """Whether the model that is given draws rationales of its own before a student learns."""
        return self.method in _SAMPLING

    @property
    def unused(self) -> list[str]:
        """A line for each reason why something that is set means nothing."""
        others = [name for name, methods in _OWN_SETTINGS.items() if self.method not in methods]
        lines = [
            unused(self, others, f"no setting that {self.method} looks at"),
            unused(self, ["epochs"] if self.steps else [], "--steps stands in its place"),
            unused(self, ["holdout"] if self.eval_data else [], "nothing of --data is held out beside --eval-data"),
        ]
        return [*filter(None, lines)]
