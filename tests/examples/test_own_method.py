"""The example of a method from outside: as a script, by its module on the command line, and by an entry point."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from distribution import installed
from e_steps import expected_gradient
from enumeration import World

EXAMPLES = Path(__file__).parents[2] / "examples"
SHORT = ("--model", "nugget", "--steps", 2, "--questions", 4, "--samples", 2, "--max-new-tokens", 40, "--holdout", 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    from aurify.nugget import generate

    file = tmp_path / "questions.jsonl"
    rows = [{"question": one.text, "answer": one.answer} for one in generate("web_of_lies", 6, seed=1)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_script_trains_by_its_own_method(run_python, tmp_path):
    words = [EXAMPLES / "own_method.py", "--out", tmp_path / "run", "--steps", 1, "--questions", 10]
    done = run_python(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("before ")
    assert len((EXAMPLES / "own_method.py").read_text().splitlines()) <= 100


def test_a_run_by_module_and_class_goes_on_from_its_own_configuration(run_aurify, data, tmp_path):
    train = ("train", "own_method:Signed", "--data", data, "--out", "run", "--wrong-weight", 0.5, *SHORT)
    done = run_aurify(*train, path=[EXAMPLES])
    assert done.returncode == 0, done.stderr
    config = (tmp_path / "run" / "config.toml").read_text()
    assert 'method = "own_method:Signed"\n' in config
    assert "wrong_weight = 0.5\n" in config
    metrics = (tmp_path / "run" / "metrics.jsonl").read_text()
    (tmp_path / "run" / "checkpoints" / "step-00000002").rename(tmp_path / "gone")
    again = run_aurify("train", "--config", "run/config.toml", "--resume", path=[EXAMPLES])
    assert again.returncode == 0, again.stderr
    strip = [{k: v for k, v in json.loads(line).items() if k != "timing"} for line in metrics.splitlines()]
    found = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [{k: v for k, v in json.loads(line).items() if k != "timing"} for line in found] == strip
    changed = run_aurify("train", "--config", "run/config.toml", "--resume", "--wrong-weight", 1, path=[EXAMPLES])
    assert changed.returncode == 2
    assert changed.stderr.splitlines()[-1].startswith("aurify: --resume: wrong_weight was 0.5 and is now 1.0")


def test_a_distribution_brings_a_method_under_a_word(run_aurify, data, tmp_path):
    points = {"signed": "own_method:Signed", "lost": "gone:Method"}
    modules = {"own_method": (EXAMPLES / "own_method.py").read_text()}
    site = installed(tmp_path / "site", "aurify.methods", points, modules)
    done = run_aurify("train", "signed", "--data", data, "--out", "run", *SHORT, path=[site])
    assert done.returncode == 0, done.stderr
    assert "signed: full tuning" in done.stderr
    assert 'method = "signed"\n' in (tmp_path / "run" / "config.toml").read_text()
    wrong = run_aurify("train", "singed", "--data", data, "--model", "nugget", path=[site])
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "METHOD 'singed': did you mean 'signed'?" in wrong.stderr
    lost = run_aurify("train", "lost", "--data", data, "--model", "nugget", path=[site])
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert "aurify.methods entry point gone:Method raised ModuleNotFoundError" in lost.stderr
    listed = run_aurify("train", "--help", path=[site]).stdout
    assert "Signed: every right sample pulls" in listed
    assert "cannot be loaded" in listed


def test_what_it_ascends_is_what_its_comment_says(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    from own_method import Signed  # type: ignore[import-not-found]

    world = World.random(2, 3, seed=0)
    expected = 1.5 * world.gradient_log_pi() * world.pi_Q[:, None]
    assert abs(expected_gradient(world, Signed(2, 0.5)) - expected).max() < 1e-12
