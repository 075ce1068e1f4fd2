"""A real model behind the API: the nugget, drawn by the local sampler, served over HTTP; and by vLLM (-m vllm)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aurify.collecting.run import run_sample
from aurify.collecting.settings import SampleSettings
from aurify.errors import AurifyError
from aurify.models import load_model
from aurify.nugget import generate, path
from aurify.questions import PromptTemplate, load_questions
from aurify.rationales import read_rationales
from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.vllm import guard
from aurify.sampling.vllm.server import ServerPlan, find_python


@pytest.fixture(scope="module")
def nugget() -> Any:
    return load_model("nugget")


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("questions") / "navigate.jsonl"
    rows = [{"id": one.id, "question": one.text, "answer": one.answer} for one in generate("navigate", 4, seed=3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def served(nugget: Any) -> Any:
    """``/v1/completions`` of the nugget: choice k of a request draws with its seed plus k."""
    alone = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            ids = tuple(nugget.tokenizer(asked["prompt"])["input_ids"])
            seeds = tuple(asked["seed"] + place for place in range(asked["n"]))
            with alone:
                (drawn,) = LocalSampler(nugget.model, nugget.tokenizer).sample(
                    [Prompt(ids, seeds)], max_new_tokens=asked["max_tokens"], temperature=asked["temperature"]
                )
            choices = [
                {"index": place, "text": one.text, "finish_reason": one.finish_reason}
                for place, one in enumerate(drawn)
            ]
            usage = {"prompt_tokens": len(ids), "completion_tokens": sum(len(one.token_ids) for one in drawn)}
            content = json.dumps({"choices": choices, "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *words: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_api_gives_what_the_model_itself_draws(nugget: Any, questions: Path, served: str, tmp_path: Path) -> None:
    given = {"model": "nugget", "data": str(questions), "samples": 4, "choices": 2, "max_new_tokens": 120}
    found = run_sample(SampleSettings(**given, out=str(tmp_path / "api"), api=served, prompt="plain"))
    rows = read_rationales(tmp_path / "api")
    template, expected = PromptTemplate.named("plain"), []
    for question in load_questions(questions):
        first = [row.seed & 0x7FFFFFFF for row in rows if row.question_id == question.id][::2]  # of each request
        seeds = tuple(seed + place for seed in first for place in (0, 1))
        (drawn,) = LocalSampler(nugget.model, nugget.tokenizer).sample(
            [Prompt(template.encode(nugget.tokenizer, question), seeds)], max_new_tokens=120
        )
        expected += [(question.id, one.text, one.finish_reason) for one in drawn]
    assert [(row.question_id, row.text, row.finish_reason) for row in rows] == expected
    assert len(set(expected)) > 8
    assert {str(row.verdict) for row in rows} >= {"right", "wrong"}
    assert found.spent is not None
    assert (found.spent.requests, found.spent.cost) == (8, 0.0)


@pytest.fixture
def vllm_url(tmp_path: Path) -> Iterator[str]:
    """A real vLLM server on a port, with a key; it ends with this process, however that ends."""
    try:
        python = find_python()
    except AurifyError:
        pytest.skip("vLLM is not installed: make vllm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-I", guard.__file__, str(os.getpid()), str(python), "-m", "vllm.entrypoints.openai.api_server",
        "--host", "127.0.0.1", "--port", str(port), *ServerPlan(str(path())).arguments(),
        "--served-model-name", "nugget",
    ]  # fmt: skip
    own = {"VLLM_API_KEY": "vllm-key", "VLLM_CPU_KVCACHE_SPACE": "1", "TORCHDYNAMO_DISABLE": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=tmp_path,
            env=environment,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 600
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert server.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(guard.GRACE_SECONDS + 30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.mark.vllm
@pytest.mark.timeout(900)
def test_sample_from_a_real_vllm_server(nugget: Any, questions: Path, vllm_url: str, tmp_path: Path) -> None:
    def sample(out: str, *more: str) -> subprocess.CompletedProcess[str]:
        words = ["sample", "--model", "nugget", "--api", vllm_url, "--prompt", "plain", "--data", str(questions)]
        return subprocess.run(
            [sys.executable, "-m", "aurify", *words, "--max-new-tokens", "120", "--out", out, *more],
            capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "AURIFY_API_KEY": "vllm-key"},
        )  # fmt: skip

    done = sample("drawn", "--samples", "4", "--choices", "2")
    assert done.returncode == 0, done.stderr
    rows = read_rationales(tmp_path / "drawn")
    asked = list(load_questions(questions))
    assert [(row.question_id, row.sample_index) for row in rows] == [(one.id, i) for one in asked for i in range(4)]
    assert {(row.source, row.model) for row in rows} == {("teacher", "nugget")}
    assert len({row.text for row in rows}) > 8
    verdicts = Counter(str(row.verdict) for row in rows)
    assert verdicts["right"] > 0
    lines = done.stdout.splitlines()
    assert lines[0] == "16 rationales on 4 questions in drawn/rationales"
    assert lines[1] == "verdicts  " + ", ".join(f"{count} {name}" for name, count in verdicts.most_common())
    assert lines[2].startswith("billed    8 requests, ")
    again = sample("drawn", "--samples", "4", "--choices", "2")
    assert (again.returncode, again.stdout) == (0, done.stdout), "nothing was asked again"

    greedy = sample("greedy", "--samples", "1", "--temperature", "0")
    assert greedy.returncode == 0, greedy.stderr
    template, local = PromptTemplate.named("plain"), LocalSampler(nugget.model, nugget.tokenizer)
    prompts = [Prompt(template.encode(nugget.tokenizer, question), (0,)) for question in asked]
    expected = [(one.text, one.finish_reason) for (one,) in local.sample(prompts, temperature=0.0, max_new_tokens=120)]
    assert [(row.text, row.finish_reason) for row in read_rationales(tmp_path / "greedy")] == expected
