"""A real model behind the API: the nugget, drawn by the local sampler, served over HTTP."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aurify.collecting.run import run_sample
from aurify.collecting.settings import SampleSettings
from aurify.models import load_model
from aurify.nugget import generate
from aurify.questions import PromptTemplate, load_questions
from aurify.rationales import read_rationales
from aurify.sampling import LocalSampler, Prompt


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
