"""Part a: useful tokens a second of the local sampler, `generate`, `generate_batch` and vLLM.

Prompts of 80 to 140 tokens, all different, others in each repeat (so that no cache of prefixes from an earlier one
helps), the same for all engines; one sample each at temperature 1. One token in 50 is an EOS id, so lengths are
geometric with a mean of about 50, cut at 256. A useful token is a sampled one up to and with the EOS id. `generate`
pads on the left and gets its best of the batch sizes 16, 64 and 256 (above 1M parameters: 64 and 256), in the order
given and sorted by length, by one trial each; at 1,024 rollouts that of 256. The 1M model has one round before the
counted ones; the larger models have none, and fewer repeats.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from speed_parts import shared
from speed_parts.shared import MAX_NEW_TOKENS, Options

Engine = Callable[[int], float]
Prompts = Sequence[tuple[int, ...]]
ENGINES = ("fused", "general", "generate", "generate_batch", "vLLM")


def plan(options: Options) -> list[tuple[str, list[int], float]]:
    """(model, rollouts, seconds that a competitor's counted repeats may take in a cell)."""
    if options.cells:
        named = [cell.partition(":") for cell in options.cells]
        return [(name, [int(n) for n in sizes.split(",")], 60.0) for name, _, sizes in named]
    if options.quick:
        return [("1M", [16, 64], 5.0)]
    if options.full:
        return [(name, [64, 256, 1024], 1e9) for name in shared.SHAPES]
    return [("1M", [64, 256, 1024], 60.0), ("30M", [64, 256], 16.0), ("120M", [64], 16.0)]


def run(options: Options) -> str:
    rows: list[list[Any]] = []
    aims: list[str] = []
    for name, sizes, limit_s in plan(options):
        with TemporaryDirectory() as folder, ExitStack() as stack:
            shape = shared.SHAPES[name]
            model, tokenizer = shared.random_model(shape), shared.word_tokenizer(shape["vocab_size"])
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            vllm = start_vllm(folder, stack, options)
            best: tuple[int, bool] | None = None
            for n in sizes:
                prompts = [shared.random_prompts(n, shape["vocab_size"], turn) for turn in range(options.repeats + 1)]
                if best is None or n <= 256:
                    best = best_generate(model, prompts[0], trials(n, thorough=name == "1M"))
                engines = engines_for(model, tokenizer, prompts, best, vllm)
                warm = name == "1M"
                found = shared.interleaved(engines, repeats=options.repeats, limit_s=limit_s, warm=warm)
                rates = {engine: times.rate for engine, times in found.items()}
                rows.append(
                    [f"{name}, {n} rollouts", *(found[e].cell(options.repeats) if e in found else "-" for e in ENGINES),
                     f"{best[0]}{', sorted' if best[1] else ''}",
                     shared.ratio(rates["fused"], rates["generate"]),
                     shared.ratio(rates["fused"], rates["generate_batch"]),
                     shared.ratio(rates["fused"], rates.get("vLLM", 0.0))]
                )  # fmt: skip
                options.say(f"{rows[-1]}")
                aims += targets(name, n, rates)
    head = [
        "useful tokens/s", "aurify fused", "aurify general", "generate", "generate_batch", "vLLM", "generate's batch",
        "fused / generate", "fused / generate_batch", "fused / vLLM",
    ]  # fmt: skip
    told = "\n".join(aims)
    return f"## a. Sampler\n\n{__doc__.partition(chr(10) * 2)[2].strip()}\n\n{shared.table(head, rows)}\n\n{told}"


def targets(model: str, n: int, rates: dict[str, float]) -> list[str]:
    """What was aimed at: the 1M model at 256 rollouts, and nowhere slower than `generate`."""
    if not rates.get("generate"):
        return []
    wanted = {"generate": 4.0, "vLLM": 1.3} if (model, n) == ("1M", 256) else {"generate": 1.0}
    return [
        shared.target(f"{model}, {n} rollouts, fused / {other}", rates["fused"] / rates[other], least)
        for other, least in wanted.items()
        if rates.get(other)
    ]


def engines_for(
    model: Any, tokenizer: Any, prompts: Sequence[Prompts], best: tuple[int, bool], vllm: Any
) -> dict[str, Engine]:
    """What competes, by name; vLLM where there is one. ``prompts`` holds those of each turn."""
    from aurify.sampling import LocalSampler

    fused, general = (LocalSampler(model, tokenizer, fused=way) for way in (True, False))
    engines: dict[str, Engine] = {
        "fused": lambda turn: sample(fused, prompts[turn], turn),
        "general": lambda turn: sample(general, prompts[turn], turn),
        "generate": lambda turn: generate(model, prompts[turn], turn, *best),
        "generate_batch": lambda turn: generate_batch(model, prompts[turn]),
    }
    if vllm is not None:
        engines["vLLM"] = lambda turn: sample(vllm, prompts[turn], turn)
    return engines


def trials(n: int, *, thorough: bool) -> list[tuple[int, bool]]:
    """(batch size, sorted by length); one batch of all needs no order. Large models try fewer."""
    sizes = [size for size in ((16, 64, 256) if thorough else (64, 256)) if size < n]
    orders = (False, True) if thorough else (True,)
    return [*((size, order) for size in sizes for order in orders), (min(n, 256), False)]


def best_generate(model: Any, prompts: Prompts, tried: Sequence[tuple[int, bool]]) -> tuple[int, bool]:
    """The setting with the most useful tokens a second; nothing is tried where there is but one."""
    if len(tried) == 1:
        return tried[0]
    rates = {}
    for setting in tried:
        begun = time.perf_counter()
        rates[setting] = generate(model, prompts, 99, *setting) / (time.perf_counter() - begun)
    return max(rates, key=lambda setting: rates[setting])


def sample(sampler: Any, prompts: Prompts, turn: int) -> float:
    """One sample a prompt through the sampler protocol: its useful tokens."""
    from aurify.sampling import Prompt

    asked = [Prompt(ids, (1_000_000 * turn + row,)) for row, ids in enumerate(prompts)]
    drawn = sampler.sample(asked, max_new_tokens=MAX_NEW_TOKENS)
    return float(sum(len(completion.token_ids) for row in drawn for completion in row))


def generate(model: Any, prompts: Prompts, turn: int, size: int, by_length: bool) -> float:
    """Hugging Face's `generate` on batches padded on the left: useful tokens."""
    import torch

    torch.manual_seed(turn)
    eos = torch.tensor(model.generation_config.eos_token_id)
    order = sorted(prompts, key=len) if by_length else list(prompts)
    useful = 0
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        width = max(map(len, batch))
        ids = torch.zeros(len(batch), width, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(batch):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        with torch.no_grad():
            out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=MAX_NEW_TOKENS)[:, width:]
        ended = torch.isin(out, eos).int()
        useful += int((ended.cumsum(1) - ended == 0).sum())
    return float(useful)


def generate_batch(model: Any, prompts: Prompts) -> float:
    """Hugging Face's continuous batching: useful tokens."""
    from transformers import ContinuousBatchingConfig

    # On a CPU nothing is inferred: blocks for all rollouts of 256 at a time, and a prefill of 2,048 tokens a step.
    config = ContinuousBatchingConfig(
        page_size=32, num_blocks=min(len(prompts), 256) * 13, max_batch_tokens=2048, max_requests_per_batch=256
    )
    chosen = model.config._attn_implementation
    try:
        found = model.generate_batch(
            [list(prompt) for prompt in prompts], model.generation_config, config, max_new_tokens=MAX_NEW_TOKENS
        )
    finally:
        model.set_attn_implementation(chosen)
    if len(found) != len(prompts):
        raise RuntimeError(f"{len(found)} of {len(prompts)} answered")
    if errors := [one.error for one in found.values() if one.error is not None]:
        raise RuntimeError(errors[0])
    return float(sum(len(one.generated_tokens) for one in found.values()))


def start_vllm(folder: str, stack: ExitStack, options: Options) -> Any:
    """vLLM's server on the model, through aurify's client, where it is installed; it ends with the stack."""
    from aurify.errors import AurifyError
    from aurify.sampling.vllm import fixed_sampler

    try:
        sampler, _ = stack.enter_context(fixed_sampler(folder, log=Path(folder) / "vllm.log"))
    except AurifyError as error:
        options.notes.append(f"a: no vLLM: {error}")
        return None
    return sampler
