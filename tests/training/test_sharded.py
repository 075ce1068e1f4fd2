"""Runs in several processes, each with a piece of the model or the whole of it, are the run of one process."""

import json
import shutil
from pathlib import Path

import pytest

from aurify.nugget import generate
from aurify.rationales import read_rationales

RANKS = Path(__file__).parents[1] / "support" / "ranks.py"
RUNS = {
    "trice": {"method": "trice", "memory": "none", "questions": 7, "steps": 4, "save_every": 2},
    "grpo": {"method": "grpo", "tuning": "lora", "questions": 3, "samples": 3, "lora_rank": 4},
    "star": {"method": "star", "questions": 1},  # one process has nothing to do
    "trice-likelihood": {"method": "trice-likelihood", "questions": 3, "gradient_checkpointing": True},
    "direct": {"method": "direct", "tuning": "prompt", "soft_prompt_init": "4", "questions": 3},
}
"""One of each kind: what is drawn, fitted, scored or given; full weights, LoRA, a soft prompt; uneven shares."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def folder(run_python, tmp_path_factory):
    """A folder with every run of one process (``one``) and of two (``two``), and one that is gone on with by one."""
    folder = tmp_path_factory.mktemp("ranks")
    counting = [
        {"id": question.id, "question": question.text, "answer": question.answer}
        for question in generate("object_counting", 12, seed=5)
    ]
    (folder / "counting.jsonl").write_text("".join(json.dumps(row) + "\n" for row in counting), encoding="utf-8")
    one, two = arguments(folder, "one"), arguments(folder, "two", fsdp="full_shard")
    run_all(run_python, folder, [{"processes": 1, "runs": one}, {"processes": 2, "runs": two}])
    return folder


def arguments(folder, way, names=tuple(RUNS), **more):
    common = {
        "model": "nugget", "data": str(folder / "counting.jsonl"), "holdout": 0, "max_new_tokens": 40, "steps": 2,
        "lr": 1e-4,
    }  # fmt: skip
    return [{**common, **RUNS[name], **more, "out": str(folder / way / name)} for name in names]


def run_all(run_python, folder, plan):
    path = folder / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    done = run_python(RANKS, path, timeout=900)
    assert done.returncode == 0, done.stderr


def weights(run):
    from safetensors.torch import load_file

    (newest,) = sorted((run / "checkpoints").glob("step-*"))[-1:]
    files = [*(run / "model").glob("*.safetensors"), newest / "weights.safetensors", newest / "optimizer.safetensors"]
    return {f"{file.name}/{name}": value for file in files for name, value in load_file(file).items()}


def rows(run):
    return [(row.token_ids, row.verdict, row.move, row.step) for row in read_rationales(run)]


def assert_same_run(one, other):
    """The same rationales and chains, and weights and moments that differ by the order of float additions alone.

    Adam makes a step of full length of a gradient however small, so that a few weights differ by more.
    """
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        apart = (theirs[name] - value).float()
        assert apart.norm() / apart.numel() ** 0.5 < 1e-6, name
        assert apart.abs().max() < 1e-4, name
    tables = [
        [(row.token_ids, row.verdict, row.move, row.step) for row in read_rationales(run)] for run in (one, other)
    ]
    assert tables[0] == tables[1]
    assert any('"updated": true' in line for line in (other / "metrics.jsonl").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_with_pieces_make_the_run_of_one(folder, name):
    assert_same_run(folder / "one" / name, folder / "two" / name)


def test_a_sharded_run_goes_on_in_one_process_and_the_other_way_round(run_python, folder):
    for source, to in (("two", "one-after-two"), ("one", "two-after-one")):
        gone_on = folder / to / "trice"
        shutil.copytree(folder / source / "trice", gone_on)
        shutil.rmtree(gone_on / "model")
        shutil.rmtree(gone_on / "checkpoints" / "step-00000004")
    alone = arguments(folder, "one-after-two", ["trice"], resume=True)
    shared = arguments(folder, "two-after-one", ["trice"], resume=True, fsdp="full_shard")
    run_all(run_python, folder, [{"processes": 1, "runs": alone}, {"processes": 2, "runs": shared}])
    for to in ("one-after-two", "two-after-one"):
        assert_same_run(folder / "one" / "trice", folder / to / "trice")


def test_one_process_says_that_there_is_nothing_to_share(folder, run_aurify):
    done = run_aurify(
        "train", "direct", "--model", "nugget", "--data", folder / "counting.jsonl", "--steps", "1", "--questions", "1",
        "--holdout", "0", "--max-new-tokens", "8", "--fsdp", "full_shard",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "--fsdp: nothing to share among one process" in done.stderr


def test_four_bits_are_refused(run_aurify):
    done = run_aurify(
        "train", "trice", "--model", "nugget", "--data", "no.jsonl", "--fsdp", "full_shard", "--quantize", "4bit"
    )
    assert done.returncode == 2
    assert "4-bit weights cannot be sharded" in done.stderr
