"""Whole runs on the real command line: what they leave, how they stop, how they go on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_server import Command
from ranks import environments

import aurify
from aurify.nugget import generate
from aurify.rationales import Memory, read_rationales

STEPS = 6


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    path = tmp_path_factory.mktemp("questions") / "counting.jsonl"
    rows = [
        {"id": question.id, "question": question.text, "answer": question.answer}
        for question in generate("object_counting", 24, seed=5)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def words(questions: Path, out: Path, *more: object) -> list[str]:
    return [
        "train", "trice", "--model", "nugget", "--data", str(questions), "--out", str(out), "--steps", str(STEPS),
        "--questions", "8", "--save-every", "2", "--holdout", "0.25", "--max-new-tokens", "120", "--memory", "guide",
        *map(str, more),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def finished(begin_aurify, questions, tmp_path_factory):
    """A run that was never stopped."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    done = begin_aurify(*words(questions, out)).communicate()
    assert (out / "model").is_dir(), done
    return out


def steps_written(out: Path) -> int:
    path = out / "metrics.jsonl"
    return sum("acceptance" in line for line in path.read_text().splitlines()) if path.exists() else 0


def stop(process: Command, out: Path, number: int, after: int) -> tuple[Command, str]:
    """Send a signal to a run that has written more than ``after`` steps; the ended process and its standard error."""
    while steps_written(out) <= after and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate()
    return process, errors


def result(out: Path) -> dict[str, object]:
    """Everything of a run that must not depend on when it was stopped, killed or resumed."""
    metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    for line in metrics:
        del line["timing"]
    (checkpoint,) = (out / "checkpoints").glob(f"step-*{STEPS}")
    return {
        "weights": hashlib.sha256((out / "model" / "model.safetensors").read_bytes()).hexdigest(),
        "optimizer": hashlib.sha256((checkpoint / "optimizer.safetensors").read_bytes()).hexdigest(),
        "memory": Memory.read(checkpoint / "state").chains(),
        "metrics": metrics,
        "rationales": list(read_rationales(out)),
        "held out": list(read_rationales(out / "held_out")),
    }


def test_a_run_leaves_model_table_metrics_checkpoints_and_config(finished):
    metrics = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in metrics if "acceptance" in line] == list(range(1, STEPS + 1))
    assert [line["step"] for line in metrics if "held_out" in line] == [0, STEPS]
    rows = list(read_rationales(finished))
    proposals = [row for row in rows if row.source == "self"]
    assert len(proposals) == STEPS * 8
    assert {row.right for row in proposals} == {True, False}, "both right and wrong proposals are kept"
    guides = [row for row in rows if row.source == "guide"]
    assert {row.question_id for row in guides} == {row.question_id for row in rows}, "every chain starts with a guide"
    for question in {row.question_id for row in guides}:
        tries = [row.right for row in guides if row.question_id == question]
        assert True not in tries[:-1], "a question is guided again only while its chain is not valid"
    right = [(row.question_id, row.step) for row in rows if row.right]
    for row in proposals:
        valid = any(question == row.question_id and step < row.step for question, step in right)
        guided = any((guide.question_id, guide.step) == (row.question_id, row.step) for guide in guides)
        assert guided != valid, "and again at every visit until it is"
    assert len(list((finished / "checkpoints").iterdir())) == 2
    assert 'method = "trice"' in (finished / "config.toml").read_text()
    assert "before:" in (finished / "model" / "README.md").read_text()


def test_the_model_loads_with_transformers_alone_and_has_learned(finished):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from aurify import nugget

    tuned = AutoModelForCausalLM.from_pretrained(finished / "model")
    base = AutoModelForCausalLM.from_pretrained(nugget.path())
    assert AutoTokenizer.from_pretrained(finished / "model").eos_token_id is not None
    changed = [not torch.equal(a, b) for a, b in zip(tuned.parameters(), base.parameters(), strict=True)]
    assert all(changed)


@pytest.mark.parametrize("kill_after", [0, 3])
def test_a_killed_run_resumed_equals_one_never_stopped(begin_aurify, finished, questions, tmp_path, kill_after):
    out = tmp_path / "killed"
    stop(begin_aurify(*words(questions, out)), out, signal.SIGKILL, kill_after)
    assert not (out / "model").exists(), "the run was killed too late to prove anything"
    resumed = begin_aurify(*words(questions, out, "--resume"))
    _, errors = resumed.communicate()
    assert resumed.returncode == 0, errors
    assert ("resumed from" in errors) == (kill_after == 3)
    assert result(out) == result(finished)


def test_sigterm_saves_and_says_how_to_go_on(begin_aurify, finished, questions, tmp_path):
    out = tmp_path / "stopped"
    process, errors = stop(begin_aurify(*words(questions, out)), out, signal.SIGTERM, 0)
    assert process.returncode == 1
    last = errors.strip().splitlines()[-1]
    assert "stopped after step" in last
    assert "Traceback" not in errors
    command = last.partition("go on with: aurify ")[2].split()
    again = begin_aurify(*command)
    assert again.wait() == 0
    assert result(out) == result(finished)


def test_a_damaged_checkpoint_is_left_out_for_the_one_before(begin_aurify, finished, questions, tmp_path):
    out = tmp_path / "damaged"
    stop(begin_aurify(*words(questions, out)), out, signal.SIGKILL, 4)
    newest = sorted((out / "checkpoints").glob("step-*"))[-1]
    weights = newest / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9] + b"corrupted")
    resumed = begin_aurify(*words(questions, out, "--resume"))
    _, errors = resumed.communicate()
    assert resumed.returncode == 0
    assert "checkpoint left out" in errors
    assert result(out) == result(finished)


def test_two_processes_make_the_same_run(finished, questions, tmp_path):
    """World size changes nothing but the order of float additions."""
    import torch
    from safetensors.torch import load_file

    out = tmp_path / "two"
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "aurify",
         *words(questions, out)], capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    alone, shared = result(finished), result(out)
    assert [row.text for row in shared["rationales"]] == [row.text for row in alone["rationales"]]
    one, two = (load_file(folder / "model" / "model.safetensors") for folder in (finished, out))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-4, rtol=1e-3)


def test_two_processes_move_chains_alike(begin_aurify, questions, tmp_path):
    runs = []
    for n in (1, 2):
        arguments = words(questions, tmp_path / str(n), "--moves", "mixed", "--memory", "none", "--holdout", 0)
        for process in [begin_aurify(*arguments, env=environment) for environment in environments(n)]:
            _, errors = process.communicate()
            assert process.returncode == 0, errors
        runs.append([(row.token_ids, row.move, row.cut) for row in read_rationales(tmp_path / str(n))])
    assert runs[0] == runs[1]
    assert {move for _, move, _ in runs[0]} == {"suffix", "independent"}


@pytest.mark.parametrize("budget", [200])
def test_the_token_budget_changes_nothing(begin_aurify, finished, questions, tmp_path, budget):
    import torch
    from safetensors.torch import load_file

    out = tmp_path / "small"
    assert begin_aurify(*words(questions, out, "--token-budget", budget)).wait() == 0
    assert [row.text for row in read_rationales(out)] == [row.text for row in read_rationales(finished)]
    one, two = (load_file(folder / "model" / "model.safetensors") for folder in (finished, out))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("method", ["rejection", "rloo", "grpo", "incorrect-only"])
def test_every_method_by_its_word(begin_aurify, questions, tmp_path, method):
    arguments = words(questions, tmp_path / method, "--steps", 1, "--questions", 4, "--holdout", 0, "--memory", "auto")
    process = begin_aurify("train", method, *arguments[2:])
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    drawn = list(read_rationales(tmp_path / method))
    assert {row.source for row in drawn} == {"self"}
    assert len(drawn) == 4 * (8 if method == "grpo" else 4)


@pytest.mark.parametrize("tuning", ["lora", "prompt"])
def test_adapters_are_peft_folders(begin_aurify, questions, tmp_path, tuning):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from aurify import nugget

    out = tmp_path / tuning
    few = ("--steps", 2, "--tuning", tuning, "--eval-limit", 2)
    process = begin_aurify(*words(questions, out, *few))
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(nugget.path()), out / "model")
    assert model.active_peft_config.peft_type.value == {"lora": "LORA", "prompt": "PROMPT_TUNING"}[tuning]


def test_a_folder_in_use_is_refused_and_kept(finished, questions, run_aurify):
    before = (finished / "metrics.jsonl").read_bytes()
    again = run_aurify(*words(questions, finished, "--model", "no/such"))  # a model that is not looked for before
    assert again.returncode == 2
    assert "--resume" in again.stderr
    assert "Traceback" not in again.stderr
    assert (finished / "metrics.jsonl").read_bytes() == before


def test_without_out_the_next_free_folder_is_taken(questions, tmp_path, run_aurify):
    few = [
        word
        for word in words(questions, tmp_path, "--steps", 1, "--holdout", 0)
        if word not in ("--out", str(tmp_path))
    ]
    for name in ("trice-counting", "trice-counting-2"):
        done = run_aurify(*few)
        assert done.returncode == 0, done.stderr
        assert f"runs/{name}/model" in done.stdout
        assert (tmp_path / "runs" / name / "model" / "config.json").is_file()


def test_a_resumed_run_keeps_its_settings(finished, questions, run_aurify):
    again = run_aurify(*words(questions, finished, "--resume", "--lr", "0.5"))
    assert again.returncode == 2
    assert "lr was None and is now 0.5" in again.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--model", "no/such"], "no/such"), (["--estimator", "basik"], "basic"), (["--steps", "0"], "--steps"),
        (["--memory", "table"], "--memory-from"), (["--lora-targets", "nope", "--tuning", "lora"], "nope"),
        (["--track", "wandb"], "--track wandb"), (["--soft-prompt-init", "no/file"], "no/file"),
        (["--max-new-tokens", "5000"], "5000"), (["--holdout", "0.99"], "--holdout"),
    ],
)  # fmt: skip
def test_bad_settings_are_one_line(questions, tmp_path, run_aurify, change, says):
    done = run_aurify(*words(questions, tmp_path / "bad", *change))
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert says in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_a_model_without_attention(tmp_path, tuning):
    """Mamba has no heads to predict memory by, and PEFT adapts all its linear layers but one."""
    from transformers import MambaConfig, MambaForCausalLM

    from aurify.models import load_model
    from aurify.training.run import run_training
    from aurify.training.settings import TrainSettings

    tokenizer = load_model("nugget").tokenizer
    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    config = MambaConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, state_size=4, **ids)
    MambaForCausalLM(config).save_pretrained(tmp_path / "mamba")
    tokenizer.save_pretrained(tmp_path / "mamba")
    questions = generate("object_counting", 4, seed=1)
    settings = TrainSettings(
        method="grpo", model=str(tmp_path / "mamba"), data="q.jsonl", out=str(tmp_path / "run"), steps=1, questions=2,
        max_new_tokens=4, tuning=tuning, profile=True,
    )  # fmt: skip
    run = run_training(settings, questions=questions[:2], held_out=questions[2:])
    load_model(str(run.model))


def test_the_attention_that_is_adapted_by_itself():
    from torch import nn

    from aurify.errors import UsageError
    from aurify.models.lora import lora_targets

    for names, found in ((["q_proj", "v_proj", "o_proj"], ["q_proj", "v_proj"]), (["qkv_proj"], ["qkv_proj"])):
        assert lora_targets(nn.ModuleDict({name: nn.Linear(1, 1) for name in names}), ()) == found
    with pytest.raises(UsageError, match="--lora-targets"):
        lora_targets(nn.ModuleDict({"in_proj": nn.Linear(1, 1)}), ())


def test_without_a_limit_rationales_fit_behind_hints_held_out_questions_and_the_soft_prompt(
    questions, tiny_model_dir, tmp_path
):
    few = tmp_path / "few-positions"
    shutil.copytree(tiny_model_dir, few)
    config = json.loads((few / "config.json").read_text())
    (few / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 480}))
    aurify.train(
        "trice", model=few, data=questions, out=tmp_path / "out", steps=1, questions=18, memory="guide",
        tuning="prompt", soft_prompt_init="20", prompt="plain", target_kl=None,
    )  # fmt: skip
    limit = json.loads((tmp_path / "out" / "prompt.json").read_text())["max_new_tokens"]
    assert 64 <= limit < 256
    drawn = read_rationales(tmp_path / "out")
    assert {row.source for row in drawn} == {"guide", "self"}
    assert max(len(row.token_ids) for row in drawn) == limit, "an untaught model writes on to the limit"
