"""Every method by its word, in whole small runs on the embedded model."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import aurify
from aurify import nugget
from aurify.comparison.runs import read_finished_run
from aurify.errors import AurifyError, UsageError
from aurify.methods import METHODS, Trice
from aurify.models import load_model
from aurify.models.logprobs import sequence_logprobs
from aurify.nugget import generate
from aurify.questions import Prompts, PromptTemplate
from aurify.rationales import Memory, read_rationales
from aurify.running.budget import Budget
from aurify.running.progress import Quiet
from aurify.settings import resolve
from aurify.training import update
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings

WORDS = METHODS.words()
QUESTIONS = generate("web_of_lies", 12, seed=5)


def train(out: Path, method: str, **more: object) -> Path:
    settings = {"steps": 2, "questions": 6, "max_new_tokens": 80, "holdout": 0.2, "save_every": 2, **more}
    aurify.train(method, model="nugget", data=QUESTIONS, out=out, **settings)
    return out


def metrics(out: Path) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "updated" in line]


@pytest.mark.parametrize("method", [word for word in WORDS if word not in ("trice", "prompting")])
def test_a_method_trains_by_its_word(method, tmp_path):
    first, second = metrics(train(tmp_path / "run", method))
    assert first["updated"] or second["updated"]
    assert set(first["timing"])
    counted = [row for row in read_rationales(tmp_path / "run") if row.source not in ("gold", "teacher")]
    assert first["samples"] + second["samples"] == len(counted)
    assert first["generated_tokens"] + second["generated_tokens"] == sum(len(row.token_ids) for row in counted)


@pytest.mark.parametrize(
    ("bound", "looks"), [({}, [1, 2, 3, 4, 5, 6]), ({"lr": 1e-4}, [1, 6]), ({"lr": 1e-4, "target_kl": 0.1}, None)]
)
def test_a_rate_that_is_given_bounds_nothing_and_is_looked_at_now_and_then(bound, looks, tmp_path):
    steps = metrics(train(tmp_path / "run", "rloo", steps=6, questions=3, max_new_tokens=40, holdout=0, **bound))
    looks = looks or [1, 2, 3, 4, 5, 6]
    updated = [step for step in steps if step["updated"]]
    assert len(updated) > 3
    assert [step["step"] for step in updated if "raised" in step or "kl" in step] == [
        step["step"] for step in updated if step["step"] in looks
    ]
    assert any("kl_bound" in step for step in steps) == (bound != {"lr": 1e-4})
    if bound == {"lr": 1e-4}:
        assert steps[0]["learning_rate"] == 1e-4


@pytest.mark.parametrize(
    ("method", "more"), [("star", {"refits": 0}), ("star", {"refits": 1}), ("rest-em", {"refits": 1}), ("cot", {})]
)
def test_without_samples_of_the_present_model_no_divergence_is_told(method, more, tmp_path):
    settings = {"steps": 2, "questions": 6, "holdout": 0.2, "max_new_tokens": 60, **more}
    steps = metrics(train(tmp_path / "run", method, **settings))
    assert any(step["updated"] for step in steps)
    assert not any({"kl", "kl_bound"} & set(step) for step in steps)
    with pytest.raises(UsageError, match="--target-kl is measured on samples of the present model"):
        train(tmp_path / "other", method, **settings, target_kl=0.1)


def test_a_run_whose_rate_falls_to_nothing_ends_well(tmp_path):
    steps = metrics(train(tmp_path / "run", "trice", steps=3, questions=6, lr_final=0.0, memory="none"))
    assert steps[-1]["learning_rate"] == 0.0


def test_prompting_is_the_evaluation_of_the_model_as_it_stands(tmp_path):
    out = train(tmp_path / "run", "prompting")
    assert metrics(out) == []
    before = load_file(nugget.path() / "model.safetensors")
    after = load_file(out / "model" / "model.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in after)
    finished = read_finished_run(out)
    assert len(finished.right) == 2
    assert finished.cost == {"samples": 0, "tokens": 0, "seconds": 0}
    with pytest.raises(UsageError, match="--steps 0"):
        train(tmp_path / "none", "trice", steps=0)


def test_cot_takes_gold_rationales_where_there_are_some(tmp_path):
    written = [replace(question, rationale=f"So the answer is {question.answer}.") for question in QUESTIONS]
    settings = {"steps": 1, "questions": 6, "holdout": 0.2}
    aurify.train("cot", model="nugget", data=written, out=tmp_path / "gold", **settings)
    assert {row.source for row in read_rationales(tmp_path / "gold")} == {"gold"}
    aurify.train("cot", model="nugget", data=QUESTIONS, out=tmp_path / "guide", **settings)
    assert {row.source for row in read_rationales(tmp_path / "guide")} == {"guide"}


def test_a_method_without_memory_draws_no_first_rationales(tmp_path):
    out = train(tmp_path / "run", "rloo", memory="guide", samples=2, questions=4)
    assert [line["samples"] for line in metrics(out)] == [8, 8]


def test_what_memory_auto_tries_out_is_part_of_the_cost(tmp_path):
    out = train(tmp_path / "run", "trice", memory="auto", steps=1)
    rows = read_rationales(out)
    (line,) = metrics(out)
    assert line["samples"] == len(rows)
    tried = [row for row in rows if row.step == 0]
    assert len(tried) == 2 * 10, "ten training questions, with and without the guide"


@pytest.mark.parametrize("method", ["direct", "star", "trice"])
def test_a_budget_of_seconds_ends_every_method(method, tmp_path):
    settings = {"method": method, "model": "nugget", "data": "", "out": str(tmp_path / method), "steps": 4}
    run_training(resolve(TrainSettings, settings), questions=QUESTIONS, held_out=[], budget=Budget("seconds", 0.001))
    assert len(metrics(tmp_path / method)) == 1


def test_star_refits_the_base_and_goes_on_where_it_stopped(tmp_path):
    whole = train(tmp_path / "whole", "star", steps=5, refits=2, save_every=4)
    lines = metrics(whole)
    assert [line["step"] for line in lines if "kept" in line] == [1, 3]
    assert [line["samples"] > 0 for line in lines] == [True, False, True, False, False]
    sources = {(row.step, row.source) for row in read_rationales(whole)}
    assert {step for step, _ in sources} == {1, 3}
    assert (1, "guide") in sources, "a question that the model fails gets a hinted try"
    shutil.copytree(whole, tmp_path / "half")
    shutil.rmtree(tmp_path / "half" / "checkpoints" / "step-00000005")
    half = train(tmp_path / "half", "star", steps=5, refits=2, save_every=4, resume=True)
    assert [line["gradient_norm"] for line in metrics(half)] == [line["gradient_norm"] for line in lines]
    weights, again = (load_file(out / "model" / "model.safetensors") for out in (whole, half))
    assert all(bool((weights[name] == again[name]).all()) for name in weights)


def test_a_later_fit_begins_with_the_base_models_weights_and_a_fresh_optimiser(tmp_path):
    """Adam's first step is its rate at most in every coordinate, wherever the fits before have gone."""
    out = train(tmp_path / "run", "star", steps=4, refits=2, lr=1e-3, save_every=1)
    first, last = 1, 3
    assert [line["step"] for line in metrics(out) if "kept" in line] == [first, last]
    base = load_file(nugget.path() / "model.safetensors")
    (saved,) = (out / "checkpoints").glob(f"step-*{last}")
    weights, moments = (load_file(saved / f"{kind}.safetensors") for kind in ("weights", "optimizer"))
    moved = max(float((weights[name] - base[name]).abs().max()) for name in weights)
    assert moved == pytest.approx(metrics(out)[last - 1]["learning_rate"], rel=1e-3)
    assert {float(value) for key, value in moments.items() if key.endswith("/step")} == {1.0}


def test_a_wish_to_stop_breaks_off_the_first_gradient_of_a_later_fit(tmp_path, monkeypatch):
    settings = {"steps": 5, "refits": 2, "save_every": 10}
    whole = train(tmp_path / "whole", "star", **settings)
    accumulate, begun = update.accumulate_gradient, []

    def stopped_in_the_third(*given, **more):
        begun.append(1)
        if len(begun) == 3:  # the base's weights are there again
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError("it went on")
        return accumulate(*given, **more)

    monkeypatch.setattr(update, "accumulate_gradient", stopped_in_the_third)
    said = "stopped after step 2 and saved; go on with: the same call with resume=True"  # its questions are in no file
    with pytest.raises(AurifyError, match=said):
        train(tmp_path / "half", "star", **settings)
    monkeypatch.undo()
    half = train(tmp_path / "half", "star", **settings, resume=True)
    assert [line["gradient_norm"] for line in metrics(half)] == [line["gradient_norm"] for line in metrics(whole)]
    weights, again = (load_file(out / "model" / "model.safetensors") for out in (whole, half))
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_star_online_draws_at_every_step(tmp_path):
    lines = metrics(train(tmp_path / "run", "star", refits=0))
    assert all(line["samples"] >= 6 and "kept" not in line for line in lines)


def test_likelihood_chains_hold_the_known_answer(tmp_path):
    out = train(tmp_path / "run", "trice-likelihood", memory="none")
    chains = Memory.read(out / "checkpoints" / "step-00000002" / "state").chains()
    answers = {question.id: question.answer for question in QUESTIONS}
    held = [chain for chain in chains if chain.rationale is not None]
    assert held
    assert all(chain.rationale.text.endswith(f"So the answer is {answers[chain.question_id]}.") for chain in held)
    assert {row.verdict for row in read_rationales(out)} > {held[0].rationale.verdict}, "the table has what was drawn"


@pytest.mark.parametrize("moves", ["suffix", "mixed"])
def test_chains_move_by_new_ends_of_their_rationales(moves, tmp_path):
    settings = {"moves": moves, "memory": "none", "steps": 6, "questions": 8, "holdout": 0.0, "save_every": 3}
    whole = train(tmp_path / "whole", "trice", **settings)
    lines, rows = metrics(whole), list(read_rationales(whole))
    ends = [row for row in rows if row.move == "suffix"]
    assert ends
    assert {row.move for row in rows} == {"suffix", "independent"}
    assert sum(line["generated_tokens"] for line in lines) == sum(len(row.token_ids) - row.cut for row in rows)
    assert all(len(row.token_ids) <= 80 for row in rows)
    assert lines[0]["suffix_moves"] == 0, "no chain holds a rationale yet"
    by_step = {line["step"]: line["suffix_moves"] for line in lines}
    assert all(sum(row.step == step for row in ends) == 8 * by_step[step] for step in by_step)
    held = {}
    for row in rows:  # in the order of steps: what a chain held before is what its new end begins with
        if row.move == "suffix":
            assert row.token_ids[: row.cut] in {ids[: row.cut] for ids in held[row.question_id]}
        if row.right:
            held.setdefault(row.question_id, []).append(row.token_ids)
    saved = Memory.read(whole / "checkpoints" / "step-00000006" / "state")
    assert sum(chain.others for chain in saved.chains()) == len(ends)
    shutil.copytree(whole, tmp_path / "half")
    shutil.rmtree(tmp_path / "half" / "checkpoints" / "step-00000006")
    half = train(tmp_path / "half", "trice", **settings, resume=True)
    assert list(read_rationales(half)) == rows
    assert [line["gradient_norm"] for line in metrics(half)] == [line["gradient_norm"] for line in lines]


def test_a_rationale_beyond_the_limit_is_not_gone_on_from(tmp_path):
    """None that the model writes is as long, so no new end of one could be proposed from there back to it."""
    lengths = {"short": "So it is. ", "long": "So it is. " * 30}
    half = len(QUESTIONS) // 2
    written = [
        replace(question, rationale=f"{lengths['long' if i < half else 'short']}So the answer is {question.answer}.")
        for i, question in enumerate(QUESTIONS)
    ]
    settings = {"moves": "suffix", "memory": "gold", "steps": 2, "questions": len(written), "holdout": 0.0}
    aurify.train("trice", model="nugget", data=written, out=tmp_path, max_new_tokens=60, save_every=2, **settings)
    moves = {row.question_id: row.move for row in read_rationales(tmp_path) if row.step == 2 and row.source == "self"}
    first = {row.question_id: row for row in read_rationales(tmp_path) if row.step == 1 and row.right}
    assert {len(row.token_ids) > 60 for row in first.values()} == {True, False}
    for question, move in moves.items():
        held = [row for row in read_rationales(tmp_path) if row.question_id == question and row.step == 1 and row.right]
        fits = len(held[-1].token_ids) <= 60
        assert move == ("suffix" if fits else "independent")


def test_every_visit_of_a_question_and_every_step_has_a_seed_of_its_own(tmp_path, monkeypatch):
    """Or all new ends of a rationale would begin at one place of it, and all steps choose by the same uniforms."""
    kernel, e_step, of_visits, of_steps = Trice.kernel, Trice.e_step, [], []

    def noted_kernel(method, key, *given):
        of_visits.append(key)
        return kernel(method, key, *given)

    def noted_step(method, key, *given):
        of_steps.append(key)
        return e_step(method, key, *given)

    monkeypatch.setattr(Trice, "kernel", noted_kernel)
    monkeypatch.setattr(Trice, "e_step", noted_step)
    train(tmp_path / "run", "trice", moves="suffix", memory="none", questions=12, holdout=0.0, max_new_tokens=20)
    assert len(of_visits) == len(set(of_visits)) == 2 * 12
    assert len(of_steps) == len(set(of_steps)) == 2


def test_chains_are_proposed_what_the_model_writes_with_the_answer_in_its_prompt(tmp_path):
    settings = {"moves": "guide", "memory": "none", "steps": 4, "questions": 6, "holdout": 0.0, "save_every": 2}
    whole = train(tmp_path / "whole", "trice", **settings)
    lines, rows = metrics(whole), list(read_rationales(whole))
    hinted = [row for row in rows if row.move == "guide"]
    assert {row.source for row in hinted} == {"guide"}
    assert {(row.move, row.source) for row in rows} == {("guide", "guide"), ("independent", "self")}
    by_step = {line["step"]: line["guide_moves"] for line in lines}
    assert all(sum(row.step == step for row in hinted) == 6 * by_step[step] for step in by_step)
    loaded = load_model("nugget")
    prompts = Prompts(PromptTemplate.named("plain"), loaded.tokenizer)
    asked = {question.id: question for question in QUESTIONS}
    for row in [row for row in hinted if row.step == 1]:  # drawn by the base model
        both = [(prompts([asked[row.question_id]], hinted=told)[0], row.token_ids) for told in (True, False)]
        with torch.no_grad():
            told, alone = sequence_logprobs(loaded.model, both, pad_token_id=loaded.tokenizer.pad_token_id).tolist()
        assert row.logprob == pytest.approx(told, abs=1e-3)
        assert row.logprob != pytest.approx(alone, abs=1e-3)
    chains = Memory.read(whole / "checkpoints" / "step-00000004" / "state").chains()
    assert sum(chain.others for chain in chains) == len(hinted)
    assert any(chain.others_taken for chain in chains)
    shutil.copytree(whole, tmp_path / "half")
    shutil.rmtree(tmp_path / "half" / "checkpoints" / "step-00000004")
    half = train(tmp_path / "half", "trice", **settings, resume=True)
    assert list(read_rationales(half)) == rows
    assert [line["gradient_norm"] for line in metrics(half)] == [line["gradient_norm"] for line in lines]


def test_guided_weighs_its_draws_where_it_is_told_to(tmp_path):
    settings = {"samples": 4, "steps": 1, "questions": 8}
    runs = [train(tmp_path / word, "guided", correction=word, **settings) for word in ("none", "self-normalised")]
    (plain,), (weighed,) = map(metrics, runs)
    assert list(read_rationales(runs[0])) == list(read_rationales(runs[1])), "the same draws"
    assert 1 <= weighed["effective_draws"] < plain["effective_draws"]
    assert plain["gradient_norm"] != weighed["gradient_norm"]


def test_direct_tuning_learns_the_answers_alone(tmp_path):
    rows = list(read_rationales(train(tmp_path / "run", "direct")))
    assert {row.text for row in rows} <= {" Yes", " No"}
    assert all(row.source == "gold" and row.right for row in rows)


def test_cot_without_a_rationale_to_learn_from(tmp_path):
    with pytest.raises(AurifyError, match=r"cot: no training question has a right rationale .* --memory"):
        train(tmp_path / "run", "cot", memory="gold")


@pytest.mark.parametrize(("kind", "amount", "steps"), [("samples", 17, 3), ("tokens", 1, 1), ("seconds", 1e-9, 1)])
def test_a_budget_ends_a_run(kind, amount, steps, tmp_path):
    settings = TrainSettings(
        method="trice", model="nugget", data="(given)", out=str(tmp_path / "run"), steps=9, questions=6, memory="none",
        max_new_tokens=80, lr=1e-4, target_kl=0,
    )  # fmt: skip
    run_training(settings, questions=QUESTIONS, held_out=[], budget=Budget(kind, amount))
    lines = metrics(tmp_path / "run")
    assert len(lines) == steps
    assert (tmp_path / "run" / "model").is_dir()
    if kind == "samples":
        assert lines[-1]["learning_rate"] < lines[0]["learning_rate"] / 2, "the rate falls with the budget"


@pytest.mark.parametrize(("shared", "told"), [(12, []), (3, ["nothing of 9 of 12 training questions"])])
def test_a_table_that_lacks_training_questions_says_so(shared, told, tmp_path):
    class Told(Quiet):
        def __init__(self) -> None:
            self.said: list[str] = []

        def say(self, text: str) -> None:
            self.said.append(text)

    table, watcher = tmp_path / "table.jsonl", Told()
    rows = [
        {"id": i, "question": one.text, "text": f"So the answer is {one.answer}."}
        for i, one in enumerate(reversed(QUESTIONS[:shared]))
    ]  # ids of the log's own: the text tells which question
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    train(
        tmp_path / "run", "cot", memory="table", memory_from=str(table), holdout=0, steps=1, save_every=1,
        watcher=watcher,
    )  # fmt: skip
    assert [line for line in watcher.said if "--memory-from" in line] == [
        f"--memory-from {table}: {one}" for one in told
    ]
