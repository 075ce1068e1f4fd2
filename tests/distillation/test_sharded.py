"""A distillation in several processes, each with a piece of the model, is that of one process with the whole of it."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from aurify.nugget import generate
from aurify.rationales import read_rationales

SUPPORT = Path(__file__).parents[1] / "support"
RUNS = {
    "nat": {"method": "nat", "unit_width": 3},
    "linear": {"method": "nat", "unit_width": 3, "variant": "linear-value"},
    "random": {"method": "nat", "unit_width": 3, "variant": "random-negatives"},
    "cl": {"method": "cl"},
    "self-kd": {"method": "self-kd", "samples": 1},
    "nce": {"method": "nce", "samples": 1},
}
"""One of each kind: a unit that begins again, one with other first weights, negatives that are shuffled; scored
candidates; logits of a teacher that is the base, and of one that is a NAT model."""

pytestmark = pytest.mark.timeout(900)

CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import math
import os
import signal
import time
import torch
from aurify.distillation import stages
from aurify.pulse import heard_by
from aurify.running.interrupt import Interrupted
from collections import Counter
from functools import partial
from transformers import LlamaConfig, LlamaForCausalLM
from aurify.distillation.examples import Chosen, Example
from aurify.distillation.gradient import ExampleScorer, accumulate
from aurify.distillation.nce import KeptWeights, find_divergences, rationale_weights
from aurify.distillation.objectives import Weighted
from aurify.distillation.settings import DistillSettings
from aurify.distillation.stages import Builder
from aurify.distillation.task import Distillation, HeldOut
from aurify.errors import AurifyError
from aurify.models.lora import add_lora
from aurify.models.nat.model import NatConfig, adapters, add_nat
from aurify.models.sharding import join, named_pieces, own_piece, split, whole_tensor
from aurify.models.token_budget import TokenBudget
from aurify.running.world import World
from ranks import in_processes

METHOD = sys.argv[2]
PROMPTS = {"a": (3, 2, 5), "b": (4, 2), "c": (6,)}
EXAMPLES = [
    Example("a", (5, 6, 7), True), Example("a", (2, 8, 1, 1, 3), False), Example("b", (9, 9, 4, 2, 2, 1), True),
    Example("b", (7,), False), Example("c", (8, 3), False), Example("a", (1, 2), True), Example("c", (5, 5), True),
]


def tiny():
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=11, hidden_size=12, intermediate_size=10, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=3, tie_word_embeddings=True, max_position_embeddings=32,
    )
    model = LlamaForCausalLM(config).double().eval()
    if METHOD in ("nat", "nce"):
        model = add_nat(model, NatConfig(rank=2, width=3), seed=1)
    if METHOD != "nat":
        model = add_lora(model, adapter="student" if METHOD in ("nce", "self-kd") else "default", rank=2, alpha=4)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value += 0.1 * torch.randn_like(value)
    return model.eval()


def task(model, world, shards):
    settings = DistillSettings(
        method=METHOD, from_="x", model="x", data="x", rationales=3, epochs=2, out="x", lr=0.01, negative_weight=0.3,
        fsdp="full_shard",
    )
    scorer = ExampleScorer(model, PROMPTS, 0, TokenBudget(9))
    builder = Builder(settings, model, scorer, world, Chosen(EXAMPLES, Counter()))
    if METHOD in ("nce", "self-kd"):
        nat, neg = partial(adapters, model, "both"), partial(adapters, model, "neg")

        def weights(asked):
            if METHOD == "self-kd":
                return [torch.linspace(0.5, 1.4, len(one.token_ids)) for one in asked]
            return [rationale_weights(kl, by_token=True) for kl in find_divergences(scorer, asked, nat=nat, neg=neg)]

        teacher = "both" if METHOD == "nce" else "base"
        stages = [builder.distillation(KeptWeights(weights), teacher=teacher)]
    else:
        stages = builder.stages()
    return Distillation(
        settings, stages, scorer, None, None, world, lambda text: None, world.stop,
        held_out=HeldOut([], EXAMPLES), start_mode="base", peak_rate=0.01,
    )


def work():
    world, whole, model = World(), tiny(), tiny()
    world.shard(model)
    ours, theirs = task(model, world, True), task(whole, world, False)
    ours.turn_to(0), theirs.turn_to(0)
    for step in range(1, theirs.steps + 1):
        mine, other = ours.step(step).facts, theirs.step(step).facts
        assert mine.keys() == other.keys() and mine["loss"] == mine["loss"]
        for key in ("loss", "gradient_norm"):
            assert abs(mine[key] - other[key]) < 1e-10 * max(1, abs(other[key])), (step, key, mine, other)
        if step in theirs.ends:
            mine, other = (one.evaluate(step).facts["held_out_likelihood"] for one in (ours, theirs))
            assert all(abs(mine[key] - other[key]) < 1e-10 for key in other), (mine, other)
    for name, piece in named_pieces(model):
        wanted = whole.get_parameter(name)
        torch.testing.assert_close(whole_tensor(piece.detach()), wanted.detach(), rtol=1e-9, atol=1e-10, msg=name)
        assert own_piece(piece).numel() < wanted.numel(), name
    join(model)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter, whole.get_parameter(name), rtol=1e-9, atol=1e-10, msg=name)
    moved = [n for n, p in whole.named_parameters() if not torch.equal(p, dict(tiny().named_parameters())[n])]
    assert moved and all("lora_" in name or ".unit." in name for name in moved)
    split(model)
    if METHOD == "nce":
        return  # whose student learns in a mode of its own
    ours.turn_to(0)  # what a finished distillation shows is another mode, in which nothing learns
    bad = [Weighted(one, math.inf if one.question_id == "c" and world.main else 0.1) for one in EXAMPLES]
    try:
        world.map(lambda mine: [accumulate(ours.scorer, mine)], bad)
    except AurifyError as error:  # in both, though one process alone found it, at its first pass
        assert "the loss is not finite for c" in str(error)
    else:
        raise AssertionError
    stopped_between_passes(ours, model, world)
    stopped(theirs, world)


def stopped_between_passes(ours, model, world):
    # in pieces it breaks the gradient off before a pass, the same one in both
    passes, before = [], {name: own_piece(piece.detach()).clone() for name, piece in named_pieces(model)}

    def ask(sign):
        passes.extend([sign] * (sign == "pass"))
        if len(passes) == 2 and world.main:
            os.kill(os.getpid(), signal.SIGTERM)

    with world.stop, world.ending_together(), heard_by(ask):
        try:
            ours.step(2)
        except Interrupted:
            assert len(passes) == 2
        else:
            raise AssertionError
    world.stop.asked = False
    assert all(torch.equal(own_piece(piece.detach()), before[name]) for name, piece in named_pieces(model))


def stopped(whole, world):
    # a wish to stop at one process breaks the gradient off in both, where each has the whole model
    def without_end(*given, **more):
        if world.main:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(300)

    stages.accumulate = stages.nce.accumulate_distillation = without_end
    begun = time.monotonic()
    with world.stop, world.ending_together():
        try:
            whole.step(2)
        except Interrupted:
            assert time.monotonic() - begun < 150
        else:
            raise AssertionError


sys.exit(not in_processes(2, work))
"""


@pytest.mark.parametrize("method", ["nat", "cl", "ul", "nce", "self-kd"])
def test_in_double_precision_the_stages_are_those_of_whole_weights(run_python, method):
    done = run_python("-c", CODE, SUPPORT, method, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def folder(run_python, tmp_path_factory, tiny_model_dir):
    """A folder with every distillation of one process (``one``) and of two with pieces (``two``)."""
    folder = tmp_path_factory.mktemp("distilled")
    counting = generate("object_counting", 10, seed=5)
    rows = [{"id": question.id, "question": question.text, "answer": question.answer} for question in counting]
    write_lines(folder / "counting.jsonl", rows)
    texts = [
        {"question_id": question.id, "text": f"{n} of {i}. The answer is {answer}."}
        for i, question in enumerate(counting)
        for n, answer in enumerate((question.answer, "77", question.answer))
    ]
    write_lines(folder / "texts.jsonl", texts)
    one, two = (arguments(folder, tiny_model_dir, way) for way in ("one", "two"))
    run_all(run_python, folder, [{"processes": 1, "runs": one}, {"processes": 2, "runs": two}])
    return folder


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def arguments(folder, model, way, names=tuple(RUNS), **more):
    common = {
        "model": str(model), "data": str(folder / "counting.jsonl"), "from_": str(folder / "texts.jsonl"),
        "holdout": 0.3, "max_new_tokens": 12, "steps": 3, "rationales": 5, "lora_rank": 2, "save_every": 2,
        "lr": 1e-3, "fsdp": "none" if way == "one" else "full_shard",
    }  # fmt: skip
    found = [{**common, **RUNS[name], **more, "out": str(folder / way / name)} for name in names]
    for run in found:
        if run["method"] == "nce":
            run["model"] = str(folder / "one" / "nat" / "model")
    return found


def run_all(run_python, folder, plan):
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    done = run_python(SUPPORT / "ranks.py", folder / "plan.json", timeout=900)
    assert done.returncode == 0, done.stderr


def weights(run):
    (newest,) = sorted((run / "checkpoints").glob("step-*"))[-1:]
    files = [*(run / "model").rglob("*.safetensors"), newest / "weights.safetensors"]
    found = {f"{file.relative_to(run)}/{name}": value for file in files for name, value in load_file(file).items()}
    assert len(files) > 1
    return found


def assert_same_run(one, other):
    """The same rationales, and weights that differ by the order of float additions alone (Adam enlarges some)."""
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        apart = (theirs[name] - value).float()
        assert apart.norm() / apart.numel() ** 0.5 < 1e-5, name
    tables = [[(row.question_id, row.text, row.verdict) for row in read_rationales(run)] for run in (one, other)]
    assert tables[0] == tables[1]
    files = [{path.name for path in (run / "model").rglob("*")} for run in (one, other)]
    assert files[0] == files[1]


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_with_pieces_make_the_run_of_one(folder, name):
    assert_same_run(folder / "one" / name, folder / "two" / name)


def test_a_sharded_distillation_goes_on_in_one_process_and_the_other_way_round(run_python, folder, tiny_model_dir):
    again = {}
    for source, to in (("two", "one"), ("one", "two")):
        gone_on = folder / f"{to}-after-{source}"
        shutil.copytree(folder / source / "nat", gone_on / "nat")
        shutil.rmtree(gone_on / "nat" / "model")
        shutil.rmtree(gone_on / "nat" / "checkpoints" / "step-00000006")
        again[to] = arguments(folder, tiny_model_dir, to, ["nat"], resume=True, out="")
        again[to][0]["out"] = str(gone_on / "nat")
    run_all(run_python, folder, [{"processes": 1, "runs": again["one"]}, {"processes": 2, "runs": again["two"]}])
    assert_same_run(folder / "one" / "nat", folder / "one-after-two" / "nat")
    assert_same_run(folder / "one" / "nat", folder / "two-after-one" / "nat")
