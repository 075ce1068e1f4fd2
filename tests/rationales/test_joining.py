"""Parts of a table become larger ones: nothing is lost, doubled or read twice, at whatever moment a process ends."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError
from aurify.rationales import joining
from aurify.rationales.parts import TablePart
from aurify.rationales.record import Rationale
from aurify.rationales.table import RationaleTable

ROW = Rationale("q", (5, 6), "3 + 4 = 7", "7", Verdict.RIGHT, "", "self", "m", 1, 0, 1, "stop", -4.25)


def fill(folder: Path, steps: range, settled_behind: int = 2, table: RationaleTable | None = None) -> RationaleTable:
    """A part a step, as a run with a checkpoint a step leaves them: it may go back by two."""
    table = table or RationaleTable(folder)
    for step in steps:
        table.append([replace(ROW, step=step, sample_index=index) for index in range(2)])
        table.flush(step, settled=step - settled_behind)
    return table


def places(table: RationaleTable) -> list[tuple[int, int]]:
    return [(row.step, row.sample_index) for row in table.read()]


def wanted(last: int) -> list[tuple[int, int]]:
    return [(step, index) for step in range(1, last + 1) for index in range(2)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_ten_parts_of_a_level_become_one_of_the_next(tmp_path):
    table = fill(tmp_path, range(1, 12))
    assert len(names(tmp_path)) == 11, "the run may go back to step 9"
    fill(tmp_path, range(12, 24), table=table)
    assert names(tmp_path) == [
        "step-00000001-00000010.parquet", "step-00000011-00000020.parquet",
        *(f"step-{step:08d}.parquet" for step in (21, 22, 23)),
    ]  # fmt: skip
    fill(tmp_path, range(24, 226), table=table)
    assert names(tmp_path) == [
        "step-00000001-00000100.parquet", "step-00000101-00000200.parquet", "step-00000201-00000210.parquet",
        "step-00000211-00000220.parquet", *(f"step-{step:08d}.parquet" for step in range(221, 226)),
    ]  # fmt: skip
    assert places(table) == wanted(225)
    assert table.steps() == [100, 200, 210, 220, *range(221, 226)]
    assert table.digests == {name: TablePart.at(tmp_path / name).digest() for name in names(tmp_path)}
    assert set(TablePart.at(tmp_path / "step-00000001-00000100.parquet").joined["parts"]) >= {"step-00000001.parquet"}


def test_a_part_that_has_grown_up_is_written_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "MOST_ROWS", 30)
    table = fill(tmp_path, range(1, 232))
    assert sum(name.count("-") == 2 for name in names(tmp_path)) == 22
    assert places(table) == wanted(231)


def test_parts_that_the_run_may_go_back_to_are_left_and_going_back_leaves_the_same_bytes(tmp_path):
    whole = fill(tmp_path / "whole", range(1, 35))
    fill(tmp_path / "again", range(1, 33))
    again = RationaleTable(tmp_path / "again")
    again.drop_after(30)
    assert places(again) == wanted(30)
    fill(tmp_path / "again", range(31, 35), table=again)
    assert [(path.name, path.read_bytes()) for path in sorted((tmp_path / "again").iterdir())] == [
        (path.name, path.read_bytes()) for path in sorted((tmp_path / "whole").iterdir())
    ]
    assert places(whole) == places(again)


def test_joined_steps_cannot_be_told_apart_and_nothing_is_removed(tmp_path):
    table = fill(tmp_path, range(1, 15))
    before = names(tmp_path)
    with pytest.raises(AurifyError, match=r"step-00000001-00000010\.parquet: joins steps before and after step 5"):
        table.drop_after(5)
    assert names(tmp_path) == before
    table.drop_after(-1)
    assert names(tmp_path) == []


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", range(1, 30))
def test_a_process_that_ends_at_any_moment_loses_nothing(tmp_path, monkeypatch, moment):
    table = fill(tmp_path, range(1, 12))
    left = moment

    def dying(function):
        def call(*args, **more):
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return function(*args, **more)

        return call

    with monkeypatch.context() as patched:
        for name in ("replace", "fsync", "open"):
            patched.setattr(os, name, dying(getattr(os, name)))
        patched.setattr(Path, "unlink", dying(Path.unlink))
        with suppress(Killed):
            fill(tmp_path, range(12, 13), table=table)
    after = RationaleTable(tmp_path)
    assert places(after) in (wanted(11), wanted(12))
    assert places(after) == [(row["step"], row["sample_index"]) for t in after.batches() for row in t.to_pylist()]
    after.drop_after(10)
    assert places(after) == wanted(10)
    fill(tmp_path, range(11, 13), table=after)
    assert places(after) == wanted(12)
    assert names(tmp_path) == ["step-00000001-00000010.parquet", "step-00000011.parquet", "step-00000012.parquet"]


def test_a_reader_that_has_begun_sees_the_old_parts_to_the_end(tmp_path):
    table = fill(tmp_path, range(1, 12))
    reader = RationaleTable(tmp_path).read()
    seen = [next(reader)]
    fill(tmp_path, range(12, 13), table=table)
    assert "step-00000001-00000010.parquet" in names(tmp_path)
    assert "step-00000010.parquet" in names(tmp_path), "it is being read"
    assert places(table) == wanted(12), "another reader sees the new one"
    assert [(row.step, row.sample_index) for row in [*seen, *reader]] == wanted(11)
    fill(tmp_path, range(13, 14), table=table)
    assert "step-00000010.parquet" not in names(tmp_path)


def test_an_older_checkpoint_knows_the_parts_that_were_joined_since(tmp_path):
    table = fill(tmp_path, range(1, 12))
    before = dict(table.digests)
    fill(tmp_path, range(12, 13), table=table)
    again = RationaleTable(tmp_path)
    assert again.check(before) == []
    assert again.digests.keys() == {"step-00000001-00000010.parquet", "step-00000011.parquet"}
    wrong = {**before, "step-00000004.parquet": "00"}
    assert again.check(wrong) == [
        f"{tmp_path / 'step-00000001-00000010.parquet'}: holds step-00000004.parquet otherwise than the run wrote it"
    ]
    (tmp_path / "step-00000001-00000010.parquet").unlink()
    assert len(again.check(before)) == 10


@pytest.mark.parametrize("damage", ["cut", "another row"])
def test_a_damaged_part_stays_as_it_is_and_others_are_joined(tmp_path, damage):
    table = fill(tmp_path, range(1, 12))
    part = tmp_path / "step-00000004.parquet"
    if damage == "cut":
        part.write_bytes(part.read_bytes()[:-30])
    else:
        part.write_bytes((tmp_path / "step-00000005.parquet").read_bytes())
    fill(tmp_path, range(12, 25), table=table)
    assert [name for name in names(tmp_path) if name.count("-") == 2] == ["step-00000011-00000020.parquet"]
    assert part.exists()
    assert len(table.check(table.digests)) == 1


def test_a_damaged_joined_part_and_odd_names_are_told_in_a_line(tmp_path):
    table = fill(tmp_path, range(1, 13))
    joined = tmp_path / "step-00000001-00000010.parquet"
    before = {**table.digests, "no part": "00", "../elsewhere": "00"}
    joined.write_bytes(joined.read_bytes()[:-30])
    assert table.check(before) == [
        f"{joined}: changed or damaged since the run wrote it",
        f"{tmp_path / 'no part'}: missing, though the run wrote it",
        f"{tmp_path / '../elsewhere'}: missing, though the run wrote it",
    ]  # fmt: skip
    fill(tmp_path, range(13, 15), table=table)
    with pytest.raises(AurifyError, match=r"step-00000001-00000010\.parquet: damaged"):
        places(table)


def test_no_more_than_a_batch_is_in_memory(tmp_path):
    table = RationaleTable(tmp_path)
    for step in range(1, 12):
        table.append([replace(ROW, step=step, sample_index=index) for index in range(4000)])
        table.flush(step, settled=10)
    assert len(names(tmp_path)) == 2
    sizes = [len(batch) for batch in table.batches(["question_id"])]
    assert sum(sizes) == 44_000
    assert max(sizes) <= 16_384
    file = pq.ParquetFile(tmp_path / "step-00000001-00000010.parquet")
    assert max(file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)) <= 16_384
    assert next(table.batches(["verdict", "step"])).column_names == ["verdict", "step"]
