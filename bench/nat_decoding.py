"""How fast a NAT model decodes beside a plain LoRA on the same layers.

    OMP_NUM_THREADS=2 .venv/bin/python bench/nat_decoding.py [--shapes 1M 30M] [--rollouts 64] [--tokens 48]

Llamas of random float32 weights, adapters of rank 8 on queries and values, the unit 128 wide; each in the sampler's
fused and general engines. One sample a prompt (80 to 140 tokens, others in each repeat), the prompts' own time
included. Wanted: near LoRA's speed. At 1M the unit is as wide as the model, so it costs the most there.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from speed_parts import shared

from aurify.models.lora import add_lora
from aurify.models.nat import NatConfig, add_nat, set_mode
from aurify.sampling import LocalSampler, Prompt

COMPETITORS = ("LoRA, fused", "LoRA, general", "NAT, fused", "NAT, general")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=list(shared.SHAPES), default=["1M", "30M"])
    parser.add_argument("--rollouts", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=48, help="of a rollout")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved; the table has their medians")
    args = parser.parse_args()
    rows = [row(name, args.rollouts, args.tokens, args.repeats) for name in args.shapes]
    options = shared.Options(Path(), False, False, args.repeats, 1, torch.get_num_threads())
    head = [f"{args.rollouts} rollouts of {args.tokens} tokens, tokens/s", *COMPETITORS]
    head += ["NAT / LoRA, fused", "NAT / LoRA, general"]
    print("How fast a model of negative assistant training (NAT) decodes beside a plain LoRA on the same layers.\n")
    print(f"{shared.machine(options)}\n\n{shared.table(head, rows)}")


def row(name: str, rollouts: int, tokens: int, repeats: int) -> list[str]:
    """The table's row of one shape; ratios are medians of the repeats' own."""
    shape = shared.SHAPES[name]
    engines = dict(zip(COMPETITORS, samplers(shape), strict=True))
    asked = [shared.random_prompts(rollouts, shape["vocab_size"], turn) for turn in range(repeats + 1)]
    found = shared.interleaved(
        {one: lambda turn, sampler=sampler: draw(sampler, asked[turn], tokens) for one, sampler in engines.items()},
        repeats=repeats, limit_s=float("inf"),
    )  # fmt: skip
    cells = [found[one].cell(repeats) for one in COMPETITORS]
    return [
        name,
        *cells,
        *(ratio(found[f"NAT, {engine}"], found[f"LoRA, {engine}"]) for engine in ("fused", "general")),
    ]


def samplers(shape: shared.Shape) -> list[LocalSampler]:
    """Of a LoRA model and of a NAT model whose adapters and unit all act, fused and general each."""
    tokenizer = shared.word_tokenizer(shape["vocab_size"])
    nat = add_nat(plain(shape), NatConfig())
    set_mode(nat, "both")
    models = [trained(add_lora(plain(shape), rank=8, alpha=16)), trained(nat)]
    return [LocalSampler(model, tokenizer, fused=fused) for model in models for fused in (True, False)]


def plain(shape: shared.Shape) -> Any:
    """A random model with one EOS id, so that nearly every rollout runs to its limit."""
    model = shared.random_model(shape)
    model.config.eos_token_id = model.generation_config.eos_token_id = 1
    return model


def trained(model: Any) -> Any:
    """The model with random values where training would have put some."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name or ".unit." in name:
                parameter.normal_(std=0.02)
    return model.eval()


def draw(sampler: LocalSampler, prompts: Sequence[tuple[int, ...]], tokens: int) -> float:
    """One sample a prompt: the tokens drawn."""
    asked = [Prompt(ids, (index,)) for index, ids in enumerate(prompts)]
    drawn = sampler.sample(asked, max_new_tokens=tokens)
    return float(sum(len(completion.token_ids) for one in drawn for completion in one))


def ratio(one: shared.Times, other: shared.Times) -> str:
    """The median over the repeats of one rate by the other; a dash where one failed."""
    if one.error or other.error:
        return "-"
    rates = [[work / s for work, s in zip(times.work, times.seconds, strict=True)] for times in (one, other)]
    return f"{statistics.median(a / b for a, b in zip(*rates, strict=True)):.2f}"


if __name__ == "__main__":
    main()
