from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.errors import AurifyError
from aurify.questions.files import SUFFIXES, data_files, read_rows
from aurify.questions.rows import BadRow, Row

ROWS = [{"question": f"{number} + 1?", "answer": number + 1} for number in range(2000)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@pytest.mark.parametrize("name", ["f.jsonl", "f.ndjson", "f.json", "f", "F.JSONL"])
@pytest.mark.parametrize("packed", [False, True])
def test_json_lines_by_name_or_by_content(tmp_path: Path, name: str, packed: bool) -> None:
    file = tmp_path / (name + (".gz" if packed else ""))
    file.write_bytes(gzip.compress(LINES) if packed else LINES)
    rows = list(read_rows(file))
    assert [row.fields for row in rows if isinstance(row, Row)] == ROWS
    assert rows[-1].where == f"{file}:2000"


def test_gzip_is_told_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_bytes(gzip.compress(LINES))
    assert sum(isinstance(row, Row) for row in read_rows(file)) == 2000


@pytest.mark.parametrize("cut", [1, 8, 12, 500])
def test_a_truncated_gzip_gives_its_readable_rows_and_one_bad_row(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "f.jsonl.gz"
    file.write_bytes(gzip.compress(LINES)[:-cut])
    *rows, bad = read_rows(file)
    assert isinstance(bad, BadRow)
    assert bad.where == f"{file}:{len(rows) + 1}"
    assert "cut short or damaged" in bad.reason
    assert [row.fields for row in rows if isinstance(row, Row)] == ROWS[: len(rows)]


def test_a_damaged_gzip(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(LINES))
    data[len(data) // 2] ^= 0xFF
    file = tmp_path / "f.jsonl.gz"
    file.write_bytes(data)
    assert any(isinstance(row, BadRow) for row in read_rows(file))


def test_unknown_formats_and_names(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(AurifyError, match=r"notes.txt: unknown format .*\.jsonl"):
        list(read_rows(tmp_path / "notes.txt"))
    with pytest.raises(AurifyError, match=r"note\.txt: no such file; did you mean 'notes\.txt'"):
        data_files(tmp_path / "note.txt")
    (tmp_path / "mc.jsonl").touch()
    (tmp_path / "Train.jsonl.gz").touch()
    (tmp_path / "train.csv").touch()
    for name, meant in {"train.jsonl": "Train.jsonl.gz", "trian.csv": "train.csv", "mc.json": "mc.jsonl"}.items():
        with pytest.raises(AurifyError, match=f"no such file; did you mean '{meant}'"):
            data_files(tmp_path / name)
    with pytest.raises(AurifyError, match=r"nosuch\.jsonl: no such file\Z"):
        data_files(tmp_path / "nosuch.jsonl")
    (tmp_path / "mc.jsonl").unlink()
    (tmp_path / "Train.jsonl.gz").unlink()
    (tmp_path / "train.csv").unlink()
    with pytest.raises(AurifyError, match="holds no question file"):
        data_files(tmp_path)


def test_a_folder_gives_its_question_files_in_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.csv.gz", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.json").mkdir()
    assert [file.name for file in data_files(tmp_path)] == ["a.csv.gz", "b.jsonl"]


@given(data=st.binary(max_size=300) | st.binary(max_size=300).map(gzip.compress), suffix=st.sampled_from(SUFFIXES))
def test_any_bytes_give_rows_or_bad_rows(tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str) -> None:
    file = tmp_path_factory.getbasetemp() / f"any{suffix}"
    file.write_bytes(data)
    assert all(isinstance(row, (Row, BadRow)) for row in read_rows(file))
