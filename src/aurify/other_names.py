"""Settings by the names that other trainers and servers have for them, for the message about an unknown one.

And what is there in the place of settings and methods of theirs that have no like here.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from aurify.errors import close_to

OTHER_NAMES = {
    "answers": ["reward-funcs", "custom-reward-function", "answer-type"],
    "clip": ["max-grad-norm"],
    "concurrency": ["num-concurrent", "max-workers"],
    "dtype": ["torch-dtype", "bf16", "fp16", "mixed-precision"],
    "data": [
        "dataset", "dataset-name", "dataset-path", "train-data", "train-files", "train-file", "questions-file", "tasks",
        "task",
    ],
    "eval-data": ["eval-dataset", "val-data", "val-files", "validation-data", "test-data"],
    "eval-every": ["eval-steps", "test-freq", "eval-freq"],
    "few-shot": ["num-fewshot", "fewshot", "shots"],
    "limit": ["max-samples", "num-examples", "num-questions", "max-questions"],
    "lora-rank": ["lora-r", "rank", "r"],
    "lora-targets": ["target-modules", "lora-target-modules"],
    "lr": ["learning-rate"],
    "max-new-tokens": [
        "max-completion-length", "max-response-length", "response-length", "max-tokens", "max-length",
        "max-completion-tokens", "max-gen-toks", "max-output-tokens",
    ],
    "max-time": ["time-limit", "max-seconds", "max-hours", "max-runtime", "time-budget", "hours"],
    "model": ["model-name-or-path", "model-name", "model-path", "pretrained", "model-args"],
    "out": ["output-dir", "output", "output-path", "out-dir", "save-dir"],
    "quantize": ["load-in-4bit"],
    "questions": ["batch-size", "train-batch-size"],
    "resume": ["resume-from-checkpoint"],
    "samples": ["num-generations", "rollout-n", "num-samples", "num-return-sequences", "n-samples", "n", "k"],
    "sampler": ["use-vllm", "backend"],
    "save-every": ["save-steps", "save-freq"],
    "steps": ["max-steps", "num-steps", "num-train-epochs", "total-epochs", "epochs"],
    "prompt": ["apply-chat-template", "chat-template"],
    "system": ["system-prompt", "system-message", "system-instruction"],
    "template-args": ["chat-template-kwargs", "chat-template-args"],
    "token-budget": ["micro-batch-size"],
    "track": ["report-to", "logger"],
    "tuning": ["use-peft", "use-lora", "lora", "peft"],
    "warmup": ["warmup-steps", "warmup-ratio", "lr-warmup-steps"],
}  # fmt: skip
"""By our flags, without dashes before them. docs/guides/from_trl.md says more."""

WITHOUT = {
    "no distance from a reference model: --target-kl bounds each step": [
        "beta", "kl-coef", "kl-loss-coef", "use-kl-loss", "init-kl-coef",
    ],
    "one update a batch, by the model that drew it": [
        "epsilon", "epsilon-high", "clip-ratio", "cliprange", "num-iterations", "ppo-epochs", "steps-per-generation",
        "ppo-mini-batch-size",
    ],
    "rationales are drawn at temperature 1 of all words, since the gradient needs exact samples": [
        "temperature", "top-p", "top-k", "min-p",
    ],
    "a prompt is never cut": ["max-prompt-length"],
    "a step is --questions times --samples rationales, over all processes": [
        "per-device-train-batch-size", "gradient-accumulation-steps", "gen-batch-size",
    ],
    "micro-batches are sized by --token-budget and --fit": ["ppo-micro-batch-size-per-gpu", "per-device-batch-size"],
    "AdamW with a cosine: --lr, --lr-final, --warmup and --weight-decay": [
        "optim", "optimizer", "lr-scheduler", "lr-scheduler-type", "scheduler",
    ],
    "the method decides (docs/methods-map.md)": ["loss-type", "scale-rewards", "adv-estimator"],
    "one function says what is right, and may call others (docs/guides/from_trl.md)": ["reward-weights"],
    "--fsdp shares a model among processes": ["deepspeed", "strategy", "tensor-parallel-size"],
    "aurify export RUN --push OWNER/NAME": ["push-to-hub", "hub-model-id"],
    "--eval-every keeps the best model in the run's folder best": ["load-best-model-at-end"],
    "every step stands in metrics.jsonl; --track sends it elsewhere": ["logging-steps", "log-freq"],
    "--out names the run": ["run-name", "experiment-name"],
    "aurify distill learns from samples that are there": ["from", "teacher", "teacher-samples"],
    "--out keeps the samples": ["log-samples", "predict-only"],
    "--answers says how an answer is read and compared": ["metrics", "metric"],
    "the device that is there is used": ["device", "device-map", "use-cpu", "no-cuda", "cpu"],
    "code that lies in a model's folder is never run": ["trust-remote-code"],
}  # fmt: skip
"""Names elsewhere that no setting here has, by what is in their place."""


METHODS_ELSEWHERE = {
    "aurify train cot learns worked solutions, aurify distill kd right samples": [
        "sft", "finetune", "fine-tune", "supervised",
    ],
    "aurify distill nat learns right and wrong samples, and aurify export --to dpo or kto writes them for TRL": [
        "dpo", "ipo", "orpo", "simpo", "cpo", "kto", "bco", "rpo", "online-dpo",
    ],
    "aurify distill kd learns a teacher's right samples": ["gkd", "minillm", "opd"],
    "aurify train rloo is REINFORCE with the other samples as its baseline": ["reinforce", "reinforce++", "vpg", "a2c"],
    "aurify train rejection learns the right ones of its own samples": ["expert-iteration", "expit", "rft", "raft"],
}  # fmt: skip
"""Methods of other trainers that are none here, by what is in their place."""
DISTILL_METHODS = ("nat", "nce", "kd", "mix", "cl", "nt", "ul", "prefix", "augment", "self-kd")
TRAIN_METHODS = (
    "trice", "trice-likelihood", "star", "rejection", "rest-em", "direct", "cot", "rloo", "grpo", "incorrect-only",
    "jepo", "jepo-single", "guided", "maxrl", "negative-reinforcement", "prompting",
)  # fmt: skip
"""Our own methods, by the command that has them, for who gives one to the other."""


def method_elsewhere(word: str, known: Collection[str]) -> str:
    """What is in the place of a method that is not among the ``known`` ones of a command; empty where nothing is."""
    bare = word.lower().replace("_", "-")
    if bare in DISTILL_METHODS and "trice" in known:
        return f"it learns from samples that are there: aurify distill {bare}"
    if bare in TRAIN_METHODS and "nat" in known:
        return f"it learns from samples of its own: aurify train {bare}"
    return next((ours for ours, others in METHODS_ELSEWHERE.items() if bare in others), "")


def meant_by(unknown: str, known: Collection[str], *, cutoff: float = 0.7) -> str:
    """The known setting that an unknown one probably means: one that is so called elsewhere, or is nearly so spelled.

    Args:
        unknown: a flag, or a key of a file; ``known`` is spelled alike.
        cutoff: the least likeness (see ``errors.close_to``).

    Returns:
        One of ``known``; empty where none is meant.
    """
    bare = {_bare(name): name for name in known}
    if in_its_place(unknown, known):
        return ""
    close = close_to(_bare(unknown), bare, cutoff=cutoff)
    ours = next((ours for ours, others in OTHER_NAMES.items() if _bare(unknown) in others), close)
    return bare.get(ours) or bare.get(close, "")


def in_its_place(unknown: str, known: Collection[str]) -> str:
    """What is in the place of a setting of others, of the ``known`` ones of a command; empty where nothing is.

    What is said must hold there: none of the names that it is said of is known, and the settings that it names are, but
    for those of another command.
    """
    bare = {_bare(name) for name in known}
    for ours, others in WITHOUT.items():
        if _bare(unknown) in others and not bare & set(others):
            named = set() if ours.startswith("aurify ") else set(re.findall(r"--([\w-]+)", ours))
            return ours if named <= bare else ""
    return ""


def unknown_setting(key: str, known: Collection[str]) -> str:
    """The message about a key that no setting has: what it probably means, else which settings there are."""
    meant = meant_by(key, known, cutoff=0.5)
    hint = f"did you mean '{meant}'?" if meant else in_its_place(key, known)
    return f"unknown setting '{key}': {hint or 'known: ' + ', '.join(known)}"


def _bare(name: str) -> str:
    return name.lstrip("-").replace("_", "-").lower()
