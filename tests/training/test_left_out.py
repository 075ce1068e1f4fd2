"""What is neither right nor wrong is kept in the table, and nothing learns from it or counts it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aurify.answers import Verdict
from aurify.distillation.examples import choose
from aurify.errors import UsageError
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.nugget import generate
from aurify.questions import Question
from aurify.rationales import Rationale, read_rationales
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings

FUNCTIONS = """
def vowels(completions, **columns):
    return [None if len(one) % 3 == 0 else sum(one.count(x) for x in "aeiou") / len(one) for one in completions]

def nothing(completions, **columns):
    return [None for _ in completions]
"""
LIES = generate("web_of_lies", 12, seed=5)
ASKED = [replace(one, answer="", columns=json.dumps({"question": one.text})) for one in LIES]


@pytest.fixture(autouse=True)
def functions(tmp_path, monkeypatch):
    (tmp_path / "left_out_rewards.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))


def asked(function: str) -> list[Question]:
    return [replace(one, answer_type=f"left_out_rewards:{function}") for one in ASKED]


def settings(out: Path, method: str, **more: object) -> TrainSettings:
    judged = {"answers": "left_out_rewards:vowels", "reward_threshold": 0.25}
    given = {"steps": 2, "questions": 6, "max_new_tokens": 60, "save_every": 2, **judged, **more}
    return TrainSettings(**{"method": method, "model": "nugget", "data": "d", "out": str(out), **given})


@pytest.mark.parametrize("method", ["trice", "rloo", "rest-em"])
def test_a_run_learns_from_the_judged_ones_alone(method, tmp_path):
    out = tmp_path / "run"
    run_training(settings(out, method), questions=asked("vowels")[:8], held_out=asked("vowels")[8:])
    rows = [one for one in read_rationales(out) if one.verdict is not Verdict.TRUNCATED]
    assert {(one.score is None) == one.left_out for one in rows} == {True}
    assert {one.verdict for one in rows} >= {Verdict.LEFT_OUT, Verdict.WRONG}
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    first = next(line for line in lines if line["step"] == 1 and "verdicts" in line)
    mine = [
        one.score for one in read_rationales(out) if one.step == 1 and one.source == "self" and one.score is not None
    ]
    assert first["reward"] == pytest.approx(sum(mine) / len(mine))
    held = next(line for line in lines if "held_out" in line)
    left_out = held["held_out_verdicts"].get("left-out", 0)
    assert held["held_out"]["n"] == sum(held["held_out_verdicts"].values()) - left_out


def test_a_step_of_none_changes_nothing(tmp_path):
    told = {"steps": 1, "answers": "left_out_rewards:nothing"}
    run_training(settings(tmp_path / "run", "rloo", **told), questions=asked("nothing"), held_out=[])
    (line,) = [json.loads(one) for one in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert line["updated"] is False
    assert "reward" not in line


@pytest.mark.parametrize(
    ("method", "more", "message"),
    [
        ("trice", {"memory": "guide"}, "--memory guide, which tells the answer in the prompt, needs gold answers"),
        ("trice-likelihood", {}, "trice-likelihood needs gold answers"),
        ("star", {}, "star needs gold answers"),
        ("direct", {}, "direct needs gold answers"),
        ("cot", {}, "cot without gold rationales, which a guide would write, needs gold answers"),
    ],
)
def test_what_needs_a_gold_answer_is_refused_in_a_line(method, more, message, tmp_path):
    with pytest.raises(UsageError, match=message) as refused:
        run_training(settings(tmp_path / "run", method, **more), questions=asked("vowels"), held_out=[])
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_an_evaluation_counts_what_was_judged_and_says_so(tmp_path):
    said: list[str] = []
    given = {"model": "nugget", "data": "d", "samples": 2, "max_new_tokens": 60, "out": str(tmp_path / "e"),
             "answers": "left_out_rewards:vowels", "reward_threshold": 0.25}  # fmt: skip
    found = run_evaluation(EvaluateSettings(**given), questions=asked("vowels"), say=said.append)
    greedy, samples = (read_rationales(tmp_path / "e" / name) for name in ("greedy", "samples"))
    kept = [one for one in greedy if not one.left_out]
    assert 0 < len(kept) < len(ASKED)
    assert found.overall.scores["greedy"].accuracy == pytest.approx(sum(one.right for one in kept) / len(kept))
    without = {one.question_id for one in samples if one.left_out}
    counted = [one for one in samples if one.question_id not in without]
    assert 0 < len(without) < len(ASKED)
    assert found.overall.scores["sampled"].accuracy == pytest.approx(sum(one.right for one in counted) / len(counted))
    assert set(found.overall.scores) == {"greedy", "sampled", "pass@1", "pass@2"}, "nobody votes"
    told = f"{len(ASKED) - len(kept)} greedy rationales are neither right nor wrong (left-out), and not counted"
    assert told in said
    with pytest.raises(UsageError, match="--vote sc: a vote compares answers"):
        run_evaluation(EvaluateSettings(**{**given, "out": None, "vote": "sc"}), questions=asked("vowels"))


def test_a_negative_is_never_one_of_them(tiny_model_dir):
    from aurify.models.load import load_tokenizer
    from aurify.questions import PromptTemplate

    tokenizer = load_tokenizer(str(tiny_model_dir))
    rows = [
        Rationale("q", (65,), "A", None, verdict, "", "self", "m", 0, 0, 0, "stop", None)
        for verdict in (Verdict.LEFT_OUT, Verdict.UNPARSABLE)
    ]
    found = choose(rows, {"q": (66,)}, tokenizer, PromptTemplate.named("plain"), negatives="all")
    assert (len(found.examples), found.left_out) == (1, {"left-out": 1})
