"""What a training run can be told; each field is a flag, a TOML key and a line of the run's config.toml.

What means something for some methods only is theirs: see ``aurify.methods``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP
from aurify.asking import FEW_SHOT, LENGTH, PROMPT, MemorySize, PromptName, Sharding, StalledAfter, System, TemplateArgs
from aurify.errors import UsageError
from aurify.methods import METHODS
from aurify.registry import Registry
from aurify.running.budget import STEPS_WITHOUT_END
from aurify.running.duration import seconds_of
from aurify.sampling import SAMPLERS
from aurify.sampling.chosen import SAMPLER_HELP, build_sampler, check_sampler
from aurify.settings import MAX_RANK, Settings
from aurify.unused import unused

if TYPE_CHECKING:
    from aurify.methods import Method

_FROM = ("table", "few-shot")
"""The starts that are read from ``--memory-from``."""
_OF_LEARNING = ("steps", "max_time", "questions", "lr", "lr_final", "warmup", "weight_decay", "target_kl", "clip")
"""What means nothing where nothing is learned."""


class TrainSettings(Settings):
    """Settings of ``aurify train METHOD``."""

    doors: ClassVar[Mapping[str, Registry[Any]]] = {"method": METHODS, "sampler": SAMPLERS, "answers": ANSWER_TYPES}

    method: str = Field(
        description="How to learn: trice, another that aurify train --help lists, or module:Class of your own."
    )
    model: str = Field(description="A Hugging Face folder or hub name, an adapter folder, or 'nugget'.")
    data: str = Field(description="The questions: a file, a folder, or hf:NAME[:CONFIG[:SPLIT]].")
    out: str = Field("", description="The folder of the run [runs/METHOD-DATA, or the next free one]")
    resume: bool = Field(False, description="Continue the run in --out from its last checkpoint.")
    seed: int = Field(0, ge=0, description="The run's seed: split, batches, samples.")

    eval_data: str | None = Field(None, description="Questions to evaluate on; without it, part of --data is held out.")
    holdout: float = Field(0.4, ge=0, lt=1, description="The share of --data held out for evaluation.")
    eval_limit: int = Field(500, ge=0, description="The most held-out questions an evaluation.")
    eval_every: int = Field(
        0,
        ge=0,
        description="Steps between evaluations; 0: only before and after. The best one's model is kept in best/.",
    )
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")

    steps: int = Field(100, ge=0, description="Optimiser steps.")
    max_time: str | None = Field(
        None,
        description="End with the step that uses up this time (2h, 90m); the learning rate falls by then. Evaluations "
        "and saving are not counted; --steps, if given, ends it too [no limit]",
    )
    questions: int = Field(64, ge=1, description="Questions a step.")
    samples: int | None = Field(None, ge=1, description="Proposals a question and step")
    max_new_tokens: int | None = Field(
        None, ge=1, description=f"{LENGTH} [chosen from a pilot; 256 for models below 50M parameters]"
    )
    prompt: PromptName = Field("auto", description=PROMPT)
    few_shot: str | None = Field(None, description=FEW_SHOT)
    system: System = None
    template_args: TemplateArgs = None

    memory: Literal["auto", "guide", "few-shot", "table", "gold", "none"] = Field(
        "auto",
        description="Where a question's first rationale comes from; auto: the guide if the model is seldom right "
        "without it and more often with it, else none; for cot: gold, or the guide where there are no gold rationales.",
    )
    memory_from: str | None = Field(
        None, description="For --memory table: a rationale table. For few-shot: a file of worked examples."
    )

    sampler: str = Field("local", description=SAMPLER_HELP)

    tuning: Literal["full", "lora", "prompt"] | None = Field(
        None, description="What is trained: full weights, lora, or a soft prompt [full below 50M parameters, else lora]"
    )
    lr: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Peak learning rate, taken at its word: without --target-kl nothing bounds a step "
        "[found by --target-kl, beginning by tuning kind and size]",
    )
    lr_final: float = Field(0.1, ge=0, le=1, description="The cosine schedule ends at this share of the peak.")
    warmup: int = Field(0, ge=0, description="Steps of linear warm-up.")
    weight_decay: float = Field(0.0, ge=0, le=1e6, description="Decoupled weight decay (full and lora).")
    target_kl: float | None = Field(
        None,
        ge=0,
        description="How far one step may move the model, in nats of KL divergence a rationale, measured on its own "
        "samples: the rate follows. 0: the rate alone counts [0.02, or 3 % of the median -log p of its own rationales "
        "if that is more, for methods that draw their own samples, if --lr is not given; else 0]",
    )
    clip: float | None = Field(
        None, gt=0, description="Clip the gradient to this global norm [1; none where --target-kl bounds the step]"
    )
    quantize: Literal["4bit"] | None = Field(
        None,
        description="4bit: the frozen weights in 4 bits under LoRA (bitsandbytes): less memory, slower, not quite the "
        "same model.",
    )
    lora_rank: int = Field(16, ge=1, le=MAX_RANK, description="Rank of the LoRA matrices.")
    lora_alpha: int | None = Field(
        None, ge=1, description="As PEFT's lora_alpha: the LoRA update is scaled by it over the rank [twice the rank]"
    )
    lora_targets: list[str] = Field([], description="Names of the layers that get LoRA; repeat [all linear layers]")
    soft_prompt_init: str = Field(
        "20", description="A soft prompt starts from a file's text, or from a number of random tokens."
    )

    token_budget: int = Field(4096, ge=1, description="Tokens a micro-batch; changes speed and memory, not results.")
    fit: MemorySize = None
    dtype: Literal["auto", "float32", "mixed", "bfloat16"] = Field(
        "auto",
        description="float32; mixed: float32 weights, the update in bfloat16; bfloat16: frozen weights too; auto: "
        "bfloat16 (with --tuning full: mixed) for models above 50M parameters where the device is fast in it, else "
        "float32.",
    )
    gradient_checkpointing: bool = Field(
        False, description="Keep fewer activations, and compute them again: less memory, more time."
    )
    overlap: bool = Field(
        False,
        description="Draw a step's proposals while the step before is computed, from weights one update older: faster, "
        "and not exact. With a sampler that is a server.",
    )
    fsdp: Sharding = "none"
    stalled_after: StalledAfter = 3600
    profile: bool = Field(False, description="Print at the end where time, tokens and memory went.")
    save_every: int = Field(
        20, ge=1, description="Steps between checkpoints, at most: a slow step is saved after ten minutes."
    )
    track: list[Literal["trackio", "tensorboard", "wandb"]] = Field(
        [], description="Also log to trackio, tensorboard or wandb; repeat."
    )

    @property
    def updates(self) -> int:
        """The optimiser's steps: none by a method that learns nothing."""
        return self.steps if METHODS.load(self.method).learns else 0

    @property
    def weights_dtype(self) -> str:
        """The dtype that the weights have."""
        return "float32" if self.dtype == "mixed" else self.dtype

    @property
    def samples_lowered(self) -> bool:
        """Whether the local sampler computes in bfloat16 what may be held in float32."""
        return "bfloat16" in (self.dtype, getattr(self, "sample_dtype", "weights"))

    @model_validator(mode="before")
    @classmethod
    def _of_the_method(cls, values: Any) -> Any:
        """What follows from the method where it is not given."""
        method = _method(values)
        if method is None:
            return values
        follows = {}
        if method.answers_alone:
            follows["prompt"] = "direct"
        if method.given and len(method.given_by) == 1:
            follows["memory"] = method.given_by[0]
        values = {**values, **{key: value for key, value in follows.items() if values.get(key) in (None, "auto")}}
        if values.get("max_time") and values.get("steps") is None and method.learns and not method.refits:
            values["steps"] = STEPS_WITHOUT_END
        return values

    def _may_overlap(self) -> None:
        """Refuse ``--overlap`` where nothing would, or where draws of older weights could not be corrected.

        Raises:
            ValueError: so it is; one line says why.
        """
        if not build_sampler(self).apart:
            raise ValueError(
                f"--overlap: --sampler {self.sampler} draws in this process, so that nothing could overlap: take "
                "--sampler vllm"
            )
        method = build_method(self)
        whole = getattr(method, "moves", "independent") == "independent"
        if method.refits or method.given or method.scores_answers or method.greedy or not (method.learns and whole):
            moves = "" if whole else f" --moves {getattr(method, 'moves', '')}"
            raise ValueError(
                f"--overlap: {self.method}{moves} has no fresh whole samples at every step whose age could be corrected"
            )

    @model_validator(mode="after")
    def _consistent(self) -> TrainSettings:
        if self.resume and not self.out:
            raise ValueError("--resume needs --out, the folder of the run to go on with")
        if self.memory in _FROM and not self.memory_from:
            raise ValueError(f"--memory {self.memory} needs --memory-from")
        check_sampler(self, self.tuning)
        method = METHODS.load(self.method)
        if self.steps == 0 and method.learns:
            raise ValueError("--steps 0: expected at least 1")
        if self.max_time:
            try:
                seconds_of(self.max_time)
            except ValueError as error:
                raise ValueError(f"--max-time {error}") from None
        if self.quantize and self.tuning not in (None, "lora"):
            raise ValueError(f"--quantize {self.quantize} is for LoRA, and --tuning {self.tuning} was given")
        if self.overlap:
            self._may_overlap()
        if self.quantize and self.fsdp != "none":
            raise ValueError(f"--fsdp {self.fsdp}: 4-bit weights cannot be sharded: leave --quantize")
        if self.fit and self.gradient_checkpointing:
            raise ValueError("--fit predicts an update without --gradient-checkpointing: leave one of them")
        if self.target_kl and not build_method(self).samples_itself:
            raise ValueError(
                f"--target-kl is measured on samples of the present model, which {self.method} does not draw at every "
                "step: give --lr"
            )
        if self.warmup >= self.updates > 0:
            raise ValueError(f"--warmup {self.warmup} must be less than --steps {self.steps}")
        if method.answers_alone != (self.prompt == "direct"):
            raise ValueError(
                f"{self.method} asks for the answer alone: leave --prompt" if method.answers_alone else
                f"--prompt direct asks for the answer alone, and {self.method} learns from rationales: take the "
                "method direct"
            )  # fmt: skip
        if method.given and self.memory not in ("auto", *method.given_by):
            raise ValueError(f"--memory {self.memory}: {self.method} learns from what is given: {_or(method.given_by)}")
        try:
            build_method(self)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return self

    def unused(self, kind: str, *, adapted: bool) -> list[str]:
        """A line for each reason why something that is set means nothing.

        Args:
            kind: full, lora or prompt, as the model is tuned in the end.
            adapted: whether the model that was given has an adapter, which goes on.
        """
        lora, init = ["lora_rank", "lora_alpha", "lora_targets"], ["soft_prompt_init"]
        foreign = [*(lora if adapted or kind != "lora" else []), *(init if adapted or kind != "prompt" else [])]
        why = "the adapter of --model goes on as it is" if adapted else f"no setting that --tuning {kind} looks at"
        method = METHODS.load(self.method)
        unstarted = not (method.remembers or method.given)
        starts = [*(["memory"] if self.memory != "none" else []), "memory_from"]
        lines = [
            unused(self, () if method.learns else _OF_LEARNING, f"{self.method} learns nothing, and takes no step"),
            unused(self, foreign, why),
            unused(self, ["weight_decay"] if kind == "prompt" else [], f"no setting that --tuning {kind} looks at"),
            unused(self, starts if unstarted else [], f"{self.method} learns from no remembered or given rationale"),
            unused(
                self,
                [] if unstarted or self.memory in _FROM else ["memory_from"],
                f"no setting that --memory {self.memory} looks at",
            ),
            unused(self, ["holdout"] if self.eval_data else [], "nothing of --data is held out beside --eval-data"),
        ]
        return [*filter(None, lines)]


def build_method(settings: TrainSettings) -> Method:
    """The E-step that the settings name.

    Raises:
        UsageError: the method refuses its settings.
    """
    return METHODS.build(settings.method, settings, "samples")


def _method(values: Any) -> type[Method] | None:
    try:
        return METHODS.load(str(values.get("method")))
    except (AttributeError, ValueError):  # not a dictionary, or a word that the field's own check refuses
        return None


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
