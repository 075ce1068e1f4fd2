"""What a run will take of the memory, said before its first step."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from aurify.models import Tuned
from aurify.models.memory import ModelShape, fitting_tokens, sampler_memory, update_memory
from aurify.sampling.local import MAX_ROWS
from aurify.sampling.protocol import n_common
from aurify.training.settings import TrainSettings

WORTH_SAYING = 2**30
"""Bytes; a run that takes less fits anywhere."""


def forecast(
    settings: TrainSettings, tuned: Tuned, prompts: Sequence[tuple[int, ...]], *, new_tokens: int, samples: int
) -> list[str]:
    """The lines to say: what update and sampler take at most, and what to do where that is more than is free.

    Args:
        prompts: some of the run's.
        new_tokens: the limit of a completion.
        samples: proposals a question and step.
    """
    if not prompts:
        return []
    form, bf16 = ModelShape.of(tuned.model), settings.dtype != "float32"
    shared = n_common(prompts) if len(prompts) > 1 else 0
    own = max(1, round(sum(map(len, prompts)) / len(prompts)) - shared)
    columns_a_token = (2 * (shared + own) + new_tokens) / (own + new_tokens)
    completions = settings.questions * (samples + 1)
    tokens = min(settings.token_budget, shared + completions * (own + new_tokens))
    update = update_memory(form, tuned.kind, tokens=tokens, columns=round(tokens * columns_a_token), bf16=bf16)
    sampler = sampler_memory(
        form, rows=min(MAX_ROWS, completions), new_tokens=new_tokens, prompt=own, shared=shared,
        bf16=settings.samples_lowered,
    )  # fmt: skip
    if max(update.total, sampler.total) < WORTH_SAYING or settings.gradient_checkpointing:
        return []
    lines = [f"memory, predicted: an update {update}"]
    if settings.sampler == "local":
        lines.append(f"memory, predicted: the sampler {sampler}")
    free = available()
    here = update.weights + update.library  # there already
    if free is not None and update.total - here > free:
        fits = fitting_tokens(form, tuned.kind, bytes_free=free + here, columns_a_token=columns_a_token, bf16=bf16)
        advice = f"--token-budget {fits} would fit" if fits > own + new_tokens else "try --gradient-checkpointing"
        lines.append(f"only {free / 2**30:.1f} GiB are free, the weights loaded: {advice}")
    return lines


def available() -> int | None:
    """Bytes that are free on the device that computes, or in this machine; None where nobody says."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 2**10
