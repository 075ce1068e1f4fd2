"""Logs of inspect on the disk: archives, JSON, gzipped JSON; what is damaged is one line."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aurify.errors import AurifyError
from aurify.rationales.inspect_logs import inspect_samples
from aurify.rationales.reading import read_rationales

SAMPLES: list[dict[str, Any]] = [
    {"id": n, "epoch": 1, "input": f"{n}+2?", "target": str(n + 2), "scores": {"match": {"value": "C"}},
     "output": {"model": "m", "choices": [{"message": {"content": f"It is {n + 2}."}, "stop_reason": "stop"}]}}
    for n in (1, 2)
]  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "log.eval", "w", zipfile.ZIP_DEFLATED) as made:
        for number, sample in enumerate(SAMPLES):
            made.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))
    return tmp_path / "log.eval"


@pytest.mark.parametrize("name", ["log.json", "log.json.gz", "LOG.JSON", "packed.json"])
def test_json_gzipped_or_not(tmp_path: Path, name: str) -> None:
    log = json.dumps({"version": 2, "status": "success", "eval": {"task": "t"}, "samples": SAMPLES}, indent=1).encode()
    (tmp_path / name).write_bytes(gzip.compress(log) if name in ("log.json.gz", "packed.json") else log)
    assert inspect_samples(tmp_path / name) == SAMPLES
    assert [one.text for one in read_rationales(tmp_path / name)] == ["It is 3.", "It is 4."]


def test_other_files_are_none(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"question": "2+2?", "answer": "4"}')
    for name, data in (("a.json.gz", packed), ("b.json.gz", packed[:-9]), ("c.jsonl", b"{}"), ("d.json", b"\xff")):
        (tmp_path / name).write_bytes(data)
        assert inspect_samples(tmp_path / name) is None


def told(path: Path) -> str:
    """What is said of a log that cannot be read; empty of another."""
    try:
        inspect_samples(path)
    except AurifyError as error:
        return str(error)
    return ""


def test_a_damaged_archive_is_one_line(archive: Path) -> None:
    whole = archive.read_bytes()
    changed = [whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :] for place in range(len(whole))]
    lines = []
    for data in (*changed, *(whole[:size] for size in range(len(whole)))):
        archive.write_bytes(data)
        lines.append(told(archive))
    assert all(line.startswith(f"{archive}: ") and "\n" not in line for line in lines if line)
    assert all(lines[len(whole) :]), "cut short"
    assert sum(map(bool, lines[: len(whole)])) > len(whole) / 2, "some bytes say nothing"


def test_an_encrypted_archive_is_one_line(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(AurifyError, match="is encrypted"):
        read_rationales(archive)
