"""What a run left: hashes of what its files say, not of how they are laid out, and its metrics as they are."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from golden_parts.runs import Run


def what_it_left(run: Run, folder: Path) -> dict[str, Any]:
    """Hashes by name, and the metrics; of a comparison, those of each of its runs."""
    out = folder / "runs" / run.name
    if out.is_dir():
        return of_folder(out)
    inner = sorted(path.parent for path in (folder / "runs" / "compared").rglob("config.toml"))
    return {f"{path.name}: {name}": value for path in inner for name, value in of_folder(path).items()}


def of_folder(out: Path) -> dict[str, Any]:
    left: dict[str, Any] = {
        "weights": digest(tensors((out / "model").rglob("*.safetensors"), out)),
        "rationales": table(rows(out / "rationales")),
        "held out": table(rows(out / "held_out")),
        "metrics": metrics_of(out / "metrics.jsonl"),
    }
    if checkpoints := sorted((out / "checkpoints").glob("step-*")):
        left["optimizer"] = digest(tensors([checkpoints[-1] / "optimizer.safetensors"], checkpoints[-1]))
        left["checkpoint"] = digest(tensors([checkpoints[-1] / "weights.safetensors"], checkpoints[-1]))
        left["chains"] = table(chains(checkpoints[-1]))
    for name in ("unit_weights.jsonl", "nce_weights.jsonl"):
        if (out / name).exists():
            left[name] = by_kind((out / name).read_text(encoding="utf-8").splitlines())
    return left


def by_kind(lines: Iterable[str]) -> dict[str, str]:
    """A hash for each kind of lines; the keys that they have tell the kinds apart."""
    kinds = defaultdict[str, list[Any]](list)
    for line in map(json.loads, lines):
        kinds["+".join(sorted(line))].append(line)
    return {kind: digest(of_kind) for kind, of_kind in kinds.items()}


def tensors(files: Iterable[Path], base: Path) -> Iterator[Any]:
    """Name, shape, type and bytes of every tensor, in the order of names."""
    import torch
    from safetensors import safe_open

    for file in sorted(files):
        with safe_open(file, "pt") as opened:
            for name in sorted(opened.keys()):
                tensor = opened.get_tensor(name).contiguous()
                raw = hashlib.sha256(tensor.flatten().view(torch.uint8).numpy().tobytes()).hexdigest()
                yield [file.relative_to(base).as_posix(), name, list(tensor.shape), str(tensor.dtype), raw]


def table(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The number of rows, and a hash of each column, so that a column more leaves the others comparable."""
    held = list(rows)
    names = sorted({name for row in held for name in row})
    return {"rows": len(held), "columns": {name: digest(row.get(name) for row in held) for name in names}}


def rows(folder: Path) -> Iterator[Any]:
    for part in sorted(folder.glob("step-*.parquet")):
        yield from parquet(part)


def chains(checkpoint: Path) -> list[dict[str, Any]]:
    """The chains by question id, whose files are pieces: what is in a later one counts."""
    files = sorted(checkpoint.rglob("*memory*.parquet"))
    found = {str(row["question_id"]): row for file in files for row in parquet(file)}
    return [found[key] for key in sorted(found)]


def parquet(file: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(file, partitioning=None).to_pylist()
    return found


def metrics_of(file: Path) -> list[dict[str, Any]]:
    """The lines without what depends on the machine."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in line.items() if key not in ("timing", "sampler")} for line in lines]


def digest(items: Iterable[Any]) -> str:
    """SHA-256 of the items as JSON, keys sorted."""
    whole = hashlib.sha256()
    for item in items:
        whole.update(json.dumps(item, sort_keys=True).encode() + b"\n")
    return whole.hexdigest()
