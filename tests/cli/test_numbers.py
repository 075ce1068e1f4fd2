from __future__ import annotations

import json

import pytest

from aurify.cli.numbers import check_target, tell
from aurify.errors import UsageError


def test_the_numbers_go_to_a_file_beside_the_lines_or_to_standard_output_in_their_place(tmp_path, capsys):
    assert tell({"a": 1}, ["one", "two"], None)
    assert capsys.readouterr().out == "one\ntwo\n"
    assert tell({"a": 1}, iter(["one"]), str(tmp_path / "n.json"))
    assert capsys.readouterr().out == "one\n"
    assert json.loads((tmp_path / "n.json").read_text()) == {"a": 1}
    assert not tell({"a": 1}, ["one"], "-")
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_a_target_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    for target in (str(tmp_path), str(tmp_path / "no" / "n.json")):
        with pytest.raises(UsageError, match="not a file in a folder that exists"):
            check_target(target)


@pytest.mark.parametrize("target", [None, "-", "n.json"])
def test_any_other_target_is_taken(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_target(target)


def test_what_the_command_reads_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("read.jsonl", "other.jsonl"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"--out \./read\.jsonl: is read by this command"):
        check_target("./read.jsonl", "--out", read=[None, "hf:some/thing", str(tmp_path / "read.jsonl")])
    check_target("other.jsonl", "--out", read=[None, "read.jsonl"])
