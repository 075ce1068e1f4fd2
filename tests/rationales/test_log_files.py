"""Which files of a folder hold samples, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurify.errors import AurifyError
from aurify.rationales.log_files import log_files


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}\n")
    return folder


@pytest.mark.parametrize(
    ("there", "read"),
    [
        (["10.jsonl", "2.jsonl", "1.jsonl"], ["1.jsonl", "2.jsonl", "10.jsonl"]),
        (["completions_00002.parquet", "completions_00001.parquet"],
         ["completions_00001.parquet", "completions_00002.parquet"]),
        (["results_1.json", "samples_b_1.jsonl", "samples_a_1.jsonl"], ["samples_a_1.jsonl", "samples_b_1.jsonl"]),
        (["2026-01-02_b.eval", "2026-01-01_a.eval", "logs.json"], ["2026-01-01_a.eval", "2026-01-02_b.eval"]),
        (["a.csv.gz", "notes.md", ".hidden.json", "sub/b.jsonl"], ["a.csv.gz"]),
        (["a.JSONL", "model.safetensors"], ["a.JSONL"]),
    ],
)  # fmt: skip
def test_the_files_with_samples(tmp_path: Path, there: list[str], read: list[str]) -> None:
    assert [file.name for file in log_files(made(tmp_path, *there))] == read


def test_a_file_is_itself_whatever_its_name(tmp_path: Path) -> None:
    file = made(tmp_path, "notes.md") / "notes.md"
    assert log_files(file) == [file]


def test_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(AurifyError, match=r"no such file or folder$"):
        log_files(tmp_path / "none")
    with pytest.raises(AurifyError, match=r"no rationales here: expected .*\.eval\)$"):
        log_files(made(tmp_path, "notes.md", ".git/a.json"))
    with pytest.raises(AurifyError, match=r"there are some in its folders completions, rollouts$"):
        log_files(made(tmp_path, "completions/1.parquet", "rollouts/2.jsonl", "empty/notes.md"))
