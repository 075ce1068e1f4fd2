"""Tokens a second of the local sampler on a real model, this checkout beside another one, in turn.

    git worktree add --detach ../before COMMIT
    .venv/bin/python bench/drawing.py models/qwen2.5-coder-0.5b-instruct --against ../before

Each turn is a process of its own: it loads the model in bfloat16 as for training, draws a few tokens, and then times a
call that draws one rationale for each of the first questions of ASDiv. Says whether both drew the same. One table.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from beside import ROOT, in_turn

DATA = ROOT.parent / "shared/data/asdiv/asdiv.jsonl"

TURN = """
import json, resource, sys, time
import torch
from aurify.models import load_model
from aurify.sampling import LocalSampler, Prompt

model_name, data, rows, new_tokens, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
torch.set_num_threads(threads)
loaded = load_model(model_name, dtype="bfloat16", trainable=True)
with open(data) as lines:
    questions = [json.loads(next(lines))["question"] for _ in range(rows)]
ids = [tuple(loaded.tokenizer(text + "\\nLet's think step by step.")["input_ids"]) for text in questions]
prompts = [Prompt(one, (seed,)) for seed, one in enumerate(ids)]
sampler = LocalSampler(loaded.model, loaded.tokenizer)
sampler.sample(prompts[:4], max_new_tokens=2)
begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
drawn = [row[0] for row in sampler.sample(prompts, max_new_tokens=new_tokens)]
seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
print("@@", json.dumps({
    "tokens": sum(len(one.token_ids) for one in drawn), "seconds": seconds, "logprob": sum(o.logprob for o in drawn),
    "user": after.ru_utime - before.ru_utime, "system": after.ru_stime - before.ru_stime,
}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--against", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--rows", type=int, nargs="+", default=[8, 64], help="rationales at once [8 64]")
    parser.add_argument("--new-tokens", type=int, default=64, metavar="N")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    print("| rationales at once | tokens/s before | now | now / before | system's share before | now | drawn alike |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for rows in args.rows:
        words = [args.model.resolve(), DATA, rows, args.new_tokens, args.threads]
        before, now = in_turn(TURN, words, against=args.against, threads=args.threads, repeats=args.repeats)
        rates = [statistics.median(one["tokens"] / one["seconds"] for one in found) for found in (before, now)]
        shares = [
            statistics.median(one["system"] / (one["user"] + one["system"]) for one in found) for found in (before, now)
        ]
        alike = all((one["tokens"], one["logprob"]) == (two["tokens"], two["logprob"]) for one in before for two in now)
        told = [rows, *(f"{rate:.0f}" for rate in rates), f"{rates[1] / rates[0]:.2f}"]
        told += [*(f"{share:.0%}" for share in shares), "yes" if alike else "NO"]
        print(f"| {' | '.join(map(str, told))} |", flush=True)


if __name__ == "__main__":
    main()
