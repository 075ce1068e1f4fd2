"""The data of bench/dust_real.py: a teacher's problems to learn from and to be measured on, and rows of five test sets.

Which problems are held out does not depend on how many are learned from. Right and wrong are as the data's labels say,
which are a comparison of strings as in the paper; samples without a label are left out, and those that are called wrong
though their value equals the gold one.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TESTS = {
    "math": "math/test.jsonl.gz",
    "gsm8k": "gsm8k/test.jsonl",
    "asdiv": "asdiv/asdiv.jsonl",
    "multiarith": "multiarith/multiarith.jsonl",
    "svamp": "svamp/svamp.jsonl",
}
"""MATH is in domain; the others are out of domain."""
MATH = "math"


def rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file, gzipped or not."""
    read = gzip.open if file.suffix == ".gz" else open
    with read(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write_teacher(source: Path, out: Path, *, problems: int, held_out: int) -> tuple[Path, Path]:
    """(rows to learn from, rows that are held out), written into ``out`` where they are not there.

    Held-out problems have right and wrong samples; the others are whatever the teacher was asked.
    """
    train, held = out / "train.jsonl", out / "held_out.jsonl"
    if not (train.exists() and held.exists()):
        shuffled = [cleaned(row) for row in rows(source)]
        random.Random(0).shuffle(shuffled)
        mixed = [row for row in shuffled if len({sample["correct"] for sample in row["samples"]}) == 2]
        measured = {row["id"] for row in mixed[:held_out]}
        write(held, [row for row in shuffled if row["id"] in measured])
        write(train, [row for row in shuffled if row["id"] not in measured and row["samples"]][:problems])
    return train, held


def cleaned(row: dict[str, Any]) -> dict[str, Any]:
    """A problem with the samples whose labels can be trusted, as verdicts."""
    samples = [
        {**sample, "verdict": "right" if sample["correct"] else "wrong", "predicted": sample["predicted_answer"]}
        for sample in row["samples"]
        if sample["correct"] is not None and not sample.get("value_equal")
    ]
    return {**row, "samples": samples if row["answer"] else []}


def write_test(source: Path, name: str, out: Path, limit: int) -> Path:
    """``limit`` rows of a test set, always the same ones; MATH's without those that are in its train set too."""
    target = out / f"{name}-{limit}.jsonl"
    if not target.exists():
        known = [row for row in rows(source / TESTS[name]) if not row.get("in_train")]
        write(target, random.Random(0).sample(known, min(limit, len(known))))
    return target


def write(file: Path, chosen: Sequence[dict[str, Any]]) -> None:
    """Rows as JSONL."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in chosen), encoding="utf-8")


def subjects(file: Path) -> dict[str, str]:
    """The subject of each MATH problem of a file, by id."""
    return {row["id"]: row["type"] for row in rows(file)}
