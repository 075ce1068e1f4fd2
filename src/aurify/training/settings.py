"""What a training run can be told; each field is a flag, a TOML key and a line of the run's config.toml."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from aurify.settings import Settings

OWN_SETTINGS = {
    "estimator": ("trice", "trice-likelihood"),
    "baseline": ("trice",),
    "subsample": ("trice",),
    "refits": ("star", "rest-em"),
}
"""Settings that mean something for some methods only."""


class TrainSettings(Settings):
    """Settings of ``aurify train METHOD``."""

    method: Literal[
        "trice", "trice-likelihood", "star", "rejection", "rest-em", "direct", "cot", "rloo", "grpo", "incorrect-only",
        "jepo", "jepo-single", "prompting",
    ] = Field(
        description="How to learn: trice, trice-likelihood (no checker needed), or for comparison star, rejection, "
        "rest-em, direct (answers alone), cot (given rationales), rloo, grpo, incorrect-only, jepo, jepo-single; "
        "prompting learns nothing (see --few-shot)."
    )  # fmt: skip
    model: str = Field(description="A Hugging Face folder or hub name, an adapter folder, or 'nugget'.")
    data: str = Field(description="The questions: a file, a folder, or hf:NAME[:CONFIG[:SPLIT]].")
    out: str = Field("", description="The folder of the run [runs/METHOD-DATA, or the next free one]")
    resume: bool = Field(False, description="Continue the run in --out from its last checkpoint.")
    seed: int = Field(0, ge=0, description="The run's seed: split, batches, samples.")

    eval_data: str | None = Field(None, description="Questions to evaluate on; without it, part of --data is held out.")
    holdout: float = Field(0.4, ge=0, lt=1, description="The share of --data held out for evaluation.")
    eval_limit: int = Field(500, ge=0, description="At most so many held-out questions an evaluation.")
    eval_every: int = Field(0, ge=0, description="Steps between evaluations; 0: only before and after.")
    answers: str | None = Field(None, description="number, choice, text, math or module:function [inferred]")
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")

    steps: int = Field(100, ge=0, description="Optimiser steps.")
    questions: int = Field(64, ge=1, description="Questions a step.")
    samples: int | None = Field(
        None, ge=1, description="Proposals a question and step [trice, star, direct 1; grpo 8; others 4]"
    )
    max_new_tokens: int = Field(256, ge=1, description="Token limit of a rationale; longer ones are cut and wrong.")
    prompt: Literal["plain", "chat", "direct"] = Field(
        "plain", description="The prompt's form: plain, the model's chat, or direct (that of the method direct)."
    )
    few_shot: str | None = Field(None, description="A file of worked examples put before every question.")

    estimator: Literal["control-variate", "basic", "subsampled"] = Field(
        "control-variate", description="The gradient estimator: control-variate, basic or subsampled."
    )
    baseline: Literal["batch", "running"] = Field(
        "batch", description="The control variate's acceptance rate: of the other questions, or of earlier visits."
    )
    subsample: int = Field(64, ge=1, description="Sequences drawn for the gradient by --estimator subsampled.")
    refits: int | None = Field(
        None, ge=0, description="Fits anew from the base model [star 6, rest-em 3]; 0: star learns online."
    )
    memory: Literal["auto", "guide", "few-shot", "table", "gold", "none"] = Field(
        "auto",
        description="Where a question's first rationale comes from; auto: the guide if the model is mostly wrong "
        "without it and less so with it, else none; for cot: gold, or the guide where there are no gold rationales.",
    )
    memory_from: str | None = Field(
        None, description="For --memory table: a rationale table. For few-shot: a file of worked examples."
    )

    sampler: Literal["local", "vllm"] = Field(
        "local", description="Who draws: this process (exact samples), or a vLLM server (almost exact ones)."
    )
    vllm_url: str | None = Field(
        None, description="For --sampler vllm: a running server [one is started, and ends with the run]"
    )

    tuning: Literal["full", "lora", "prompt"] | None = Field(
        None, description="What is trained: full weights, lora, or a soft prompt [full below 50M parameters, else lora]"
    )
    lr: float | None = Field(None, gt=0, description="Peak learning rate [by tuning kind and size]")
    lr_final: float = Field(0.1, ge=0, le=1, description="The cosine schedule ends at this share of the peak.")
    warmup: int = Field(0, ge=0, description="Steps of linear warm-up.")
    weight_decay: float = Field(0.0, ge=0, description="Decoupled weight decay (full and lora).")
    target_kl: float | None = Field(
        None,
        ge=0,
        description="How far one step may move the model, in nats of KL divergence a rationale, measured on its own "
        "samples: the rate follows. 0: the rate alone counts [0.02 for methods that draw their own samples, if --lr is "
        "not given; else 0]",
    )
    clip: float | None = Field(
        None, gt=0, description="Clip the gradient to this global norm [1; none where --target-kl bounds the step]"
    )
    lora_rank: int = Field(16, ge=1, description="Rank of the LoRA matrices.")
    lora_alpha: int | None = Field(None, ge=1, description="Scale of the LoRA update, times the rank [twice the rank]")
    lora_targets: list[str] = Field([], description="Names of the layers that get LoRA; repeat [all linear layers]")
    soft_prompt_init: str = Field(
        "20", description="A soft prompt starts from a file's text, or from so many random tokens."
    )

    token_budget: int = Field(4096, ge=1, description="Tokens a micro-batch; changes speed and memory, not results.")
    dtype: Literal["float32", "mixed", "bfloat16"] = Field(
        "float32", description="float32; mixed: float32 weights, the update in bfloat16; bfloat16: frozen weights too."
    )
    sample_dtype: Literal["weights", "bfloat16"] = Field(
        "weights", description="The local sampler's: as the weights, or bfloat16, then samples are not exact ones."
    )
    gradient_checkpointing: bool = Field(
        False, description="Keep fewer activations, and compute them again: less memory, more time."
    )
    profile: bool = Field(False, description="Print at the end where time, tokens and memory went.")
    save_every: int = Field(20, ge=1, description="Steps between checkpoints.")
    track: list[Literal["trackio", "tensorboard", "wandb"]] = Field(
        [], description="Also log to trackio, tensorboard or wandb; repeat."
    )

    @property
    def weights_dtype(self) -> str:
        """The dtype that the weights have."""
        return "float32" if self.dtype == "mixed" else self.dtype

    @property
    def samples_lowered(self) -> bool:
        """Whether the local sampler computes in bfloat16 what may be held in float32."""
        return "bfloat16" in (self.dtype, self.sample_dtype)

    @model_validator(mode="before")
    @classmethod
    def _of_the_method(cls, values: Any) -> Any:
        """What follows from the method where it is not given."""
        if isinstance(values, dict) and values.get("method") == "direct":
            follows = {"memory": "gold", "prompt": "direct"}
            values = {**values, **{key: value for key, value in follows.items() if values.get(key) in (None, "auto")}}
        if isinstance(values, dict) and values.get("method") == "prompting":
            values = {**values, "steps": 0, "warmup": 0}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> TrainSettings:
        if self.resume and not self.out:
            raise ValueError("--resume needs --out, the folder of the run to go on with")
        if self.memory in ("table", "few-shot") and not self.memory_from:
            raise ValueError(f"--memory {self.memory} needs --memory-from")
        if self.vllm_url and self.sampler != "vllm":
            raise ValueError("--vllm-url needs --sampler vllm")
        if self.sample_dtype != "weights" and self.sampler == "vllm":
            raise ValueError("--sample-dtype is the local sampler's; vLLM samples in the type it is started with")
        if self.sampler == "vllm" and self.tuning == "prompt":
            raise ValueError("--sampler vllm: vLLM takes full weights and LoRA adapters; a soft prompt needs local")
        if self.steps == 0 and self.method != "prompting":
            raise ValueError("--steps 0: expected at least 1")
        if self.warmup >= self.steps > 0:
            raise ValueError(f"--warmup {self.warmup} must be less than --steps {self.steps}")
        for name, methods in OWN_SETTINGS.items():
            if self.method not in methods and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"--{name} means nothing for {self.method}, only for {' and '.join(methods)}")
        if self.method in ("star", "direct") and self.samples not in (None, 1):
            raise ValueError(f"{self.method} learns from one rationale a question: leave --samples")
        if self.method == "rest-em" and self.refits == 0:
            raise ValueError("--refits 0: rest-em always fits anew; for learning online take rejection")
        if self.method == "trice-likelihood" and self.estimator == "subsampled":
            raise ValueError("--estimator subsampled: trice-likelihood knows control-variate and basic")
        if (self.method == "direct") != (self.prompt == "direct"):
            raise ValueError("--prompt direct goes with the method direct, and that with no other prompt")
        if self.method == "direct" and self.memory != "gold":
            raise ValueError(f"--memory {self.memory}: direct learns from the known answers: leave --memory")
        if self.method == "cot" and self.memory not in ("auto", "gold", "table", "guide"):
            raise ValueError(f"--memory {self.memory}: cot learns from rationales of gold, table or guide")
        return self
