"""A run on the hub: against a server of our own that answers as the hub's API does, with the hub's own client."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest


class StandIn(BaseHTTPRequestHandler):
    """The calls of the hub that make a repository and a commit; every file is asked for inline."""

    protocol_version = "HTTP/1.1"
    seen: dict[str, Any]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seen = type(self).seen
        if self.headers.get("Authorization") != "Bearer hf_right":
            return self.reply(401, {"error": "Invalid credentials"})
        if self.path == "/api/repos/create":
            seen["created"] = json.loads(body)
            address = f"http://{self.headers['Host']}"
            return self.reply(200, {"url": f"{address}/me/mine", "name": "me/mine", "id": "me/mine"})
        if "/preupload/" in self.path:
            files = [{**one, "uploadMode": "regular", "shouldIgnore": False} for one in json.loads(body)["files"]]
            return self.reply(200, {"files": files})
        if "/commit/" in self.path:
            lines = [json.loads(line) for line in body.splitlines()]
            seen["summary"] = lines[0]["value"]["summary"]
            seen["files"] = {
                one["value"]["path"]: base64.b64decode(one["value"]["content"])
                for one in lines if one["key"] == "file"
            }  # fmt: skip
            return self.reply(200, {"commitUrl": f"http://{self.headers['Host']}/me/mine/commit/1", "commitOid": "1"})
        return self.reply(200, {"errors": [], "warnings": []})  # whether the card is well formed

    def reply(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[tuple[str, dict[str, Any]]]:
    """Its address, and what it was sent."""
    handler = type("Handler", (StandIn,), {"seen": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler.seen
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The files of a finished run."""
    for name, text in (
        ("model/config.json", "{}"), ("model/README.md", "---\nlibrary_name: transformers\n---\nA card.\n"),
        ("rationales/step-00001.parquet", "rows"), ("report.html", "<p>"), ("questions.jsonl", "{}\n"),
        ("config.toml", ""), ("checkpoints/step-1/weights", "not this"),
    ):  # fmt: skip
        path = tmp_path / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "run"


def at(address: str, key: str = "hf_right") -> dict[str, str]:
    return {"HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0", "HF_TOKEN": key, "HF_HUB_DISABLE_XET": "1"}


def test_model_card_table_and_report_are_one_commit_of_a_private_repository(run, hub, run_aurify):
    address, seen = hub
    done = run_aurify("export", "run", "--push", "me/mine", env=at(address))
    assert (done.returncode, done.stdout) == (0, f"{address}/me/mine\n"), done.stderr
    assert seen["created"]["name"] == "mine"
    made = seen["created"]
    assert made.get("private", made.get("visibility") == "private") is True, "by either name that clients have for it"
    assert seen["summary"] == "A run of aurify: run"
    assert set(seen["files"]) == {
        "config.json", "README.md", "rationales/step-00001.parquet", "report.html", "run/questions.jsonl",
        "run/config.toml",
    }  # fmt: skip
    assert seen["files"]["README.md"] == (run / "model" / "README.md").read_bytes()


@pytest.mark.parametrize(
    ("words", "env", "told"),
    [
        (("run", "--push", "me/mine"), {"HF_TOKEN": "hf_wrong"}, "the hub refuses"),
        (("run", "--push", "me/mine"), {"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached"),
        (("run", "--push", "me/mine"), {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
        (("run", "--push", "a/b/c"), {}, "expected OWNER/NAME"),
        (("run/rationales", "--push", "me/mine"), {}, "no model to upload"),
    ],
    ids=["wrong key", "no server", "offline", "no name", "no model"],
)
def test_what_the_hub_will_not_take_is_one_line(words, env, told, run, hub, run_aurify):
    done = run_aurify("export", *words, env={**at(hub[0]), **env})
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert told in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "files" not in hub[1]
