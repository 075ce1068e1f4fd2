"""NaN and infinity planted in weights, gradients and data: found at once, named, and never saved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from aurify.errors import AurifyError
from aurify.models import load_model, prepare
from aurify.models.tuning import Tuned
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings


def plant(file: Path, value: float) -> str:
    weights = load_file(file)
    name = next(name for name in weights if "q_proj" in name or "lora" in name)
    weights[name].view(-1)[3] = value
    save_file(weights, file, {"format": "pt"})
    return name


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("kind", ["model", "adapter"])
def test_in_the_weights_of_a_model(kind, value, tiny_model_dir, tmp_path):
    folder = tmp_path / kind
    if kind == "model":
        shutil.copytree(tiny_model_dir, folder)
        name = plant(folder / "model.safetensors", value)
    else:
        prepare(*load_model(str(tiny_model_dir)), kind="lora", lora_rank=2).model.save_pretrained(folder)
        name = plant(folder / "adapter_model.safetensors", value)
    with pytest.raises(AurifyError, match=rf"values of 1 tensor \(.*{name.split('.')[-2]}.*\) are not finite"):
        load_model(str(folder))


def test_large_weights_are_no_infinite_ones(tiny_model_dir, tmp_path):
    folder = Path(shutil.copytree(tiny_model_dir, tmp_path / "model"))
    plant(folder / "model.safetensors", 3e38)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if "q_proj" in name)
    weights[name].view(-1)[4] = 3e38
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    load_model(str(folder))


def test_in_a_gradient_the_rows_are_named_and_the_last_state_is_kept(questions, monkeypatch, tmp_path):
    """The gradient of one question's rationales turns to NaN at the second step."""
    settings = TrainSettings(
        method="rloo", model="nugget", data=str(questions), out=str(tmp_path / "run"), steps=3, questions=8, samples=4,
        holdout=0, max_new_tokens=60, save_every=1, tuning="lora",
    )  # fmt: skip
    from aurify.training import m_step, update

    real, calls = update.accumulate_gradient, []

    def planted(model, terms, *args, **more):
        m_step.accumulate_gradient(model, terms, *args, **more)
        calls.append(len(terms))
        if (tmp_path / "run" / "checkpoints" / "step-00000001").exists() and any(t.question_id == bad for t in terms):
            next(p for p in model.parameters() if p.grad is not None).grad.view(-1)[0] = float("nan")

    chosen = []

    def choose(model, terms, *args, **more):
        if (tmp_path / "run" / "checkpoints" / "step-00000001").exists():
            chosen.append(next(term.question_id for term in terms if term.weight))
        return real(model, terms, *args, **more)

    bad = ""
    monkeypatch.setattr(update, "accumulate_gradient", choose)
    run_training(settings.model_copy(update={"steps": 2}))
    bad = chosen[0]
    shutil.rmtree(tmp_path / "run")
    monkeypatch.setattr(update, "accumulate_gradient", planted)
    with pytest.raises(AurifyError, match=f"the gradient is not finite for {bad}; the weights are still"):
        run_training(settings)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000001"]
    assert isinstance(prepare(*load_model("nugget")), Tuned)


@pytest.mark.parametrize("answer", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_in_the_answers_of_a_question_file(answer, aurify, tmp_path):
    rows = "".join(f'{{"question": "q{n}", "answer": {n}}}\n' for n in range(5))
    (tmp_path / "data.jsonl").write_text(rows + f'{{"question": "bad", "answer": {answer}}}\n')
    done = aurify("check", tmp_path / "data.jsonl")
    assert "data.jsonl:6" in done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["rank", "vote"])
def test_in_the_log_probabilities_of_a_table(command, questions, table, aurify, tmp_path):
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    text = "".join(
        json.dumps({**row, "logprob": float("nan") if n % 2 else 1e308}) + "\n" for n, row in enumerate(rows)
    )
    (tmp_path / "rows.jsonl").write_text(text)
    words = ["rank", "--from", tmp_path / "rows.jsonl", "--out", tmp_path / "out"]
    if command == "vote":
        words = ["vote", tmp_path / "rows.jsonl", "--vote", "logprob"]
    done = aurify(*words, "--data", questions)
    assert done.status == 0 or done.error
    assert "nan" not in done.out.lower()
