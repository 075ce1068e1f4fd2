"""``aurify compare``: runs from folders, runs from a file, and every mistake in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurify.answers import Verdict
from aurify.cli.app import exit_status, new_app
from aurify.cli.compare import register
from aurify.nugget import generate
from aurify.questions import Question
from aurify.rationales import Rationale, RationaleTable
from aurify.running.asked import write_asked
from aurify.training.settings import TrainSettings

Compare = Callable[..., tuple[int, str, str]]


@pytest.fixture
def compare(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """The command in this process: (exit status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        def build() -> Any:
            app = new_app()
            app.command("other")(lambda: None)
            register(app)
            return app

        return exit_status(build, ["compare", *map(str, words)]), *capfd.readouterr()

    return run


def finished(folder: Path, method: str, right: np.ndarray, *, seed: int = 0, first_id: int = 0, **more: Any) -> Path:
    """What a run leaves, as far as it is compared."""
    settings = TrainSettings(method=method, model="nugget", data="d.jsonl", out=str(folder), seed=seed, **more)
    (folder / "model").mkdir(parents=True)
    (folder / "config.toml").write_text(settings.to_toml())
    step = {"step": 1, "updated": True, "samples": 40, "generated_tokens": 900, "timing": {"seconds": 2.0}}
    measured = {"step": 1, "held_out": {}, "timing": {"seconds": 5.0}}
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (step, measured)))
    table = RationaleTable(folder / "held_out")
    for at, verdicts in ((0, ~right), (1, right)):
        table.append(
            Rationale(
                f"q{first_id + index}", (1,), "", None, Verdict.RIGHT if one else Verdict.WRONG, "", "self", "m", at, 0,
                0, "stop", None,
            )
            for index, one in enumerate(verdicts)
        )  # fmt: skip
    table.flush(1)
    return folder


def answers(p: float, seed: int, n: int = 150) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < p


def test_runs_are_grouped_paired_and_told_apart_or_not(compare, tmp_path):
    folders = []
    for seed in (0, 1, 2):
        right = answers(0.8, 10 * seed + 1)  # basic: as many right answers, to other questions
        folders += [
            finished(tmp_path / f"t{seed}", "trice", right, seed=seed),
            finished(tmp_path / f"b{seed}", "trice", np.roll(right, 1), seed=seed, estimator="basic"),
            finished(tmp_path / f"d{seed}", "direct", answers(0.2, 10 * seed + 3), seed=seed),
        ]
    status, out, _ = compare(*folders, "--json", "found.json")
    assert status == 0
    assert "direct" in out
    assert "the data cannot tell 1 of 3 pairs apart" in out
    assert "3 methods, 150 questions, 450 answers, seeds 0, 1, 2" in out
    assert "of what differs on a question, a share of" in out
    assert "these runs" not in out
    found = json.loads((tmp_path / "found.json").read_text())
    assert set(found["methods"]) == {"trice estimator=control-variate", "trice estimator=basic", "direct"}
    trice = found["methods"]["trice estimator=control-variate"]
    assert (trice["seeds"], trice["n"]) == ([0, 1, 2], [150, 150, 150])
    assert (trice["samples"], trice["tokens"], trice["seconds"]) == (40, 900, 2)
    assert trice["accuracy"] == pytest.approx(np.mean([answers(0.8, seed).mean() for seed in (1, 11, 21)]))
    by_pair = {(pair["first"], pair["second"]): pair["better"] for pair in found["pairs"]}
    assert by_pair[("trice estimator=control-variate", "trice estimator=basic")] is None
    assert by_pair[("trice estimator=basic", "direct")] == "trice estimator=basic"


def test_two_runs(compare, tmp_path):
    same = answers(0.5, 1)
    status, out, _ = compare(finished(tmp_path / "a", "trice", same), finished(tmp_path / "b", "rloo", same))
    assert status == 0
    assert "the data cannot tell the two apart" in out
    assert "one seed" in out
    both = [finished(tmp_path / "c", "star", answers(0.9, 1)), finished(tmp_path / "d", "grpo", answers(0.4, 2))]
    status, out, _ = compare(*both, "--json", "found.json")
    assert (status, "star: the better run" in out, "star is better" in out) == (0, True, False)
    (pair,) = json.loads((tmp_path / "found.json").read_text())["pairs"]
    assert (pair["better"], pair["better_runs"]) == (None, "star")


def test_runs_that_are_all_right_are_not_known_for_certain(compare, tmp_path):
    right = np.ones(80, dtype=bool)
    folders = [finished(tmp_path / f"{m}{seed}", m, right, seed=seed) for m in ("trice", "rloo") for seed in range(3)]
    status, out, _ = compare(*folders)
    assert status == 0
    assert "100.0 (94.4 to 100.0)" in out
    assert "0.0 (-2.4 to 2.4)" in out


def rows_file(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_files_of_verdicts(compare, tmp_path):
    good = rows_file(tmp_path / "good.jsonl", [{"id": f"q{i}", "right": i % 10 > 0} for i in range(100)])
    bad = rows_file(tmp_path / "bad.jsonl", [{"id": f"q{i}", "score": int(i % 2)} for i in range(100)])
    status, out, err = compare(good, bad)
    assert (status, err) == (0, "")
    assert "2 methods, 100 questions" in out
    assert "good    90.0 (82.6 to 94.5)" in out
    assert "good is better" in out
    assert "seconds" not in out
    run = finished(tmp_path / "run", "trice", np.arange(100) % 2 == 1)
    status, out, _ = compare(run, good)
    assert (status, "trice - good" in out) == (0, True)


def test_files_of_verdicts_that_cannot_be_compared(compare, tmp_path):
    good = rows_file(tmp_path / "good.jsonl", [{"id": "a", "right": True}, {"id": "b", "right": False}])
    other = rows_file(tmp_path / "other.jsonl", [{"id": "a", "right": True}, {"id": "c", "right": False}])
    cases = {
        "measured on different held-out questions (1 in common of 2 and 2)": [good, other],
        "--score is for files of verdicts": [finished(tmp_path / "r", "trice", answers(0.5, 1)), "--score", "x"],
        "have no field 'rihgt': did you mean 'right'?": [good, good, "--score", "rihgt"],
        "no such folder": [good, tmp_path / "nowhere.jsonl"],
    }
    for message, words in cases.items():
        status, out, err = compare(*words)
        assert (status > 0, out, err.count("\n")) == (True, "", 1), err
        assert message in err


def test_mistakes_are_one_line(compare, tmp_path):
    good = finished(tmp_path / "good", "trice", answers(0.5, 1))
    cases = {
        "different held-out questions (50 in common of 150 and 150)": [
            good, finished(tmp_path / "other", "rloo", answers(0.5, 1), first_id=100)
        ],
        "give both the same questions (--seed 0 and 1; --holdout 0.4 and 0.2)": [
            good, finished(tmp_path / "fewer", "rloo", answers(0.5, 1, 80), seed=1, holdout=0.2)
        ],
        "no such folder": [good, tmp_path / "nowhere"],
        "nothing to compare": [good],
        "same settings and seed": [good, finished(tmp_path / "twin", "trice", answers(0.5, 1))],
        "trice has 1 run and grpo has 2 runs": [
            good, *(finished(tmp_path / f"g{seed}", "grpo", answers(0.5, 1), seed=seed) for seed in (0, 1))
        ],
        "did you mean 'trice'": [good, finished(tmp_path / "r", "rloo", answers(0.5, 1)), "--against", "trise"],
    }  # fmt: skip
    for message, words in cases.items():
        status, out, err = compare(*words)
        assert (status > 0, out, err.count("\n")) == (True, "", 1), err
        assert message in err
    (good / "model").rmdir()
    assert "not finished: aurify train --config" in compare(good, good)[2]


def test_different_questions_of_the_same_ids_are_not_paired(compare, tmp_path):
    right = answers(0.5, 1, 20)
    one, other = (finished(tmp_path / name, name, right) for name in ("trice", "rloo"))

    def asks(folder: Path, what: str) -> None:
        write_asked(
            folder / "questions.jsonl", [], [Question(f"q{i}", f"{what} {i}?", "1", "number") for i in range(20)]
        )

    asks(one, "What is")
    asks(other, "What is")
    assert compare(one, other)[0] == 0
    asks(other, "How much is")
    status, _, err = compare(one, other)
    assert status == 2
    assert "were measured on different questions of the same ids, as 'q0'" in err


def test_an_unfinished_run_is_gone_on_with_by_its_own_command(compare, tmp_path):
    runs = [finished(tmp_path / name, "trice", answers(0.5, 1, 5)) for name in ("a", "b")]
    shutil.rmtree(runs[1] / "model")
    assert "not finished: aurify train --config" in compare(*runs)[2]
    config = runs[1] / "config.toml"
    config.write_text(config.read_text().replace('data = "d.jsonl"', 'data = "d.jsonl"\nfrom = "runs/a"'))
    assert "not finished: aurify distill --config" in compare(*runs)[2]


def test_folders_that_are_not_as_they_were_written(compare, tmp_path):
    good = finished(tmp_path / "good", "trice", np.array([True, False]))
    for name, file, text, told in (
        ("seed", "config.toml", 'method = "star"\nseed = "a"\n', "is not what aurify train wrote"),
        ("toml", "config.toml", 'method = "star\n', "config.toml: not valid TOML"),
        ("nested", "config.toml", f"seed = {'[' * 5000}", "config.toml: not valid TOML"),
        ("step", "metrics.jsonl", '{"held_out": {}}\n', "metrics.jsonl:1: not a line of a run's metrics"),
    ):
        bad = finished(tmp_path / name, "star", np.array([True, False]))
        (bad / file).write_text(text)
        status, _, err = compare(good, bad)
        assert (status, err.count("\n")) == (1, 1), err
        assert told in err
    bad = finished(tmp_path / "table", "star", np.array([True, False]))
    shutil.rmtree(bad / "held_out")
    assert "nothing was held out in this run" in compare(good, bad)[2]


def test_what_a_method_left_of_the_budget_is_said(compare, tmp_path):
    rows = [{"question": one.text, "answer": one.answer} for one in generate("web_of_lies", 10, seed=5)]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.partition("[methods.trice]")[0] + "[methods.trice]\n[methods.prompting]\n")
    status, out, err = compare(plan)
    assert status == 0, err
    assert "prompting used 0 % of the budget of 8 samples: its steps ended it" in out
    assert "trice used" not in out


PLAN = """
model = "nugget"
data = "questions.jsonl"
holdout = 0.5
questions = 4
max_new_tokens = 80
seeds = [3]
budget = "8 samples"
out = "compared"
memory = "none"
[methods.trice]
[methods.basic]
method = "trice"
estimator = "basic"
"""


def test_a_file_whose_questions_have_no_answers_is_gone_on_with(compare, tmp_path, monkeypatch):
    (tmp_path / "brevity.py").write_text(
        "def brief(completions, **rest):\n    return [float(len(one) < 99) for one in completions]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    rows = [{"question": one.text} for one in generate("web_of_lies", 10, seed=5)]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plan = tmp_path / "plan.toml"
    plan.write_text(
        PLAN.partition("[methods.trice]")[0].replace('memory = "none"', 'answers = "brevity:brief"')
        + "[methods.rloo]\nsamples = 2\n[methods.grpo]\nsamples = 2\n"
    )
    first, again = compare(plan), compare(plan)
    assert first[0] == 0, first[2]
    assert again[:2] == first[:2]


def test_a_file_is_run_within_its_budget_and_gone_on_with(compare, tmp_path):
    rows = [{"question": one.text, "answer": one.answer} for one in generate("web_of_lies", 10, seed=5)]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    status, out, err = compare(plan)
    assert status == 0, err
    assert "trice, seed 3: running" in err
    assert "trice - basic" in out
    assert "2 methods, 5 questions, 5 answers, seeds 3" in out
    for name in ("trice-seed3", "basic-seed3"):
        lines = [json.loads(line) for line in (tmp_path / "compared" / name / "metrics.jsonl").read_text().splitlines()]
        assert sum(line.get("samples", 0) for line in lines) == 8
    again = compare(plan)
    assert again[2].count("finished before") == 2
    assert again[1] == out
    plan.write_text(PLAN.replace("8 samples", "9 samples"))
    assert "its runs had the budget 8 samples, now 9 samples" in compare(plan)[2]
    plan.write_text(PLAN.replace("questions = 4", "questions = 3"))
    assert "its questions was 4 and is now 3" in compare(plan)[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("8 samples", "8 apples"), "budget '8 apples'"),
        (("holdout", "hold_out"), "unknown setting 'hold_out': did you mean 'holdout'?"),
        (("8 samples", "_5 samples"), "budget '_5 samples'"),
        (("[3]", "[3, 3]"), "seeds: expected different whole numbers"),
        (("[3]", "3"), "seeds: expected different whole numbers"),
        (("[3]", "[0, true]"), "seeds: expected different whole numbers"),
        (('"compared"', "5"), "out: expected the name of a folder"),
        (('estimator = "basic"', "seed = 4"), "method basic: seed is set for each run"),
        (("[methods.basic]", '[methods."trice "]'), "two names would share one folder"),
        (('method = "trice"', 'method = "trise"'), "method basic: --method 'trise'"),
        (("[methods.trice]", ""), "methods: expected two or more"),
    ],
)  # fmt: skip
def test_mistakes_in_a_file(change, message, compare, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.replace(*change))
    status, _, err = compare(plan)
    assert status == 2
    assert message in err
    assert err.startswith(f"aurify: {plan}: ")
    assert err.count("\n") == 1
