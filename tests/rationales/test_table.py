from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError
from aurify.rationales import table
from aurify.rationales.record import Rationale
from aurify.rationales.schema import SCHEMA, from_rows, to_table
from aurify.rationales.table import RationaleTable

ONE = Rationale(
    question_id="gsm8k-1",
    token_ids=(5, 6, 2),
    text="3 + 4 = 7\n#### 7",
    predicted="7",
    verdict=Verdict.RIGHT,
    reason="7 equals 7",
    source="self",
    model="nugget",
    step=1,
    sample_index=0,
    seed=2**63 - 1,
    finish_reason="stop",
    logprob=-4.25,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
RATIONALES = st.builds(
    Rationale,
    question_id=TEXT,
    token_ids=st.lists(st.integers(0, 2**31 - 1), max_size=5).map(tuple),
    text=TEXT,
    predicted=st.none() | TEXT,
    verdict=st.none() | st.sampled_from(Verdict),
    reason=TEXT,
    source=st.sampled_from(["self", "guide", "few-shot", "teacher", "gold"]),
    model=TEXT,
    step=st.integers(0, 2**40),
    sample_index=st.integers(0, 2**31 - 1),
    seed=st.integers(0, 2**63 - 1),
    finish_reason=st.sampled_from(["stop", "length"]),
    logprob=st.none() | st.floats(allow_nan=False),
    move=st.none() | st.sampled_from(["independent", "suffix", "guide"]),
    cut=st.integers(0, 2**31 - 1),
)


def _fill(folder: Path, steps: int, every: int = 10) -> RationaleTable:
    table = RationaleTable(folder)
    for step in range(1, steps + 1):
        table.append([replace(ONE, step=step, sample_index=index) for index in range(2)])
        if step % every == 0:
            table.flush(step)
    return table


def _parts(folder: Path) -> dict[str, bytes]:
    return {part.name: part.read_bytes() for part in folder.iterdir()}


@given(st.lists(RATIONALES, max_size=4))
def test_rows_survive_arrow(rationales: list[Rationale]) -> None:
    assert from_rows(to_table(rationales).to_pylist()) == rationales


def test_rows_survive_the_disk_in_order(tmp_path: Path) -> None:
    table = _fill(tmp_path / "rationales", 20)
    rows = list(table.read())
    assert [(row.step, row.sample_index) for row in rows] == [(s, i) for s in range(1, 21) for i in range(2)]
    assert rows[0] == ONE
    assert sorted(_parts(table.folder)) == ["step-00000010.parquet", "step-00000020.parquet"]


def test_what_was_not_flushed_is_not_on_disk(tmp_path: Path) -> None:
    table = _fill(tmp_path, 15)
    assert len(list(table.read())) == 20


def test_a_flush_without_rows_writes_nothing(tmp_path: Path) -> None:
    RationaleTable(tmp_path / "rationales").flush(3)
    assert not (tmp_path / "rationales").exists()
    assert list(RationaleTable(tmp_path / "rationales").read()) == []


def test_a_second_flush_of_a_step_adds(tmp_path: Path) -> None:
    table = RationaleTable(tmp_path)
    for index in range(3):
        table.append([replace(ONE, sample_index=index)])
        table.flush(1)
    assert [row.sample_index for row in table.read()] == [0, 1, 2]


def test_a_part_may_be_written_some_rows_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS_AT_ONCE", 3)
    rows = [replace(ONE, sample_index=i, step=0) for i in range(8)]
    for count in (8, 6, 0):
        some, at_once = RationaleTable(tmp_path / f"some-{count}"), RationaleTable(tmp_path / f"at-once-{count}")
        assert some.write_part(0, iter(rows[:count])) == count
        at_once.append(rows[:count])
        at_once.flush(0)
        assert list(some.read()) == list(at_once.read()) == rows[:count]
        assert RationaleTable(some.folder).check(some.digests) == []
        assert some.steps() == ([0] if count else [])


def test_a_run_resumed_after_a_crash_leaves_the_same_bytes(tmp_path: Path) -> None:
    whole = _fill(tmp_path / "whole", 30).folder
    _fill(tmp_path / "crashed", 25)
    RationaleTable(tmp_path / "crashed").append([ONE])
    (tmp_path / "crashed" / ".step-00000030.parquet.tmp-999999999").write_bytes(b"PAR1 half")
    again = RationaleTable(tmp_path / "crashed")
    again.drop_after(10)
    assert sorted(_parts(again.folder)) == ["step-00000010.parquet"]
    for step in range(11, 31):
        again.append([replace(ONE, step=step, sample_index=index) for index in range(2)])
        if step % 10 == 0:
            again.flush(step)
    assert _parts(again.folder) == _parts(whole)


def test_drop_after_forgets_unflushed_rows_and_everything_before_the_first_step(tmp_path: Path) -> None:
    table = _fill(tmp_path, 15)
    table.append([ONE])
    table.flush(0)
    table.append([ONE])
    table.drop_after(-1)
    table.flush(20)
    assert list(tmp_path.iterdir()) == []


def test_the_schema_documents_its_fields(tmp_path: Path) -> None:
    _fill(tmp_path, 10)
    schema = pq.read_schema(tmp_path / "step-00000010.parquet")
    assert schema.metadata[b"aurify.rationales.version"] == b"1"
    assert schema.names == [field.name for field in SCHEMA] == list(Rationale.__dataclass_fields__)
    assert all(schema.field(name).metadata[b"doc"] for name in schema.names)


def test_text_that_parquet_cannot_hold_is_replaced_visibly_and_the_rest_survives(tmp_path: Path) -> None:
    hostile = "nul \x00, escape \x1b[31m, line\u2028, 🙂, half \ud83d"
    table = RationaleTable(tmp_path)
    table.append([replace(ONE, text=hostile, predicted="\udfff")])
    table.flush(1)
    (row,) = table.read()
    assert row.text == "nul \x00, escape \x1b[31m, line\u2028, 🙂, half \\ud83d"
    assert row.predicted == "\\udfff"


def test_the_datasets_library_opens_it(tmp_path: Path) -> None:
    from datasets import load_dataset

    folder = tmp_path / "test-run" / "rationales"  # a word that the library reads as a split, were it a file's
    _fill(folder, 20)
    (folder / ".step-00000030.parquet.tmp-1").write_bytes(b"half")
    for opened in (
        load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache")),
        load_dataset("parquet", data_dir=str(folder), split="train", cache_dir=str(tmp_path / "cache")),
    ):
        assert opened.num_rows == 40
        assert opened.column_names == SCHEMA.names
        assert opened[0]["token_ids"] == [5, 6, 2]
        assert opened[0]["seed"] == 2**63 - 1
        assert opened[0]["logprob"] == -4.25
        assert opened[39]["step"] == 20
        assert from_rows([opened[0]]) == [ONE]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other columns", "text", "unknown verdict"])
def test_a_damaged_part_is_named(tmp_path: Path, damage: str) -> None:
    table = _fill(tmp_path, 20)
    part = tmp_path / "step-00000020.parquet"
    content = part.read_bytes()
    if damage == "cut":
        part.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        part.write_bytes(content[:-40] + bytes(byte ^ 255 for byte in content[-40:]))
    elif damage == "empty":
        part.write_bytes(b"")
    elif damage == "other columns":
        pq.write_table(pa.table({"question": ["a"]}), part)
    elif damage == "text":
        part.write_text("hello")
    else:
        rows = to_table([ONE]).set_column(4, SCHEMA.field("verdict"), pa.array(["maybe"]))
        pq.write_table(rows, part)
    with pytest.raises(AurifyError, match=r"step-00000020\.parquet: damaged") as caught:
        list(table.read())
    assert "\n" not in str(caught.value)


def test_a_table_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    rows = to_table([ONE]).replace_schema_metadata({"aurify.rationales.version": "2"})
    pq.write_table(rows, tmp_path / "step-00000001.parquet")
    with pytest.raises(AurifyError, match="newer aurify"):
        list(RationaleTable(tmp_path).read())


def test_a_foreign_file_among_the_parts_is_named(tmp_path: Path) -> None:
    (tmp_path / "step-last.parquet").write_bytes(b"")
    with pytest.raises(AurifyError, match=r"step-last\.parquet: not a part"):
        list(RationaleTable(tmp_path).read())


def test_a_record_without_a_verdict_is_not_right() -> None:
    assert ONE.right
    assert not replace(ONE, verdict=None).right
