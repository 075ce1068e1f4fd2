"""CONTRIBUTING.md's "Add a method", "a sampler", "an answer type", "a form", followed to the letter in copies."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from textwrap import dedent

from aurify.rationales import read_rationales

REPOSITORY = Path(__file__).parents[1]


def blocks(section: str) -> list[str]:
    """The blocks of a section, in order: its file and its line."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    found = re.findall(r"^ *```(?:python|text)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [dedent(block) for block in found]


def followed(
    section: str, room: str, name: str, before: str, tmp_path: Path, table: str = "__init__.py"
) -> dict[str, str]:
    """Write the section's file, add its line, and return the environment in which that package is found."""
    shutil.copytree(REPOSITORY / "src" / "aurify", tmp_path / "src" / "aurify")
    folder = tmp_path / "src" / "aurify" / room
    file, line = blocks(section)
    (folder / f"{name}.py").write_text(file, encoding="utf-8")
    registry = (folder / table).read_text(encoding="utf-8")
    (last,) = [row for row in registry.splitlines() if row.strip().startswith(before)]
    assert len(line.splitlines()) == 1
    (folder / table).write_text(registry.replace(last, f"{line.rstrip()}\n{last}"), encoding="utf-8")
    rows = [f'{{"question": "What is {n} plus {n}?", "answer": {2 * n}}}\n' for n in range(6)]
    (tmp_path / "data.jsonl").write_text("".join(rows))
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path / "src"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])}


def test_a_method_is_one_file_and_one_line(run_aurify, tmp_path):
    env = followed("Add a method", "methods", "signed", '"prompting":', tmp_path)
    train = ("train", "signed", "--model", "nugget", "--data", "data.jsonl", "--out", "run", "--steps", 1,
             "--questions", 4, "--max-new-tokens", 20, "--holdout", 0, "--wrong-weight", 0.5)  # fmt: skip
    done = run_aurify(*train, env=env)
    assert done.returncode == 0, done.stderr
    assert "wrong_weight = 0.5\n" in (tmp_path / "run" / "config.toml").read_text()
    (first,) = map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    assert first["samples"] == 16
    listed = run_aurify("train", "signed", "--help", env=env).stdout
    assert "Signed: every right sample pulls, every wrong one pushes." in " ".join(listed.split())
    assert "--wrong-weight NUMBER" in listed


def test_a_sampler_is_one_file_and_one_line(run_aurify, tmp_path):
    env = followed("Add a sampler", "sampling", "cool", '"vllm":', tmp_path)
    sample = ("sample", "--model", "nugget", "--data", "data.jsonl", "--max-new-tokens", 20, "--samples", 2)
    done = run_aurify(*sample, "--out", "cool", "--sampler", "cool", "--coolness", 0.01, env=env)
    assert done.returncode == 0, done.stderr
    assert "samples are drawn at 0.01 of the temperature: not exact ones" in done.stderr
    same = run_aurify(*sample, "--out", "greedy", "--temperature", 0)
    assert same.returncode == 0, same.stderr
    cool, greedy = (read_rationales(tmp_path / name) for name in ("cool", "greedy"))
    assert [row.text for row in cool] == [row.text for row in greedy], "so cold that it is greedy"
    listed = run_aurify("evaluate", "--help", env=env).stdout
    assert re.search(r"\n +cool +The local sampler at a share of the temperature", listed)


def test_an_answer_type_is_one_file_and_one_line(run_aurify, tmp_path):
    env = followed("Add an answer type", "answers", "roman", '"math":', tmp_path, "types.py")
    preds = {"So the answer is xiv.": "right", "So the answer is XV.": "wrong", "So the answer is 14.": "unparsable"}
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"gold": "XIV", "pred": pred}) + "\n" for pred in preds))
    done = run_aurify("grade", "rows.jsonl", "--answers", "roman", env=env)
    assert done.returncode == 0, done.stderr
    assert [json.loads(row)["verdict"] for row in done.stdout.splitlines()] == list(preds.values())


def test_a_form_is_one_file_and_one_line(run_aurify, tmp_path):
    env = followed("Add a form of question files", "questions/forms", "cards", '"aurify.questions.forms.sol', tmp_path)
    rows = [{"front": f"What is {n} plus {n}?", "back": str(2 * n)} for n in range(6)]
    (tmp_path / "cards.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run_aurify("check", "cards.jsonl", env=env)
    assert done.returncode == 0, done.stderr
    assert "front and back (flashcards)" in done.stdout
    (tmp_path / "cards.jsonl").write_text(json.dumps({"front": "What?", "back": ""}) + "\n")
    empty = run_aurify("check", "cards.jsonl", env=env)
    assert empty.returncode == 1
    assert "cards.jsonl:1" in empty.stderr + empty.stdout
