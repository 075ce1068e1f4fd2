"""The run of one process, of two and of four: every method and tuning kind, 20 steps, compared row by row.

    .venv/bin/python bench/processes.py --out found.jsonl     # prints a table; --only WORD, --float64, --pieces

The embedded model on 24 questions of object_counting, by torchrun's variables over gloo on one machine, in forks after
one import. Full tuning takes 7 questions a step, which no number of processes divides; LoRA and soft prompts 3, so that
one of four processes has nothing to do. Compared with the run of one process are the rows of the table (token ids,
verdicts, moves), the chains, and the weights and moments of the last checkpoint: "apart" is the largest difference of
one. ``--float64`` trains and draws in double precision, which no setting of a run does: what is left of a difference
that is rounding. ``--pieces``: the processes hold pieces (``--fsdp full_shard``). Runs that ``--out`` has already are
not made again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support")]

STEPS = 20
TUNING: dict[str, dict[str, Any]] = {
    "full": {"tuning": "full", "lr": 1e-4, "questions": 7},
    "lora": {"tuning": "lora", "lr": 1e-3, "lora_rank": 4, "questions": 3},
    "prompt": {"tuning": "prompt", "lr": 1e-2, "soft_prompt_init": "4", "questions": 3},
}
OWN: dict[str, dict[str, Any]] = {"trice-likelihood": {"samples": 2}, "grpo": {"samples": 3}, "rloo": {"samples": 3}}
"""Settings without which a method's steps would be empty or long."""


def work(run: dict[str, Any], double: bool) -> None:
    """A run in this process, one of several."""
    import torch

    import aurify
    import aurify.training.run as training

    if double:
        prepare = training.prepare

        def prepared(*given: Any, **more: Any) -> Any:
            found = prepare(*given, **more)
            found.model.double()
            return found

        training.prepare = prepared
    torch.set_num_threads(1)
    aurify.train(**run)


def left(out: Path) -> dict[str, Any]:
    """What a run left: rows, chains, and where its last weights and moments are."""
    from golden_parts.left import chains, rows

    (last,) = sorted((out / "checkpoints").glob("step-*"))[-1:]
    keys = ("question_id", "token_ids", "verdict", "move", "step", "sample_index", "source")
    told = ("question_id", "token_ids", "chain_since", "chain_visits", "chain_drawn", "chain_accepted")
    return {
        "rows": [[row[key] for key in keys] for row in rows(out / "rationales")],
        "chains": sorted([[row[key] for key in told] for row in chains(last)], key=str),
        "last": last,
    }


def apart(one: Path, other: Path, file: str) -> float:
    """The largest difference of a number in two files of tensors."""
    from safetensors.torch import load_file

    ours, theirs = load_file(one / file), load_file(other / file)
    assert ours.keys() == theirs.keys()
    return max((float((ours[key] - theirs[key]).abs().max()) for key in ours if ours[key].numel()), default=0.0)


def compare(method: str, kind: str, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """A row: one process against two and four."""
    from ranks import in_processes

    found: dict[str, Any] = {"method": method, "kind": kind}
    outs = {}
    for size in (1, 2, 4):
        outs[size] = folder / f"{method}-{kind}-{size}"
        run = {
            "method": method, "model": "nugget", "data": str(folder / "counting.jsonl"), "holdout": 0,
            "max_new_tokens": 60, "steps": STEPS, "save_every": STEPS, "memory": "auto", "dtype": "float32",
            **TUNING[kind], **OWN.get(method, {}), "out": str(outs[size]),
            "fsdp": "full_shard" if asked.pieces and size > 1 else "none",
        }  # fmt: skip
        if not in_processes(size, partial(work, run, asked.float64)):
            return {**found, "failed": size}
    one = left(outs[1])
    found |= {"rows": len(one["rows"]), "chains": len(one["chains"])}
    for size in (2, 4):
        other = left(outs[size])
        found[f"same rows {size}"] = one["rows"] == other["rows"]
        found[f"same chains {size}"] = one["chains"] == other["chains"]
        found[f"weights {size}"] = apart(one["last"], other["last"], "weights.safetensors")
        found[f"moments {size}"] = apart(one["last"], other["last"], "optimizer.safetensors")
    return found


def main() -> None:
    """Make what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="METHOD-KIND names that hold this word")
    parser.add_argument("--float64", action="store_true")
    parser.add_argument("--pieces", action="store_true")
    asked = parser.parse_args()
    import accelerate  # noqa: F401  # imported before the processes part
    import peft  # noqa: F401  # as above
    import transformers  # noqa: F401  # as above

    import aurify.training.run  # noqa: F401  # as above
    from aurify.methods import METHODS
    from aurify.nugget import generate, json_line

    lines = asked.out.read_text(encoding="utf-8").splitlines() if asked.out.exists() else []
    rows = {(row["method"], row["kind"]): row for row in map(json.loads, lines)}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "counting.jsonl").write_text("".join(map(json_line, generate("object_counting", 24, seed=5))))
        for kind in TUNING:
            for method in METHODS.words():
                if asked.only not in f"{method}-{kind}" or (method, kind) in rows or not METHODS.load(method).learns:
                    continue
                row = rows[method, kind] = compare(method, kind, folder, asked)
                with asked.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print(row, file=sys.stderr)
    print(
        "| method | tuning | rows | equal rows and chains, 2 and 4 | weights apart, 2 and 4 | moments apart, 2 and 4 |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for (method, kind), row in rows.items():
        if "failed" in row:
            print(f"| {method} | {kind} | | failed with {row['failed']} | | |")
            continue
        same = [row[f"same rows {size}"] and row[f"same chains {size}"] for size in (2, 4)]
        numbers = [f"{row[f'{what} 2']:.1e}, {row[f'{what} 4']:.1e}" for what in ("weights", "moments")]
        told = ", ".join("yes" if one else "**no**" for one in same)
        print(f"| {method} | {kind} | {row['rows']} | {told} | {numbers[0]} | {numbers[1]} |")


if __name__ == "__main__":
    main()
