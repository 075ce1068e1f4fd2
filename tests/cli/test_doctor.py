"""aurify doctor on the real command line."""

from __future__ import annotations

import json
import shlex
import shutil

import pytest

from aurify.nugget import path

ROWS = [
    {"input": f"I have {n} apples and {m} oranges. How many fruits do I have?", "target": str(n + m)}
    for n in range(2, 6)
    for m in range(2, 4)
]


@pytest.fixture
def questions(tmp_path):
    file = tmp_path / "counting.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return file


def test_it_says_what_it_found_and_a_command_that_runs(run_aurify, questions, tmp_path):
    done = run_aurify(
        "doctor", "--model", "nugget", "--data", questions, "--questions", 4, "--samples", 2, "--max-new-tokens", 64,
        "--json", "found.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for word in ("pilot", "verdicts", "questions", "signal", "cost", "next"):
        assert f"\n{word} " in f"\n{done.stdout}", done.stdout
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    first, *others = found["trials"]
    assert first["name"] == "plain prompt"
    assert first["right"]["n"] == 8
    assert "the answer told (guide)" in [trial["name"] for trial in others]
    words = shlex.split(done.stdout.strip().splitlines()[-1].removeprefix("next"))
    assert words[:2] == ["aurify", "train"]
    dry = run_aurify(*words[1:], "--dry-run")
    assert dry.returncode == 0, dry.stderr


def test_one_trial_alone_where_no_others_are_wanted(run_aurify, questions, tmp_path):
    done = run_aurify(
        "doctor", "--model", "nugget", "--data", questions, "--questions", 2, "--samples", 1, "--no-trials", "--json",
        "found.json", "--max-new-tokens", 32,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["trials"]) == 1


def test_a_way_in_which_the_model_cannot_be_asked_loses_nothing_of_the_others(run_aurify, questions, tmp_path):
    shutil.copytree(path(), tmp_path / "silent")
    config = tmp_path / "silent" / "tokenizer_config.json"
    told = json.loads(config.read_text()) | {"chat_template": "{{ raise_exception('no turns today') }}"}
    config.write_text(json.dumps(told))
    done = run_aurify(
        "doctor", "--model", "silent", "--data", questions, "--questions", 2, "--samples", 1, "--prompt", "plain",
        "--max-new-tokens", 32, "--json", "found.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "left out" in line]
    assert line.startswith("chat prompt: left out, as it cannot be asked so: ")
    assert "no turns today" in line
    names = [trial["name"] for trial in json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["trials"]]
    assert names[0] == "plain prompt"
    assert names[-1] == "the answer told (guide)"


def test_there_is_a_report_and_a_next_command_where_time_allows_little(run_aurify, questions, tmp_path):
    done = run_aurify(
        "doctor", "--model", "nugget", "--data", questions, "--max-time", "0.01s", "--max-new-tokens", 32, "--json",
        "found.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "4 of 8 questions are asked, for time (--max-time 0.01s)\n" in done.stderr
    assert "pilot     4 questions" in done.stdout
    assert "not tried, for time: " in done.stdout
    assert done.stdout.splitlines()[-1].startswith("next      aurify ")
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert len(found["trials"]) == 1
    assert "the answer told (guide)" in found["untried"]


def test_bad_input_is_one_line(run_aurify, questions):
    for words in (
        ("--data", questions, "--max-time", "soon"),
        ("--data", "none.jsonl"),
        ("--data", questions, "--model", "no/such/folder"),
    ):
        done = run_aurify("doctor", *(("--model", "nugget") if "--model" not in words else ()), *words)
        assert done.returncode in (1, 2)
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("aurify: ")
