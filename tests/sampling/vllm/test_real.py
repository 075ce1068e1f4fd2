"""Against a real vLLM server with the nugget: pytest -m vllm, after make vllm; a minute on a free core."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from aurify.errors import AurifyError
from aurify.models import load_model, prepare
from aurify.models.eos import eos_ids
from aurify.models.logprobs import token_logprobs
from aurify.nugget import generate
from aurify.questions import PromptTemplate
from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.vllm.client import VllmSampler
from aurify.sampling.vllm.endpoints import VllmEndpoint
from aurify.sampling.vllm.publish import AdapterPublisher, WeightsPublisher
from aurify.sampling.vllm.served import served_model
from aurify.sampling.vllm.trained import Publication, TrainedSampler

pytestmark = pytest.mark.vllm


def build(kind: str):
    loaded = load_model("nugget")
    return prepare(loaded.model, loaded.tokenizer, kind=kind, lora_rank=8).model, loaded.tokenizer


@pytest.fixture
def client(vllm_server):
    """Makes a sampler of the server's base model."""
    made: list[VllmSampler] = []

    def make(model, tokenizer) -> VllmSampler:
        served = served_model(vllm_server.http, str(nugget_path()))
        made.append(
            VllmSampler(
                [VllmEndpoint(vllm_server.http, served.name)],
                tokenizer,
                eos=eos_ids(model, tokenizer),
                max_length=served.max_length,
            )
        )
        return made[-1]

    yield make
    for sampler in made:
        sampler.close()


def nugget_path() -> Path:
    from aurify import nugget

    return nugget.path()


@pytest.fixture(scope="module")
def prompts():
    _, tokenizer = build("full")
    template = PromptTemplate.named("plain", tokenizer, None)
    return [
        Prompt(template.encode(tokenizer, question), tuple(range(10 * i, 10 * i + 4)))
        for i, question in enumerate(generate("object_counting", 4, seed=3))
    ]


def test_seeds_decide_and_the_log_probabilities_are_the_trainers(client, prompts):
    model, tokenizer = build("full")
    sampler = client(model, tokenizer)
    rows = sampler.sample(prompts, max_new_tokens=60)
    assert sampler.sample(prompts[1:2], max_new_tokens=60) == rows[1:2]
    flat = [completion for row in rows for completion in row]
    assert len({completion.token_ids for completion in flat}) > 8
    sequences = [(prompt.token_ids, one.token_ids) for prompt, row in zip(prompts, rows, strict=True) for one in row]
    with torch.no_grad():
        scores = [float(one.sum()) for one in token_logprobs(model, sequences, pad_token_id=0)]
    assert [one.logprob for one in flat] == pytest.approx(scores, abs=1e-3)
    for one in flat:
        assert (one.token_ids[-1] == tokenizer.eos_token_id) == (one.finish_reason == "stop")
        assert one.text == tokenizer.decode(one.token_ids, skip_special_tokens=True)


def test_greedy_cut_and_stopped_samples_are_those_of_the_local_sampler(client, prompts):
    model, tokenizer = build("full")
    ours, theirs = LocalSampler(model, tokenizer), client(model, tokenizer)
    prompts = [Prompt(prompt.token_ids, (0,)) for prompt in prompts]
    for asked in ({"max_new_tokens": 60}, {"max_new_tokens": 3}, {"max_new_tokens": 60, "stop": ("e",)}):
        expected = ours.sample(prompts, temperature=0.0, **asked)
        found = theirs.sample(prompts, temperature=0.0, **asked)
        for (a,), (b,) in zip(expected, found, strict=True):
            assert (a.token_ids, a.text, a.finish_reason) == (b.token_ids, b.text, b.finish_reason)
            assert a.logprob == pytest.approx(b.logprob, abs=1e-3)


@torch.no_grad()
def test_published_adapters_are_what_is_sampled(vllm_server, client, prompts):
    model, tokenizer = build("lora")
    publisher = AdapterPublisher(vllm_server.http, "test")
    sampler = TrainedSampler(client(model, tokenizer), Publication([publisher]), model, 0, torch.float32)
    drawn = []
    for size in (0.0, 0.02, 0.04):
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=size)
        sampler.publish()
        drawn.append(sampler.sample(prompts, max_new_tokens=60))
        report = sampler.report()
        assert report["logprob_abs_difference"] < 1e-4
        assert report["compared_tokens"] > 20
    assert drawn[0] != drawn[1] != drawn[2]
    publisher.close()
    served = {card["id"] for card in vllm_server.http.get("/v1/models")["data"]}
    assert served == {str(nugget_path())}


def test_full_weights_are_taken_and_the_servers_own_put_back(vllm_server, client, prompts):
    """This server was not started from untied weights: those that do not agree end the run (``untied``)."""
    model, tokenizer = build("full")
    publisher = WeightsPublisher(vllm_server.http, served_model(vllm_server.http, str(nugget_path())))
    before = client(model, tokenizer).sample(prompts, max_new_tokens=60)
    sampler = TrainedSampler(client(model, tokenizer), Publication([publisher]), model, 0, torch.float32)
    sampler.publish()
    assert sampler.sample(prompts, max_new_tokens=60) == before
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    with contextlib.suppress(AurifyError):
        sampler.publish()
        assert sampler.sample(prompts, max_new_tokens=60) != before
        assert sampler.report()["logprob_abs_difference"] < 0.01
    publisher.close()
    assert client(model, tokenizer).sample(prompts, max_new_tokens=60) == before


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    path = tmp_path_factory.mktemp("questions") / "counting.jsonl"
    rows = [
        {"id": question.id, "question": question.text, "answer": question.answer}
        for question in generate("object_counting", 24, seed=5)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def command(questions: Path, out: Path, *more: object) -> list[str]:
    return [
        sys.executable, "-m", "aurify", "train", "trice", "--model", "nugget", "--data", str(questions), "--out",
        str(out), "--questions", "8", "--holdout", "0.25", "--max-new-tokens", "120", "--memory", "guide",
        "--sampler", "vllm", *map(str, more),
    ]  # fmt: skip


@pytest.mark.timeout(900)
def test_a_training_run_with_a_server_of_its_own(vllm_python, questions, tmp_path):
    out = tmp_path / "run"
    done = subprocess.run(command(questions, out, "--steps", 3), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "almost those of the trained model, not exact" in done.stderr
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    steps = [line["sampler"] for line in lines if "sampler" in line]
    assert [line["exact"] for line in steps] == [False] * 3
    assert all(line["logprob_abs_difference"] < 1e-4 for line in steps)  # the weights followed the updates
    load_model(str(out / "model"))
    again = subprocess.run(
        [
            sys.executable, "-m", "aurify", "evaluate", "--model", str(out / "model"), "--data", str(questions),
            "--sampler", "vllm", "--samples", "2", "--max-new-tokens", "120", "--json", "-",
        ],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["overall"]["n"] == 24


@pytest.mark.timeout(900)
def test_a_killed_run_takes_its_server_along(vllm_python, questions, tmp_path):
    out = tmp_path / "killed"
    run = subprocess.Popen(command(questions, out, "--steps", 5000), stderr=subprocess.PIPE, text=True)
    wait_for_steps(run, out, 1)
    family = descendants(run.pid)
    assert any("vllm" in words for words in family.values())
    run.kill()
    run.wait()
    deadline = time.monotonic() + 30
    while left := [pid for pid, words in family.items() if pid != run.pid and Path(f"/proc/{pid}/cmdline").exists()]:
        assert time.monotonic() < deadline, [family[pid] for pid in left]
        time.sleep(0.1)


@pytest.mark.timeout(900)
def test_a_dead_server_ends_the_run(vllm_python, questions, tmp_path):
    out = tmp_path / "dead"
    run = subprocess.Popen(command(questions, out, "--steps", 5000), stderr=subprocess.PIPE, text=True)
    wait_for_steps(run, out, 1)
    for pid, words in descendants(run.pid).items():
        if "api_server" in words and "guard.py" not in words:
            os.kill(pid, signal.SIGKILL)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 1
    assert "the vLLM server has ended" in said.splitlines()[-1]
    assert "Traceback" not in said


def wait_for_steps(run: subprocess.Popen[str], out: Path, count: int) -> None:
    metrics = out / "metrics.jsonl"
    while not metrics.exists() or metrics.read_text().count('"sampler"') < count:
        assert run.poll() is None, run.stderr and run.stderr.read()
        time.sleep(0.05)


def descendants(pid: int) -> dict[int, str]:
    """The process and all that it started, with their command lines."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            found[int(folder.name)] = (parent, (folder / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    family = {pid}
    while more := {child for child, (parent, _) in found.items() if parent in family} - family:
        family |= more
    return {one: found[one][1] for one in family if one in found}
