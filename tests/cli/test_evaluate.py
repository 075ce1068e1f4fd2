"""``aurify evaluate`` on the embedded model: its numbers, its files, and every mistake in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from aurify.cli.app import exit_status, new_app
from aurify.cli.evaluate import register
from aurify.evaluation.settings import EvaluateSettings
from aurify.models import load_model, prepare
from aurify.nugget import generate
from aurify.rationales import read_rationales
from aurify.sampling import LocalSampler
from aurify.settings import resolve

Evaluate = Callable[..., tuple[int, str, str]]
Run = Callable[..., "CompletedProcess[str]"]
SAID = "{}: 8 questions, answers: number, text (inferred)"
NO_CHAT = "(the tokenizer has no chat template)"
METRICS = ["greedy", "sampled", "maj@1", "maj@2", "maj@3", "pass@1", "pass@2", "pass@3"]


@pytest.fixture
def evaluate(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """The command in this process, on the nugget unless a model is named: (exit status, standard output, error)."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        def build() -> Any:
            app = new_app()
            app.command("other")(lambda: None)  # with one command alone, typer takes no command word
            register(app)
            return app

        named = [] if "--model" in words else ["--model", "nugget"]
        status = exit_status(build, ["evaluate", *named, *map(str, words)])
        return status, *capfd.readouterr()

    return run


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four questions of each of two tasks."""
    path = tmp_path_factory.mktemp("questions") / "mixed.jsonl"
    rows = [
        {"id": one.id, "question": one.text, "answer": one.answer, "task": task, "level": one.level}
        for task in ("object_counting", "web_of_lies")
        for one in generate(task, 4, seed=5)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def numbers(out: str) -> dict[str, Any]:
    """The JSON without the time it took."""
    found: dict[str, Any] = json.loads(out)
    assert found.pop("seconds") > 0
    return found


def test_numbers_table_and_files_of_a_pool(evaluate: Evaluate, questions: Path) -> None:
    words = ["--data", questions, "--samples", 3, "--max-new-tokens", 120]
    status, out, err = evaluate(*words, "--json", "-", "--out", "kept")
    found = numbers(out)
    assert status == 0
    assert err.splitlines()[:2] == [SAID.format(questions), f"prompt: plain {NO_CHAT}; token limit 120"]
    assert (found["model"], found["data"], found["samples"], found["temperature"], found["seed"]) == (
        "nugget", str(questions), 3, 1.0, 0,
    )  # fmt: skip
    assert list(found["tasks"]) == ["object_counting", "web_of_lies"]
    for group in (found["overall"], *found["tasks"].values(), *found["levels"].values()):
        assert list(group) == ["n", *METRICS]
        for name in METRICS:
            assert 0 <= group[name]["low"] <= group[name]["accuracy"] <= group[name]["high"] <= 1
            assert list(group[name]) == ["accuracy", "low", "high"]
    for groups in (found["tasks"], found["levels"]):
        assert sum(group["n"] for group in groups.values()) == found["overall"]["n"] == 8

    greedy, samples = read_rationales("kept/greedy"), read_rationales("kept/samples")
    assert [row.step for row in greedy + samples] == [0] * 32
    assert [row.sample_index for row in samples] == [0, 1, 2] * 8
    assert [row.question_id for row in samples[::3]] == [row.question_id for row in greedy]
    assert found["overall"]["greedy"]["accuracy"] == sum(row.right for row in greedy) / 8
    assert found["overall"]["sampled"]["accuracy"] == pytest.approx(sum(row.right for row in samples) / 24)
    assert found["overall"]["pass@3"]["accuracy"] == pytest.approx(
        sum(any(row.right for row in samples[start : start + 3]) for start in range(0, 24, 3)) / 8
    )
    assert found["generated_tokens"] == sum(len(row.token_ids) for row in greedy + samples)
    assert sum(found["verdicts"]["greedy"].values()) == sum(found["finish_reasons"]["greedy"].values()) == 8
    assert found["verdicts"]["sampled"].get("right", 0) == sum(row.right for row in samples)

    status, table, _ = evaluate(*words, "--json", "numbers.json")
    assert numbers(Path("numbers.json").read_text(encoding="utf-8")) == found  # the same again
    assert status == 0
    assert f"nugget on {questions}: 8 questions, 3 samples each at temperature 1" in table
    for part in ("maj@3", "pass@3", "\nall ", "\nobject_counting ", "\nweb_of_lies ", "\ngreedy ", "\nsampled "):
        assert part in table
    other = numbers(evaluate(*words, "--json", "-", "--seed", 1)[1])
    assert other["overall"]["greedy"] == found["overall"]["greedy"]
    assert other["verdicts"]["sampled"] != found["verdicts"]["sampled"]


def test_greedy_alone_of_some_questions(evaluate: Evaluate, questions: Path) -> None:
    status, out, _ = evaluate("--data", questions, "--limit", 3, "--max-new-tokens", 5, "--json", "-")
    found = numbers(out)
    assert status == 0
    assert list(found["overall"]) == ["n", "greedy"]
    assert (found["overall"]["n"], found["verdicts"]) == (3, {"greedy": {"truncated": 3}})
    assert found["finish_reasons"] == {"greedy": {"length": 3}}
    assert found["generated_tokens"] == 15


def test_an_adapter_folder_is_a_model(evaluate: Evaluate, questions: Path, tmp_path: Path) -> None:
    base = load_model("nugget")
    prepare(base.model, base.tokenizer, kind="lora").model.save_pretrained(tmp_path / "adapter")
    words = ["--data", questions, "--limit", 2, "--json", "-"]
    status, out, _ = evaluate(*words, "--model", "adapter")
    assert status == 0
    found, plain = numbers(out), numbers(evaluate(*words)[1])
    assert (found.pop("model"), plain.pop("model")) == ("adapter", "nugget")
    assert found == plain  # a fresh LoRA changes nothing


def test_greedy_accuracy_is_what_training_reports(evaluate: Evaluate, questions: Path, run_aurify: Run) -> None:
    trained = run_aurify(
        "train", "trice", "--model", "nugget", "--data", questions, "--eval-data", questions, "--out", "run",
        "--steps", 2, "--questions", 4, "--lr", "3e-3", "--memory", "none", "--max-new-tokens", 120,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    lines = [json.loads(line) for line in Path("run/metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    reported = [line["held_out"] for line in lines if "held_out" in line]
    rows = {step: [row for row in read_rationales("run/held_out") if row.step == step] for step in (0, 2)}
    for model, step, held_out in (("nugget", 0, reported[0]), ("run/model", 2, reported[-1])):
        out = evaluate(
            "--model", model, "--data", questions, "--max-new-tokens", 120, "--json", "-", "--out", f"at-{step}"
        )[1]
        overall = numbers(out)["overall"]
        assert overall == {"n": 8, "greedy": {name: held_out[name] for name in ("accuracy", "low", "high")}}
        texts = {row.question_id: row.text for row in read_rationales(f"at-{step}/greedy")}
        assert texts == {row.question_id: row.text for row in rows[step]}


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["--samples", "-1"], 2, "--samples '-1': input should be greater than or equal to 0"),
        (["--temperature", "0"], 2, "--temperature '0': input should be greater than 0"),
        (["--temperature", "inf"], 2, "--temperature 'inf': input should be a finite number"),
        (["--prompt", "plane"], 2, "--prompt 'plane': did you mean 'plain'?"),
        (["--prompt", "chat"], 2, "--prompt chat: the model's tokenizer has no chat template"),
        (["--answers", "nmber"], 2, "--answers 'nmber': did you mean 'number'?"),
        (["--sample", "3"], 2, "unknown option --sample: did you mean '--samples'?"),
        (["--json", "no/such/folder.json"], 2, "--json no/such/folder.json: not a file in a folder that exists"),
        (["--json", "."], 2, "--json .: not a file in a folder that exists"),
        (["--out", "."], 2, "--out .: not empty: choose another folder"),
        (["--out", "file"], 2, "--out file: stands already and is not a folder"),
        (["--model", "./nowhere"], 1, "--model ./nowhere: cannot be loaded"),
        (["--max-new-tokens", "100000"], 1, "the longest prompt has"),
        (["--data", "nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (["--data", "file"], 1, "file: unknown format"),
    ],
)
def test_a_mistake_is_one_line(
    evaluate: Evaluate, questions: Path, tmp_path: Path, words: list[str], status: int, complaint: str
) -> None:
    (tmp_path / "file").write_text("no question\n")
    data = [] if "--data" in words else ["--data", questions]
    found, out, err = evaluate(*data, *words)
    *said, last = err.splitlines()
    assert (found, out) == (status, "")
    assert last.startswith("aurify: ")
    assert complaint in last
    assert said in (
        [],
        [SAID.format(questions)],
        [SAID.format(questions), f"prompt: plain {NO_CHAT}; token limit 100000"],
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_text_of_the_data_cannot_steer_the_terminal(evaluate: Evaluate, tmp_path: Path) -> None:
    rows = [{"question": "1+1?", "answer": "2", "task": f"\x1b[31m[bold]{task}"} for task in "ab"]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, _ = evaluate("--data", "rows.jsonl", "--max-new-tokens", 3)
    assert status == 0
    assert "\n[bold]a " in out
    assert "\x1b" not in out


def test_the_word_json_stands_in_a_file_too(evaluate: Evaluate, tmp_path: Path) -> None:
    words = ["--data", "d", "--json", "numbers.json", "--dry-run"]
    status, first, _ = evaluate(*words)
    assert status == 0
    assert '\njson = "numbers.json"\n' in first
    (tmp_path / "evaluate.toml").write_text(first, encoding="utf-8")
    assert evaluate("--config", "evaluate.toml", "--dry-run") == (0, first, "")
    assert resolve(EvaluateSettings, {}, tmp_path / "evaluate.toml").json_ == "numbers.json"
    (tmp_path / "evaluate.toml").write_text('data = "d"\njson = 3\n', encoding="utf-8")
    assert "evaluate.toml:2: json 3: input should be a valid string" in evaluate("--config", "evaluate.toml")[2]
    (tmp_path / "evaluate.toml").write_text('data = "d"\njsno = "x"\n', encoding="utf-8")
    assert "unknown setting 'jsno': did you mean 'json'?" in evaluate("--config", "evaluate.toml")[2]


def test_the_real_command(questions: Path, run_aurify: Run) -> None:
    done = run_aurify(
        "evaluate", "--model", "nugget", "--data", questions, "--limit", "1", "--samples", "1", "--json", "-"
    )
    assert done.returncode == 0
    assert done.stderr.splitlines()[:2] == [
        SAID.format(questions),
        f"prompt: plain {NO_CHAT}; token limit 256 (by rule for a plain prompt); --max-new-tokens sets another",
    ]
    assert list(numbers(done.stdout)["overall"]) == ["n", "greedy", "sampled", "maj@1", "pass@1"]


def test_a_stopped_evaluation_goes_on_by_the_same_command_and_by_no_other(
    evaluate: Evaluate, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--data", questions, "--samples", 2, "--max-new-tokens", 60)
    _, wanted, _ = evaluate(*words, "--json", "-", "--out", "at-once")
    stop_after = [11]
    whole = LocalSampler.sample

    def interrupted(self: LocalSampler, prompts: Any, *, on_completion: Any = None, **how: Any) -> Any:
        def came(index: int, completion: Any) -> None:
            on_completion(index, completion)
            stop_after[0] -= 1
            if not stop_after[0]:
                raise KeyboardInterrupt

        return whole(self, prompts, on_completion=came, **how)

    monkeypatch.setattr(LocalSampler, "sample", interrupted)
    status, out, err = evaluate(*words, "--out", "stopped")
    assert (status, out) == (1, "")
    assert err.endswith("what was drawn is in stopped, and the same command goes on from there\n")
    kept = (tmp_path / "stopped" / "drawn.jsonl").read_bytes()
    for other in (("--seed", 1), ("--limit", 4), ("--max-new-tokens", 61)):
        status, _, err = evaluate(*words, *other, "--out", "stopped")
        assert status == 2
        assert "of other weights, questions or settings" in err
    assert (tmp_path / "stopped" / "drawn.jsonl").read_bytes() == kept
    status, found, err = evaluate(*words, "--json", "-", "--out", "stopped")
    assert status == 0
    assert "11 rationales that were drawn before the stop are not drawn again" in err
    assert numbers(wanted) == numbers(found)
    for kind in ("greedy", "samples"):
        rows = [read_rationales(tmp_path / name / kind) for name in ("at-once", "stopped")]
        assert [row.token_ids for row in rows[0]] == [row.token_ids for row in rows[1]]
    assert not (tmp_path / "stopped" / "drawn.jsonl").exists()
    assert evaluate(*words, "--out", "stopped")[0] == 2, "it is finished, and not written over"
