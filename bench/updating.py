"""Seconds of a gradient on a real model, this checkout beside another one, in turn.

    git worktree add --detach ../before COMMIT
    .venv/bin/python bench/updating.py models/qwen2.5-coder-0.5b-instruct --against ../before

Each turn is a process of its own: it loads the model in bfloat16 with LoRA on all linear layers, and twice finds the
gradient of the log-likelihood of some rationales of random tokens; the second time is kept. Says how far the two
gradients are from each other, which bfloat16 rounds, and the peak of memory. One table.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from beside import in_turn

TURN = """
import json, random, resource, sys, time
import torch
from aurify.methods import Term
from aurify.models import load_model
from aurify.models.tuning import prepare
from aurify.training.m_step import accumulate_gradient

model_name, rows, prompt, length, threads = sys.argv[1], *map(int, sys.argv[2:6])
torch.set_num_threads(threads)
loaded = load_model(model_name, dtype="bfloat16", trainable=True)
model = prepare(loaded.model, loaded.tokenizer, kind="lora").model
trained = [p for p in model.parameters() if p.requires_grad]
for parameter in trained:  # B begins as 0, and A would have no gradient
    torch.nn.init.normal_(parameter, std=0.02, generator=torch.Generator().manual_seed(parameter.numel()))
draw = random.Random(0)
tokens = lambda n: tuple(draw.randrange(100, 40000) for _ in range(n))
prompts = {str(i): tokens(prompt) for i in range(rows)}
terms = [Term(id, tokens(length), 1.0 / rows) for id in prompts]
for _ in range(2):
    model.zero_grad()
    begun = time.perf_counter()
    accumulate_gradient(model, terms, prompts, pad_token_id=0, token_budget=4096, bf16=True)
    seconds = time.perf_counter() - begun
some = torch.cat([p.grad.flatten()[:64] for p in trained])
print("@@", json.dumps({
    "seconds": seconds, "some": some.tolist(), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--against", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--rows", type=int, nargs="+", default=[6], help="rationales [6]")
    parser.add_argument("--prompt", type=int, default=80, help="tokens of a prompt [80]")
    parser.add_argument("--length", type=int, default=160, help="tokens of a rationale [160]")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    print("| rationales | tokens/s before | now | now / before | peak GiB before | now | gradients differ by |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for rows in args.rows:
        words = [args.model.resolve(), rows, args.prompt, args.length, args.threads]
        before, now = in_turn(TURN, words, against=args.against, threads=args.threads, repeats=args.repeats)
        tokens = rows * (args.prompt + args.length)
        rates = [statistics.median(tokens / one["seconds"] for one in found) for found in (before, now)]
        peaks = [statistics.median(one["peak"] for one in found) for found in (before, now)]
        told = [rows, *(f"{rate:.0f}" for rate in rates), f"{rates[1] / rates[0]:.2f}"]
        told += [*(f"{peak:.2f}" for peak in peaks), f"{apart(before[0]['some'], now[0]['some']):.1%}"]
        print(f"| {' | '.join(map(str, told))} |", flush=True)


def apart(one: list[float], two: list[float]) -> float:
    """|one - two| / |one|."""
    gap = sum((a - b) ** 2 for a, b in zip(one, two, strict=True))
    return float((gap / sum(a**2 for a in one)) ** 0.5)


if __name__ == "__main__":
    main()
