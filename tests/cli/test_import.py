"""``aurify import``: real teachers' samples become a table, and disagreements with their labels are told."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from aurify.rationales import read_rationales

Run = Callable[..., "CompletedProcess[str]"]


def test_a_file_with_labels_and_our_verdicts(run_aurify: Run, tmp_path: Path) -> None:
    samples = [
        {"text": "So the answer is 1/2.", "correct": False},  # equal to 0.5, whatever a string comparison says
        {"text": "So the answer is 0.5.", "correct": True},
        {"text": "So the answer is \x1b[31m7.", "correct": True},
        {"text": "I do not know, sorry. What was the question?", "correct": None},
    ]
    row = {"id": "q", "question": "half of one?", "answer": "0.5", "samples": samples}
    (tmp_path / "teacher.jsonl").write_text(json.dumps(row) + "\n")
    done = run_aurify("import", "teacher.jsonl", "--out", "out", "--answers", "number")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "labelled right  1 right, 1 wrong" in done.stdout
    assert "labelled wrong  1 right" in done.stdout
    assert "without a label 1 unparsable" in done.stdout
    assert "agreement 33.33 % (1 of 3)" in done.stdout
    rows = read_rationales(tmp_path / "out")
    assert [str(one.verdict) for one in rows] == ["right", "right", "wrong", "unparsable"]
    assert {(one.model, one.source, one.question_id) for one in rows} == {("teacher", "teacher", "q")}
    assert [one.text for one in rows] == [sample["text"] for sample in samples]
    listed = [json.loads(line) for line in (tmp_path / "out" / "disagreements.jsonl").read_text().splitlines()]
    assert [(one["given"], one["verdict"], one["gold"], one["sample_index"]) for one in listed] == [
        ("wrong", "right", "0.5", 0), ("right", "wrong", "0.5", 2),
    ]  # fmt: skip
    facts = json.loads((tmp_path / "out" / "agreement.json").read_text())["teacher"]
    assert (facts["n"], facts["labelled"], facts["agreed"]) == (4, 3, 1)
    again = run_aurify("import", "teacher.jsonl", "--out", "out")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "aurify: --out out: already there and not empty: choose another folder\n"


def test_gsm8ks_model_solutions_agree_with_their_labels(run_aurify: Run, shared_data: Path, tmp_path: Path) -> None:
    file = shared_data / "gsm8k" / "example_model_solutions.jsonl"
    done = run_aurify("import", file, "--data", shared_data / "gsm8k" / "test.jsonl", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("919 questions, 3676 rationales in out/rationales\n")
    facts = json.loads((tmp_path / "out" / "agreement.json").read_text())
    assert {name: (one["agreed"], one["labelled"]) for name, one in facts.items()} == dict.fromkeys(
        ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"], (919, 919)
    )
    right = Counter(one.model for one in read_rationales(tmp_path / "out") if one.right)
    assert right == {"6b_finetuning": 205, "6b_verification": 372, "175b_finetuning": 322, "175b_verification": 529}
    assert (tmp_path / "out" / "disagreements.jsonl").read_text() == ""
    both = run_aurify("overlap", "out", "--model-a", "175b_finetuning", "--model-b", "175b_verification", "--json", "-")
    assert json.loads(both.stdout)["all"] == {
        "n": 919, "a": 322, "b": 529, "both": 270, "iou": 270 / 581, "expected": 322 * 529 / 919,
    }  # fmt: skip


def test_a_teacher_of_math_joins_the_training_set_by_id(run_aurify: Run, shared_data: Path, tmp_path: Path) -> None:
    with gzip.open(shared_data / "math_teacher" / "gpt-4.jsonl.gz", "rt", encoding="utf-8") as lines:
        (tmp_path / "gpt-4.jsonl").write_text("".join(itertools.islice(lines, 40)), encoding="utf-8")
    done = run_aurify(
        "import", "gpt-4.jsonl", "--data", shared_data / "math" / "train.jsonl.gz", "--skip-bad", "--out", "out"
    )
    assert done.returncode == 0, done.stderr
    rows = read_rationales(tmp_path / "out")
    assert (len(rows), {one.model for one in rows}) == (320, {"gpt-4"})
    assert {one.question_id for one in rows} == {f"math-train-{n:04}" for n in range(40)}
    facts = json.loads((tmp_path / "out" / "agreement.json").read_text())["gpt-4"]
    rows = [json.loads(line) for line in (tmp_path / "out" / "disagreements.jsonl").read_text().splitlines()]
    found = {(row["question_id"], row["given"], row["verdict"]) for row in rows}
    # Every one of these labels is wrong: 64% is 64\%, and \frac{-17}{7} is -\frac{17}7.
    assert found == {(f"math-train-{n:04}", "wrong", "right") for n in (6, 12, 31, 35)}
    assert facts["agreement"] == 301 / 317
    assert facts["counts"]["right"].keys() == {"right"}  # equal strings are equal
