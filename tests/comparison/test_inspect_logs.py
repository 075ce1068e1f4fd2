"""Scores a question from inspect's logs: as JSON, as archives, and by inspect itself where it is installed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aurify.cli.app import build, exit_status
from aurify.comparison.inspect_logs import inspect_rows
from aurify.comparison.verdict_files import read_verdicts
from aurify.errors import AurifyError, UsageError


def sample(name: Any, epoch: int = 1, **scores: Any) -> dict[str, Any]:
    """A sample as inspect writes it, shortened."""
    told = {scorer: {"value": value, "answer": "4", "explanation": "4"} for scorer, value in scores.items()}
    return {"id": name, "epoch": epoch, "input": "2+2?", "target": "4", "messages": [], "scores": told}


def written(path: Path, *samples: dict[str, Any]) -> Path:
    """A log with these samples, in the form that the file's name says."""
    head = {"version": 2, "status": "success", "eval": {"task": "sums", "model": "mockllm/model"}}
    if path.suffix == ".eval":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("header.json", json.dumps(head))
            for one in samples:
                archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
    else:
        path.write_text(json.dumps({**head, "samples": list(samples)}))
    return path


@pytest.mark.parametrize("name", ["log.json", "log.eval"])
def test_letters_truth_values_and_numbers_are_scores_and_epochs_count_by_their_mean(name, tmp_path):
    log = written(
        tmp_path / name, sample("a", match="C"), sample("b", match="I"), sample("c", match="P"), sample(4, match=0.25),
        sample("d", match="N"), sample("e", 1, match="C"), sample("e", 2, match="I"), sample("f", match=True),
    )  # fmt: skip
    said: list[str] = []
    found = read_verdicts(log, None, said.append).right
    assert found == {"a": 1, "b": 0, "c": 0.5, "4": 0.25, "d": 0, "e": 0.5, "f": 1}
    assert "8 rows on 7 questions" in said[0]


def test_of_several_scorers_one_is_named(tmp_path):
    log = written(tmp_path / "log.json", sample("a", match="C", strict="I"))
    with pytest.raises(UsageError, match="match and strict"):
        read_verdicts(log, None)
    assert read_verdicts(log, "strict").right == {"a": 0}


def test_two_logs_are_compared(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, good in (("old", 10), ("new", 30)):
        written(Path(f"{name}.eval"), *(sample(f"q{i}", match="C" if i < good else "I") for i in range(40)))
    assert exit_status(build, ["compare", "old.eval", "new.eval"]) == 0
    assert "new is better" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ([], "without samples"),
        ([{**sample("a"), "scores": None, "error": {"message": "no"}}], "log.json:1: .*ended in an error"),
        ([{**sample("a"), "scores": {}}], "without id or score"),
        ([sample("a", match={"x": 1})], "expected a truth value or a number"),
        ([sample("a", match="perhaps")], "expected a truth value or a number"),
    ],
)
def test_a_log_without_scores_is_one_line(samples, told, tmp_path):
    with pytest.raises(AurifyError, match=told):
        read_verdicts(written(tmp_path / "log.json", *samples), None)


def test_a_broken_archive_is_one_line_and_other_json_is_no_log(tmp_path):
    broken = tmp_path / "log.eval"
    broken.write_bytes(b"PK no")
    with pytest.raises(AurifyError, match="inspect log convert"):
        read_verdicts(broken, None)
    for text in ('[{"id": 1, "right": true}]', '{"eval": 3, "status": 1}', "not json"):
        other = tmp_path / "rows.json"
        other.write_text(text)
        assert inspect_rows(other) is None


def test_logs_that_inspect_itself_writes(tmp_path, monkeypatch):
    inspect_ai = pytest.importorskip("inspect_ai", reason="inspect-ai is not installed")
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import match

    monkeypatch.chdir(tmp_path)
    sums = [Sample(id=f"q{i}", input="What is it?", target="Default" if i else "no") for i in range(3)]
    for form in ("eval", "json"):
        task = inspect_ai.Task(dataset=sums, scorer=match(location="begin"))
        (log,) = inspect_ai.eval(task, model="mockllm/model", log_format=form, display="none")
        assert read_verdicts(Path(log.location.removeprefix("file://")), None).right == {"q0": 0, "q1": 1, "q2": 1}
