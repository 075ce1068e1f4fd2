"""What a run will take of the memory, said before its first step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aurify.asking import memory_size
from aurify.errors import UsageError
from aurify.models import Tuned
from aurify.models.beginning import n_common
from aurify.models.memory import MemoryUse, ModelShape, available, most_tokens, sampler_memory, update_memory
from aurify.sampling.local import MAX_ROWS
from aurify.training.settings import TrainSettings

WORTH_SAYING = 2**30
"""Bytes; a run that takes less fits anywhere."""


class Forecast(NamedTuple):
    """Tokens of a micro-batch that fit, and the lines to say."""

    token_budget: int
    lines: list[str]
    cache_tokens: int | None = None
    """Tokens whose keys and values the local sampler may hold; None: as many as are free (``sampling.local``)."""


def forecast(
    settings: TrainSettings, tuned: Tuned, prompts: Sequence[tuple[int, ...]], *, new_tokens: int, samples: int,
    processes: int = 1,
) -> Forecast:  # fmt: skip
    """What update and sampler take at most; where they take more than there is, smaller micro-batches and fewer rows.

    There is what ``settings.fit`` says, else what is free here. Neither changes a result, but for float noise.

    Args:
        prompts: some of the run's.
        new_tokens: the limit of a completion.
        samples: proposals a question and step.
        processes: that share the work, and with ``settings.fsdp`` the weights; what is told is for one of them.

    Raises:
        UsageError: not even an update by one rationale at a time fits into ``settings.fit``.
    """
    if not prompts or settings.gradient_checkpointing:
        return Forecast(settings.token_budget, [])
    form, bf16 = ModelShape.of(tuned.model), settings.dtype != "float32"
    if not form.keys:  # what autograd keeps of other layers is not known here
        return Forecast(settings.token_budget, [])
    shared = n_common(prompts) if len(prompts) > 1 else 0
    own = max(1, round(sum(map(len, prompts)) / len(prompts)) - shared)
    columns_a_token = (2 * (shared + own) + new_tokens) / (own + new_tokens)
    completions = -(-settings.questions // processes) * (samples + 1)
    pieces = processes if settings.fsdp == "full_shard" else 1

    def update_by(budget: int) -> MemoryUse:
        tokens = min(budget, shared + completions * (own + new_tokens))
        return update_memory(
            form, tuned.kind, tokens=tokens, columns=round(tokens * columns_a_token), bf16=bf16, pieces=pieces
        )

    rows = min(MAX_ROWS, completions)
    sampler = sampler_memory(
        form, rows=rows, new_tokens=new_tokens, prompt=own, shared=shared,
        bf16=settings.samples_lowered, moments=True, pieces=pieces,
    )  # fmt: skip
    budget, lines = fitted(
        update_by, budget=settings.token_budget, smallest=shared + own + new_tokens, fit=settings.fit,
        shorter="take a lower --max-new-tokens or --dtype bfloat16, or leave --fit and try --gradient-checkpointing",
        otherwise="try --gradient-checkpointing",
    )  # fmt: skip
    update = update_by(budget)
    if max(update.total, sampler.total) >= WORTH_SAYING:
        each = "" if processes == 1 else f", in each of {processes} processes"
        lines.append(f"memory, predicted{each}: an update {update}")
        if settings.sampler == "local":
            lines.append(f"memory, predicted{each}: the sampler {sampler}")
    if settings.fit and settings.sampler == "local" and sampler.total > memory_size(settings.fit):
        rest = memory_size(settings.fit) - (sampler.total - sampler.cache)
        tokens = max(1, rest * (rows * (own + new_tokens) + shared) // sampler.cache)
        fit = max(1, tokens // (shared + own + new_tokens))
        lines.append(f"at most {fit} samples at a time instead of {rows}: then the sampler fits in {settings.fit}")
        return Forecast(budget, lines, tokens)
    return Forecast(budget, lines)


def fitted(
    update_by: Callable[[int], MemoryUse], *, budget: int, smallest: int, fit: str | None, shorter: str, otherwise: str
) -> tuple[int, list[str]]:
    """The tokens of a micro-batch that fit into what ``fit`` says, else into what is free here, and what to say.

    Args:
        update_by: an update's memory by micro-batches of a number of tokens; its weights are loaded already.
        budget: tokens that were asked for.
        smallest: tokens of one rationale with its prompt.
        shorter: advice where it does not fit into ``fit``.
        otherwise: advice where it does not fit into what is free.

    Raises:
        UsageError: not even an update by one rationale at a time fits into ``fit``.
    """
    update = update_by(budget)
    here = update.weights + update.library  # there already
    free = available()
    most = memory_size(fit) if fit else None if free is None else free + here
    if most is None or update.total <= most:
        return budget, []
    fits = min(budget, most_tokens(lambda tokens: update_by(tokens).total, most))
    if fits >= smallest:
        return fits, [f"micro-batches of {fits} tokens instead of {budget}: then an update fits in {_told(most)}"]
    if fit:
        raise UsageError(
            f"--fit {fit}: an update by one rationale at a time takes {_told(update_by(smallest).total)}: {shorter}"
        )
    return budget, [f"only {_told(most - here)} are free, the weights loaded: {otherwise}"]


def _told(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
