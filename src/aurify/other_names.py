"""Settings by the names that other trainers and servers have for them, for the message about an unknown one."""

from __future__ import annotations

from collections.abc import Collection

from aurify.errors import close_to

OTHER_NAMES = {
    "answers": ["reward-funcs", "custom-reward-function", "answer-type"],
    "clip": ["max-grad-norm"],
    "concurrency": ["num-concurrent", "max-workers"],
    "data": ["dataset", "dataset-name", "dataset-path", "train-data", "train-files", "train-file", "questions-file"],
    "eval-data": ["eval-dataset", "val-data", "val-files", "validation-data", "test-data"],
    "eval-every": ["eval-steps", "test-freq", "eval-freq"],
    "few-shot": ["num-fewshot", "fewshot", "shots"],
    "limit": ["max-samples", "num-examples"],
    "lora-rank": ["lora-r", "rank", "r"],
    "lora-targets": ["target-modules", "lora-target-modules"],
    "lr": ["learning-rate"],
    "max-new-tokens": [
        "max-completion-length", "max-response-length", "response-length", "max-tokens", "max-length",
        "max-completion-tokens", "max-gen-toks", "max-output-tokens",
    ],
    "max-time": ["time-limit", "max-seconds", "max-hours", "max-runtime", "time-budget", "hours"],
    "model": ["model-name-or-path", "model-name", "model-path", "pretrained"],
    "out": ["output-dir", "output", "output-path", "out-dir", "save-dir"],
    "quantize": ["load-in-4bit"],
    "questions": ["batch-size", "train-batch-size", "per-device-train-batch-size"],
    "resume": ["resume-from-checkpoint"],
    "samples": ["num-generations", "rollout-n", "num-samples", "num-return-sequences", "n-samples", "n", "k"],
    "sampler": ["use-vllm", "backend"],
    "save-every": ["save-steps", "save-freq"],
    "steps": ["max-steps", "num-steps", "num-train-epochs", "total-epochs", "epochs"],
    "system": ["system-prompt", "system-message"],
    "template-args": ["chat-template-kwargs", "chat-template-args"],
    "token-budget": ["micro-batch-size"],
    "track": ["report-to", "logger"],
    "tuning": ["use-peft", "use-lora", "lora", "peft"],
    "warmup": ["warmup-steps", "warmup-ratio", "lr-warmup-steps"],
}  # fmt: skip
"""By our flags, without dashes before them. docs/guides/from_trl.md says more."""


def meant_by(unknown: str, known: Collection[str], *, cutoff: float = 0.7) -> str:
    """The known setting that an unknown one probably means: one that is so called elsewhere, or is nearly so spelled.

    Args:
        unknown: a flag, or a key of a file; ``known`` is spelled alike.
        cutoff: the least likeness (see ``errors.close_to``).

    Returns:
        One of ``known``; empty where none is meant.
    """
    bare = {_bare(name): name for name in known}
    close = close_to(_bare(unknown), bare, cutoff=cutoff)
    ours = next((ours for ours, others in OTHER_NAMES.items() if _bare(unknown) in others), close)
    return bare.get(ours) or bare.get(close, "")


def unknown_setting(key: str, known: Collection[str]) -> str:
    """The message about a key that no setting has: what it probably means, else which settings there are."""
    meant = meant_by(key, known, cutoff=0.5)
    return f"unknown setting '{key}': " + (f"did you mean '{meant}'?" if meant else f"known: {', '.join(known)}")


def _bare(name: str) -> str:
    return name.lstrip("-").replace("_", "-").lower()
