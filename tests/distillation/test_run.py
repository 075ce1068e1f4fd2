"""``aurify distill`` on real teacher data with a tiny random model: every method, a crash, and a run's own table."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

import aurify
from aurify.cli import distill, evaluate, train
from aurify.cli.app import exit_status, new_app
from aurify.distillation import stages
from aurify.distillation.run import run_distillation
from aurify.distillation.settings import DistillSettings
from aurify.errors import AurifyError
from aurify.models import load_model
from aurify.models.nat.model import dual_layers
from aurify.rationales import read_rationales
from aurify.running.budget import cost_of_step
from aurify.running.progress import Quiet

Command = Callable[..., tuple[int, str]]
PLAIN = ("kd", "mix", "cl", "nt", "ul")
VARIANTS = ("linear-value", "no-offset", "fixed", "no-negatives", "random-negatives", "wide-lora", "sequential")
SMALL = (
    "--answers", "math", "--steps", "2", "--rationales", "2", "--eval-limit", "2", "--max-new-tokens", "4",
    "--samples", "1", "--lora-rank", "2", "--unit-width", "3", "--holdout", "0.25", "--save-every", "1",
)  # fmt: skip


@pytest.fixture(scope="module")
def teacher(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight of gpt-3.5-turbo's problems, those short enough for the tiny model; rows as they are published."""
    found = []
    with gzip.open(shared_data / "math_teacher" / "gpt-3.5-turbo.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            short = max(len(sample["rationale"]) for sample in row["samples"]) + len(row["problem"]) < 420
            if short and (row["answer"] or "").isdecimal() and len({s["correct"] for s in row["samples"]}) == 2:
                found.append(line)
            if len(found) == 8:
                break
    path = tmp_path_factory.mktemp("teacher") / "teacher.jsonl"
    path.write_text("".join(found), encoding="utf-8")
    return path


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """The real command line, in this process: (exit status, standard error)."""

    def run(*words: object) -> tuple[int, str]:
        def build() -> Any:
            app = new_app()
            distill.register(app)
            evaluate.register(app)
            train.register(app)
            return app

        return exit_status(build, [str(word) for word in words]), capfd.readouterr().err

    return run


def words(method: str, teacher: Path, model: object, out: Path, *more: object) -> list[object]:
    return ["distill", method, "--model", model, "--data", teacher, "--from", teacher, "--out", out, *SMALL, *more]


def evaluated(model: Path, teacher: Path, command: Command) -> None:
    """The command line takes the model."""
    status, errors = command("evaluate", "--model", model, "--data", teacher, "--limit", 1, "--max-new-tokens", 2)
    assert status == 0, errors


def small() -> dict[str, str]:
    """``SMALL`` as settings."""
    pairs = zip(SMALL[::2], SMALL[1::2], strict=True)
    return {name.removeprefix("--").replace("-", "_"): value for name, value in pairs}


@pytest.fixture(scope="module")
def finished(teacher: Path, tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A NAT run that was never stopped."""
    out = tmp_path_factory.mktemp("runs") / "nat"
    assert exit_status(_app, [str(word) for word in words("nat", teacher, tiny_model_dir, out)]) == 0
    return out


def _app() -> Any:
    app = new_app()
    distill.register(app)
    evaluate.register(app)
    train.register(app)
    return app


def result(out: Path) -> dict[str, Any]:
    """What must not depend on when a run was stopped."""
    metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    for line in metrics:
        del line["timing"]
    weights = {file.relative_to(out).as_posix(): file.read_bytes() for file in (out / "model").rglob("*.safetensors")}
    return {"metrics": metrics, "weights": weights, "rationales": read_rationales(out)}


def test_a_wish_to_stop_breaks_off_the_first_gradient_of_a_later_stage(
    finished, teacher, tiny_model_dir, tmp_path, monkeypatch
):
    accumulate, begun = stages.accumulate, []

    def stopped_in_the_third(*given):
        begun.append(1)
        if len(begun) == 3:  # of the stage whose unit begins anew
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError("it went on")
        return accumulate(*given)

    out = tmp_path / "nat"
    told = {
        **small(), "method": "nat", "model": str(tiny_model_dir), "data": str(teacher), "from_": str(teacher),
        "out": str(out),
    }  # fmt: skip
    monkeypatch.setattr(stages, "accumulate", stopped_in_the_third)
    with pytest.raises(AurifyError, match="stopped after step 2 and saved"):
        run_distillation(DistillSettings(**told))
    monkeypatch.undo()
    run_distillation(DistillSettings(**told, resume=True))
    assert result(out) == result(finished)


def test_a_run_leaves_what_train_leaves(finished):
    names = {path.name for path in finished.iterdir()}
    assert {"model", "rationales", "held_out", "metrics.jsonl", "checkpoints", "config.toml"} <= names
    metrics = result(finished)["metrics"]
    assert [line["stage"] for line in metrics if "loss" in line] == ["neg", "neg", "pos", "pos"]
    assert [line["stage"] for line in metrics if "held_out" in line] == ["start", "neg", "pos"]
    assert all(0 <= line["held_out_likelihood"]["preferred"] <= 1 for line in metrics if "held_out" in line)
    rows = read_rationales(finished)
    assert len(rows) == 64
    assert {str(row.verdict) for row in rows} >= {"right", "wrong"}, "judged by our verifier"
    assert 'from = "' in (finished / "config.toml").read_text()
    assert "aurify.load" in (finished / "model" / "README.md").read_text()


def test_a_nat_run_tells_the_weights_of_its_unit(finished):
    total, *rows = map(json.loads, (finished / "unit_weights.jsonl").read_text().splitlines())
    assert -0.5 < total["quantiles"]["0"] <= total["quantiles"]["1"] < 0.5
    layers = [row for row in rows if "layer" in row]
    assert [row["layer"] for row in layers[:2]] == [
        "model.layers.0.self_attn.q_proj",
        "model.layers.0.self_attn.v_proj",
    ]
    assert len(layers) == 4
    assert sum(row["tokens"] for row in rows if "positions" in row) == total["tokens"]
    assert [row for row in rows if "token" in row]


def test_without_a_limit_own_samples_keep_within_the_models_positions(teacher, tiny_model_dir, command, tmp_path):
    few = tmp_path / "few-positions"
    shutil.copytree(tiny_model_dir, few)
    config = json.loads((few / "config.json").read_text())
    (few / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 300}))
    asked = words("kd", teacher, few, tmp_path / "out")
    place = asked.index("--max-new-tokens")
    status, errors = command(*asked[:place], *asked[place + 2 :], "--prompt", "plain")
    assert status == 0, errors
    limit = json.loads((tmp_path / "out" / "prompt.json").read_text())["max_new_tokens"]
    assert 64 <= limit < 256, "what 300 positions leave behind the longest prompt"


def test_evaluate_takes_a_nat_model_and_each_of_its_parts(finished, teacher, command, tmp_path):
    for part in ("", "neg", "pos"):
        asked = ("--data", teacher, "--answers", "math", "--limit", 2, "--max-new-tokens", 4)
        status, errors = command(
            "evaluate", "--model", finished / "model" / part, *asked, "--json", tmp_path / "n.json"
        )
        assert status == 0, errors
        assert json.loads((tmp_path / "n.json").read_text())["overall"]["n"] == 2


@pytest.mark.parametrize("method", PLAIN)
def test_every_baseline_makes_a_plain_lora(method, teacher, tiny_model_dir, command, tmp_path):
    status, errors = command(*words(method, teacher, tiny_model_dir, tmp_path / "run"))
    assert status == 0, errors
    alone = PeftModel.from_pretrained(load_model(str(tiny_model_dir)).model, tmp_path / "run" / "model")
    changed = [float(p.abs().sum()) for name, p in alone.named_parameters() if "lora_B" in name]
    assert all(changed), "every adapted layer has learned"
    evaluated(tmp_path / "run" / "model", teacher, command)


def test_prefix_is_mix_of_right_ones_and_of_wrong_ones_cut_by_hand(tiny_model_dir, tmp_path):
    asked = {"question": "How much is 1 + 1 + 1?", "answer": "3"}
    right = {"text": "1 + 1 = 2 and 2 + 1 = 3. The answer is 3."}
    whole = {"text": "1 + 1 = 2 and 2 + 1 = 4. The answer is 4."}
    cut = {"text": "1 + 1 = 2 and", "finish_reason": "length"}
    unchecked = {"text": "The answer is 5."}
    learned = {}
    for method, samples in (("prefix", [right, whole, unchecked]), ("mix", [right, cut])):
        rows = tmp_path / f"{method}.jsonl"
        rows.write_text(json.dumps({**asked, "samples": samples}) + "\n")
        told = {
            **small(), "method": method, "model": str(tiny_model_dir), "data": str(rows), "from_": str(rows),
            "answers": "number", "holdout": 0.0, "out": str(tmp_path / method), "negatives": "all",
        }  # fmt: skip
        run_distillation(DistillSettings(**told), held_out=[])
        learned[method] = load_file(tmp_path / method / "model" / "adapter_model.safetensors")
    assert all(torch.equal(learned["mix"][name], values) for name, values in learned["prefix"].items())


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_trained_saved_and_loaded(variant, teacher, tiny_model_dir, command, tmp_path):
    status, errors = command(*words("nat", teacher, tiny_model_dir, tmp_path / "run", "--variant", variant))
    assert status == 0, errors
    model = aurify.load(str(tmp_path / "run" / "model")).model
    assert bool(dual_layers(model)) == (variant not in ("wide-lora", "sequential"))
    told = (tmp_path / "run" / "unit_weights.jsonl").is_file()
    assert told == (variant not in ("fixed", "wide-lora", "sequential"))
    if variant == "linear-value":
        evaluated(tmp_path / "run" / "model", teacher, command)
    stages = [line["stage"] for line in result(tmp_path / "run")["metrics"] if "loss" in line]
    assert stages == (["pos"] * 2 if variant in ("no-negatives", "wide-lora") else ["neg"] * 2 + ["pos"] * 2)


@pytest.mark.parametrize("method", ["nce", "augment", "self-kd"])
def test_from_a_nat_run_a_plain_lora_that_peft_alone_merges(
    method, finished, teacher, tiny_model_dir, command, tmp_path
):
    status, errors = command("distill", method, "--from", finished, "--out", tmp_path / "run", *SMALL)
    assert status == 0, errors
    alone = PeftModel.from_pretrained(load_model(str(tiny_model_dir)).model, tmp_path / "run" / "model")
    assert {type(module).__module__.partition(".")[0] for module in alone.modules()} <= {
        "peft",
        "torch",
        "transformers",
    }
    alone.merge_and_unload()
    drawn = [row for row in read_rationales(tmp_path / "run") if row.source == "self"]
    assert len(drawn) == 6, "one a training question, kept in the table"
    costs = [(line.get("samples", 0), line.get("generated_tokens", 0)) for line in result(tmp_path / "run")["metrics"]]
    assert [sum(kind) for kind in zip(*costs, strict=True)] == [6, sum(len(row.token_ids) for row in drawn)]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    first, *later = [line for line in map(json.loads, lines) if "updated" in line]
    assert cost_of_step(first)["seconds"] == first["timing"]["seconds"] + first["timing"]["seconds_before"]
    assert first["timing"]["seconds_before"] > 0
    assert not any("seconds_before" in line["timing"] for line in later)
    if method == "nce":
        evaluated(tmp_path / "run" / "model", teacher, command)
        summary, *rows = map(json.loads, (tmp_path / "run" / "nce_weights.jsonl").read_text().splitlines())
        rows = [row for row in rows if "weight" in row]  # those of tokens follow
        assert all(0.5 <= row["weight"] < 1.5 for row in rows)
        assert summary["tokens"] == sum(row["tokens"] for row in rows)


class Crash(Quiet):
    """Lets a run fail when it has written a step."""

    def __init__(self, after: int) -> None:
        self.after = after

    def step(self, step: int, steps: int, line: dict[str, Any]) -> None:
        if step > self.after:
            raise OSError(28, "No space left on device", "disk")


@pytest.mark.parametrize("crash", [1, 2, 3])
def test_a_run_that_crashed_in_either_stage_goes_on_to_the_same_end(
    crash, finished, teacher, tiny_model_dir, command, tmp_path
):
    out = tmp_path / "run"
    settings = DistillSettings(
        method="nat", model=str(tiny_model_dir), data=str(teacher), from_=str(teacher), out=str(out), **small()
    )
    with pytest.raises(OSError, match="No space left"):
        run_distillation(settings, watcher=Crash(crash))
    assert not (out / "model").exists()
    status, errors = command("distill", "--config", out / "config.toml", "--resume")
    assert status == 0, errors
    assert f"resumed from {out / 'checkpoints' / f'step-{crash:08d}'}" in errors
    assert result(out) == result(finished)


def test_stage_2_leaves_the_negative_adapter_as_stage_1_made_it(finished):
    before, after = (
        load_file(finished / "checkpoints" / f"step-{step:08d}" / "weights.safetensors") for step in (3, 4)
    )
    negative = load_file(finished / "model" / "neg" / "adapter_model.safetensors")
    names = {name: name.replace(".neg.weight", ".weight") for name in after if ".neg." in name}
    assert names
    for name, saved in names.items():
        assert bool((before[name] == after[name]).all())
        assert bool((after[name] == negative[saved]).all())


def test_what_cannot_be_is_one_line(finished, teacher, tiny_model_dir, command, tmp_path):
    status, errors = command("distill", "nce", "--model", tiny_model_dir, "--data", teacher, "--from", teacher)
    assert status == 2
    assert errors.splitlines()[-1].startswith("aurify: --model")
    assert "nce learns from a NAT model" in errors
    status, errors = command("distill", "kd", "--from", teacher)
    assert status == 2
    assert "--model is missing" in errors
    status, errors = command(*words("kd", teacher, finished / "model", tmp_path / "a"))
    assert status == 2
    assert "no base for kd" in errors
    (tmp_path / "rows.jsonl").write_text('{"question": "Of another?", "rationale": "The answer is 1."}\n')
    status, errors = command(
        "distill", "kd", "--model", tiny_model_dir, "--data", teacher, "--from", tmp_path / "rows.jsonl",
        "--out", tmp_path / "b",
    )  # fmt: skip
    assert status == 1
    assert "none of its 1 rationales is of a question" in errors
    status, errors = command(*words("kd", teacher, tiny_model_dir, tmp_path / "c", "--variant", "fixed"))
    assert status == 2
    assert "is of nat" in errors


@pytest.mark.parametrize("tuning", [(), ("--tuning", "lora")])
def test_a_nat_model_is_not_trained_on_and_no_folder_is_claimed(tuning, finished, teacher, command, tmp_path):
    out = tmp_path / "run"
    status, errors = command(
        "train", "star", "--model", finished / "model", "--data", teacher, "--answers", "math", "--out", out, *tuning
    )
    assert status == 2
    assert errors.splitlines()[-1].startswith("aurify: --model")
    assert "a NAT model cannot be trained on" in errors
    assert not out.exists()


def test_evaluate_says_that_vllm_takes_no_nat_model(finished, teacher, command):
    asked = ("--data", teacher, "--answers", "math", "--sampler", "vllm")
    status, errors = command("evaluate", "--model", finished / "model", *asked)
    assert status == 2
    assert "is a NAT model, whose unit vLLM does not know" in errors.splitlines()[-1]


def test_the_command_has_at_most_forty_settings():
    shared = {"prompt", "few_shot", "system", "template_args", "fsdp", "stalled_after"}  # the same for every command
    assert len(DistillSettings.model_fields.keys() - shared) <= 40
