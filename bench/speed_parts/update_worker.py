"""One way to the gradient of sum_i w_i log p(z_i | x_i), in a process of its own; see ``update``."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from speed_parts import shared
from speed_parts.child import plan_of_worker, say, wait

Row = tuple[tuple[int, ...], tuple[int, ...], float]  # prompt, completion, weight


def main() -> None:
    plan = plan_of_worker()
    model = shared.random_model({**shared.SHAPES[plan.get("shape", "1M")], "vocab_size": plan["vocabulary"]})
    rows = make_rows(plan["sequences"], plan["vocabulary"], plan.get("length"))
    gradient = WAYS[plan["way"]](model, rows, plan["token_budget"])
    before = start_of_memory()
    gradient()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    norm = float(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm())
    say({"peak_mb": peak, "norm": norm})
    tokens = sum(len(prompt) + len(completion) for prompt, completion, _ in rows)
    while True:
        wait()
        model.zero_grad(set_to_none=True)
        gradient()
        say(tokens)


def make_rows(n: int, vocabulary: int, length: int | None) -> list[Row]:
    """Two completions a prompt, as TRICE has (the memory's and the proposal), with signed weights."""
    rng = np.random.default_rng(2)
    prompts = shared.random_prompts(n // 2, vocabulary)
    lengths = [length] * n if length else shared.long_tailed(n)
    completions = [tuple(map(int, rng.integers(2, vocabulary, long))) for long in lengths]
    return [(prompts[i // 2], completion, (1.0, -0.3)[i % 2] / n) for i, completion in enumerate(completions)]


def start_of_memory() -> float:
    """MiB in use now; the peak that the kernel keeps is set back to it where the system allows."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def packs(model: Any, rows: Sequence[Row], token_budget: int) -> Callable[[], None]:
    """aurify's update."""
    from aurify.methods import Term
    from aurify.training.m_step import accumulate_gradient

    prompts = {str(i // 2): prompt for i, (prompt, _, _) in enumerate(rows)}
    terms = [Term(str(i // 2), completion, weight) for i, (_, completion, weight) in enumerate(rows)]
    return lambda: accumulate_gradient(model, terms, prompts, pad_token_id=0, token_budget=token_budget)


def padded(model: Any, rows: Sequence[Row], token_budget: int) -> Callable[[], None]:
    """aurify's update through padded rows, as it does for models that do not take packs."""
    from aurify.models import logprobs

    logprobs.takes_packs = lambda *_: False  # this process goes no other way
    return packs(model, rows, token_budget)


def plain(model: Any, rows: Sequence[Row], token_budget: int) -> Callable[[], None]:
    """Rows sorted by length and padded on the right, all logits, log_softmax, gather."""
    from aurify.models.logprobs import padded_batches

    groups = padded_batches([len(prompt) + len(completion) for prompt, completion, _ in rows], token_budget)

    def gradient() -> None:
        for group in groups:
            chosen = [rows[i] for i in group]
            ids, mask, scored, weights = right_padded(chosen)
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
            logprobs = logits[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
            (-(weights[:, None] * scored * logprobs).sum()).backward()

    return gradient


def right_padded(rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """(ids, mask, which of ids[:, 1:] are scored, weights)."""
    width = max(len(prompt) + len(completion) for prompt, completion, _ in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask, scored = torch.zeros_like(ids), torch.zeros(len(rows), width - 1)
    for row, (prompt, completion, _) in enumerate(rows):
        end = len(prompt) + len(completion)
        ids[row, :end] = torch.tensor([*prompt, *completion])
        mask[row, :end] = 1
        scored[row, len(prompt) - 1 : end - 1] = 1
    return ids, mask, scored, torch.tensor([weight for _, _, weight in rows])


def trl_batches(rows: Sequence[Row], token_budget: int) -> list[tuple[torch.Tensor, ...]]:
    """As TRL's trainers do: prompts padded left, completions right, to the longest of all; rows in no order."""
    most_prompt = max(len(prompt) for prompt, _, _ in rows)
    most = max(len(completion) for _, completion, _ in rows)
    size = max(1, token_budget // (most_prompt + most))
    found = []
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        ids = torch.zeros(len(batch), most_prompt + most, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, (prompt, completion, _) in enumerate(batch):
            span = slice(most_prompt - len(prompt), most_prompt + len(completion))
            ids[row, span] = torch.tensor([*prompt, *completion])
            mask[row, span] = 1
        weights = torch.tensor([weight for _, _, weight in batch])
        found.append((ids, mask, mask[:, most_prompt:], weights, torch.tensor(most)))
    return found


def trl_selective(model: Any, rows: Sequence[Row], token_budget: int) -> Callable[[], None]:
    """TRL's selective_log_softmax on the logits of the completions' columns."""
    from trl.trainer.utils import selective_log_softmax

    made = trl_batches(rows, token_budget)

    def gradient() -> None:
        for ids, mask, scored, weights, most in made:
            keep = int(most)
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=keep + 1).logits[:, :-1]
            logprobs = selective_log_softmax(logits, ids[:, -keep:])
            (-(weights[:, None] * scored * logprobs).sum()).backward()

    return gradient


def trl_fused(model: Any, rows: Sequence[Row], token_budget: int) -> Callable[[], None]:
    """TRL's head in tiles, which its GRPO and RLOO trainers take; without the entropy that they add."""
    from trl.trainer.utils import add_fused_lm_head

    add_fused_lm_head(model)
    made = trl_batches(rows, token_budget)

    def gradient() -> None:
        for ids, mask, scored, weights, most in made:
            keep = int(most)
            labels = ids.masked_fill(mask == 0, -100)
            labels[:, :-keep] = -100
            logprobs = model(input_ids=ids, attention_mask=mask, labels=labels, fused_lm_head=True).log_probs
            (-(weights[:, None] * scored * logprobs[:, -keep:].masked_fill(scored == 0, 0.0)).sum()).backward()

    return gradient


WAYS = {"packs": packs, "padded": padded, "plain": plain, "trl selective": trl_selective, "trl fused": trl_fused}

if __name__ == "__main__":
    main()
