"""The example of a sampler from outside, in every command that samples."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from distribution import installed

from aurify import nugget
from aurify.models import load_model
from aurify.rationales import read_rationales
from aurify.sampling import LocalSampler, Occasion, Prompt

EXAMPLES = Path(__file__).parents[2] / "examples"
OWN = ("--sampler", "own_sampler:Generate")


@pytest.fixture
def words(tmp_path):
    file = tmp_path / "questions.jsonl"
    rows = [{"question": one.text, "answer": one.answer} for one in nugget.generate("web_of_lies", 5, seed=1)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ("--model", "nugget", "--data", file, "--max-new-tokens", 30)


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import own_sampler

    yield own_sampler
    sys.modules.pop("own_sampler")


def test_train(run_aurify, words, tmp_path):
    short = ("--steps", 1, "--questions", 3, "--holdout", 0, "--samples", 2, "--out", "run")
    done = run_aurify("train", "rloo", *words, *OWN, *short, path=[EXAMPLES])
    assert done.returncode == 0, done.stderr
    assert "exact" not in done.stderr
    config = (tmp_path / "run" / "config.toml").read_text()
    assert 'sampler = "own_sampler:Generate"\n' in config
    assert "top_p = 1.0\n" in config
    assert "sample_dtype" not in config
    assert len(read_rationales(tmp_path / "run")) == 6


def test_sample_and_evaluate_from_the_table(run_aurify, words, tmp_path):
    done = run_aurify("sample", *words, *OWN, "--top-p", 0.5, "--samples", 2, "--out", "drawn", path=[EXAMPLES])
    assert done.returncode == 0, done.stderr
    assert "samples are cut to 0.5 of the probability: not exact ones" in done.stderr
    assert len(read_rationales(tmp_path / "drawn")) == 10


def test_a_distribution_brings_a_sampler_under_a_word(run_aurify, words, tmp_path):
    points = {"generate": "own_sampler:Generate", "lost": "gone:Sampler"}
    modules = {"own_sampler": (EXAMPLES / "own_sampler.py").read_text()}
    site = installed(tmp_path / "site", "aurify.samplers", points, modules)
    sample = ("sample", *words, "--samples", 1, "--out", "drawn")
    done = run_aurify(*sample, "--sampler", "generate", "--top-p", 0.5, path=[site])
    assert done.returncode == 0, done.stderr
    assert len(read_rationales(tmp_path / "drawn")) == 5
    lost = run_aurify(*sample, "--sampler", "lost", path=[site])
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert "aurify.samplers entry point gone:Sampler raised ModuleNotFoundError" in lost.stderr
    listed = run_aurify("sample", "--help", path=[site])
    assert listed.returncode == 0, listed.stderr
    assert "cannot be loaded" in listed.stdout


def test_evaluate(run_aurify, words, tmp_path):
    ours = run_aurify("evaluate", *words, *OWN, "--json", "ours.json", "--out", "ours", path=[EXAMPLES])
    assert ours.returncode == 0, ours.stderr
    local = run_aurify("evaluate", *words, "--json", "local.json", "--out", "local", path=[EXAMPLES])
    assert local.returncode == 0, local.stderr
    texts = [[row.text for row in read_rationales(tmp_path / name / "greedy")] for name in ("ours", "local")]
    assert texts[0] == texts[1], "greedy rationales are the model's, whoever draws"


def test_distill(run_aurify, words, tmp_path):
    table = tmp_path / "table.jsonl"
    answers = [json.loads(line) for line in Path(words[3]).read_text().splitlines()]
    table.write_text(
        "".join(
            json.dumps({"question": row["question"], "rationale": f" So the answer is {row['answer']}."}) + "\n"
            for row in answers
        )
    )
    short = ("--from", table, "--steps", 1, "--rationales", 2, "--holdout", 0.4, "--out", "run")
    done = run_aurify("distill", "kd", *words, *OWN, *short, path=[EXAMPLES])
    assert done.returncode == 0, done.stderr
    assert 'sampler = "own_sampler:Generate"\n' in (tmp_path / "run" / "config.toml").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("train", "rloo", "--top-p", 0.5), "unknown option --top-p"),
        (("evaluate", "--top-p", 0.5), "unknown option --top-p"),
        (("evaluate", *OWN, "--top-p", 2), "--top-p '2': input should be less than or equal to 1"),
        (
            ("evaluate", *OWN, "--vllm-url", "http://x"),
            "--vllm-url means nothing for own_sampler:Generate, only for vllm",
        ),
        (("evaluate", "--sampler", "own_sampler:GenerateSampler"), "--sampler 'own_sampler:GenerateSampler': it is no"),
        (("sample", "--sampler", "vlm", "--out", "o"), "--sampler 'vlm': did you mean 'vllm'? (known: local, vllm)"),
        (
            ("sample", *OWN, "--api", "http://127.0.0.1:1/v1", "--out", "o"),
            "--sampler own_sampler:Generate draws from a",
        ),
        (("distill", "kd", "--sampler", "vllm", "--from", "t"), "--sampler vllm: it can follow full weights and LoRA"),
        (
            ("train", "rloo", "--sampler", "vllm", "--tuning", "prompt"),
            "--sampler vllm: it can follow full weights and",
        ),
        (("train", "rloo", "--vllm-url", "http://x"), "--vllm-url means nothing for local, only for vllm"),
    ],
)
def test_wrong_usage_is_one_line(words, line, capsys, monkeypatch, module):
    from aurify.cli.app import build, exit_status

    given = [*map(str, words), "--model", "nugget", "--data", "d.jsonl"]
    assert exit_status(build, given) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"aurify: {line}")
    assert err.count("\n") == 1


def test_help_shows_its_settings(capsys, module):
    from aurify.cli.app import build, exit_status

    assert exit_status(build, ["evaluate", *OWN, "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Sampler own_sampler:Generate. transformers' own generate" in out
    assert "--top-p NUMBER" in out
    assert "--vllm-url" not in out
    assert exit_status(build, ["train", "trice", "--help"]) == 0
    out = capsys.readouterr().out
    assert "--sample-dtype" in out
    assert "--vllm-url" not in out


def test_it_keeps_the_contract_of_a_sampler(module):
    """Seeded, told of, cut at a stop string, with the log-probabilities of the model: as the local sampler's."""
    loaded = load_model("nugget")
    ids = tuple(loaded.tokenizer("Question: 1 + 1?", add_special_tokens=False)["input_ids"])
    prompts = [Prompt(ids, (1, 2)), Prompt(ids[:3], (1,))]
    told = []
    with module.Generate().of_model(loaded.model, loaded.tokenizer, Occasion("nugget")) as sampler:
        drawn = sampler.sample(prompts, max_new_tokens=12, on_completion=lambda *pair: told.append(pair))
        assert drawn == sampler.sample(prompts, max_new_tokens=12)
        assert told == [(index, one) for index, row in enumerate(drawn) for one in row]
        assert drawn[0][0] != drawn[0][1]
        greedy = sampler.sample(prompts, max_new_tokens=12, temperature=0)
        word = greedy[0][0].text[4:8]
        (cut, _), _ = sampler.sample(prompts, max_new_tokens=12, temperature=0, stop=[word])
    local = LocalSampler(loaded.model, loaded.tokenizer)
    for ours, theirs in zip(greedy, local.sample(prompts, max_new_tokens=12, temperature=0), strict=True):
        assert [one.token_ids for one in ours] == [one.token_ids for one in theirs]
        np.testing.assert_allclose([one.logprob for one in ours], [one.logprob for one in theirs], atol=1e-4)
        assert [one.finish_reason for one in ours] == [one.finish_reason for one in theirs]
    ((expected, _), _) = local.sample(prompts, max_new_tokens=12, temperature=0, stop=[word])
    assert (cut.text, cut.token_ids, cut.finish_reason) == (expected.text, expected.token_ids, "stop")
