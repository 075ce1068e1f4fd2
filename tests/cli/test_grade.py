"""``aurify grade``: rows in, the same rows with verdicts out, and every mistake in one line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from aurify.cli.app import exit_status, new_app
from aurify.cli.grade import BATCH, register

Grade = Callable[..., tuple[int, str, str]]


@pytest.fixture
def grade(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grade:
    """The command in this process: (exit status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        def build() -> Any:
            app = new_app()
            register(app)
            return app

        status = exit_status(build, ["grade", *map(str, words)])
        return status, *capfd.readouterr()

    return run


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_rows_come_back_in_order_with_verdict_and_reason(grade: Grade, tmp_path: Path) -> None:
    rows = [
        {"id": 1, "gold": "8", "pred": "3+5=8. So the answer is 8.", "note": "é\u2028\ud800"},
        {"id": 2, "gold": 8, "pred": 9.0},
        {"id": 3, "gold": "1,450", "pred": None},
        {"id": 4, "gold": "8", "pred": "8", "finish_reason": "length"},
        {"id": 5, "gold": "8", "pred": "8", "truncated": True, "verdict": "old"},
        {"id": 6, "gold": "8", "pred": "\ud800\0\x1b[31m"},
    ]
    status, out, err = grade(write(tmp_path / "rows.jsonl", *rows), "--answers", "number")
    graded = read(out)
    assert status == 0
    assert [row["verdict"] for row in graded] == [
        "right",
        "wrong",
        "unparsable",
        "truncated",
        "truncated",
        "unparsable",
    ]
    assert all(row["reason"] for row in graded)
    added = ("verdict", "reason")
    assert [{k: v for k, v in row.items() if k not in added} for row in graded] == [
        {k: v for k, v in row.items() if k not in added} for row in rows
    ]
    assert "graded 6 rows as number: 1 right, 1 wrong, 2 unparsable, 2 truncated (16.7% right)" in err


def test_the_type_is_inferred_and_said(grade: Grade, tmp_path: Path) -> None:
    status, out, err = grade(
        write(tmp_path / "rows.jsonl", {"gold": "Yes", "pred": "yes."}, {"gold": "No", "pred": "Yes"})
    )
    assert status == 0
    assert [row["verdict"] for row in read(out)] == ["right", "wrong"]
    assert "answer type: text (inferred" in err


def test_options_of_the_question(grade: Grade, tmp_path: Path) -> None:
    row = {"gold": "(B)", "pred": "tomorrow", "question": "When?\nOptions:\n(A) today\n(B) tomorrow"}
    assert read(grade(write(tmp_path / "rows.jsonl", row), "--answers", "choice")[1])[0]["verdict"] == "right"


def test_out_is_whole_or_absent(grade: Grade, tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", {"gold": "x+1", "pred": "\\boxed{1+x}"})
    status, out, _ = grade(good, "--answers", "math", "--out", "graded.jsonl.gz")
    assert (status, out) == (0, "")
    assert read(gzip.decompress((tmp_path / "graded.jsonl.gz").read_bytes()).decode())[0]["verdict"] == "right"
    bad = write(tmp_path / "bad.jsonl", {"gold": "1", "pred": "1"}, {"gold": "1"})
    before = sorted(tmp_path.iterdir())
    status, _, err = grade(bad, "--answers", "number", "--out", "never.jsonl")
    assert status == 1
    assert "bad.jsonl:2" in err
    assert "what was graded before, 1 rows, is in " in err
    assert "never.jsonl.part" in err
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "never.jsonl.part"])
    assert [row["verdict"] for row in read((tmp_path / "never.jsonl.part").read_text())] == ["right"]
    worse = write(tmp_path / "worse.jsonl", {"gold": "1"})
    assert grade(worse, "--answers", "number", "--out", "nothing.jsonl")[0] == 1
    assert not (tmp_path / "nothing.jsonl.part").exists()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"gold": "1", "prediction": "1"}', "has no field 'pred': did you mean 'prediction'?"),
        ('{"gold": "1", "pred": NaN}', "NaN"),
        ('{"gold": null, "pred": "1"}', "'gold' is null"),
        ('{"gold": "1", "pred": ["1"]}', "'pred' is a list"),
        ('{"gold": "1", "pred": "1", "x": 1e999}', "not finite"),
        ('{"gold": "1", ', "not valid JSON"),
        ("[1]", "found a list"),
    ],
)
def test_a_bad_row_is_named_and_can_be_left_out(grade: Grade, tmp_path: Path, line: str, complaint: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"gold": "1", "pred": "1"}\n' + line + '\n{"gold": "1", "pred": "2"}\n', encoding="utf-8")
    status, out, err = grade(file, "--answers", "number")
    assert status == 1
    assert f"{file}:2: " in err
    assert complaint in err
    assert err.count("\n") == 1
    assert [row["verdict"] for row in read(out)] == ["right"]
    status, out, err = grade(file, "--answers", "number", "--skip-bad")
    assert status == 0
    assert [row["verdict"] for row in read(out)] == ["right", "wrong"]
    assert "1 malformed rows left out" in err


def test_more_rows_than_a_batch(grade: Grade, tmp_path: Path) -> None:
    rows = [{"gold": i, "pred": f"So the answer is {i + i % 2}."} for i in range(2 * BATCH + 3)]
    graded = read(grade(write(tmp_path / "rows.jsonl", *rows), "--answers", "number")[1])
    assert [row["verdict"] for row in graded] == ["wrong" if i % 2 else "right" for i in range(len(rows))]


def test_the_users_own_function_lies_in_the_current_folder(grade: Grade, tmp_path: Path) -> None:
    (tmp_path / "my_judge.py").write_text("def judge(pred, gold):\n    return pred[::-1] == gold, 'mirrored'\n")
    rows = write(tmp_path / "rows.jsonl", {"gold": "abc", "pred": "cba"})
    assert read(grade(rows, "--answers", "my_judge:judge")[1])[0]["reason"] == "mirrored"
    status, _, err = grade(rows, "--answers", "my_judge:jugde")
    assert status == 2
    assert "has no function 'jugde'" in err


def test_wrong_usage(grade: Grade, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.jsonl", {"gold": "1", "pred": "1"})
    assert grade(rows, "--answers", "nmber")[0] == 2
    assert grade("nowhere.jsonl")[0] == 1
    assert grade(rows, "--timeout", "0")[0] == 2


def test_a_hostile_row_does_not_stop_the_others(grade: Grade, tmp_path: Path) -> None:
    preds = [
        "1+x",
        "10**10**10",
        "9!!!!",
        "\\boxed{" + "\\frac{1}{" * 5000 + "2" + "}" * 5000 + "}",
        "9" * 10**6,
        "1+x+0",
    ]
    rows = write(tmp_path / "rows.jsonl", *({"gold": "x+1", "pred": pred} for pred in preds))
    status, out, _ = grade(rows, "--answers", "math", "--timeout", "1")
    verdicts = [row["verdict"] for row in read(out)]
    assert status == 0
    assert (verdicts[0], verdicts[-1]) == ("right", "right")
    assert set(verdicts[1:-1]) <= {"timeout", "unparsable", "wrong"}


def test_the_real_command_reads_standard_input(run_aurify: Callable[..., CompletedProcess[str]]) -> None:
    done = run_aurify("grade", "-", "--answers", "number", stdin='{"gold": 2, "pred": "The answer is 2."}\nnonsense\n')
    assert done.returncode == 1
    assert read(done.stdout)[0]["verdict"] == "right"
    assert "standard input:2: " in done.stderr
    assert "Traceback" not in done.stderr
