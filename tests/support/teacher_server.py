"""A small OpenAI-compatible server on a real port, which can misbehave in every way that one has been seen to.

What it says is a function of the request alone (prompt, seed, place among the choices), so that runs can be compared.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Act:
    """What the server does with one request; by default it answers well."""

    status: int = 200
    code: str = ""
    """OpenAI's word for the error."""
    message: str = "as told"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    choices: int | None = None
    """How many choices a reply has, whatever was asked for; None is as many as were asked for."""
    reply: dict[str, Any] | None = None
    """The message of every choice, where it is not the usual one."""
    finish_reason: str = "stop"
    usage: bool = True
    raw: bytes | None = None
    """The body, instead of JSON of our own."""
    drip: float = 0.0
    """Seconds between two bytes of the body."""
    hang_up: bool = False
    """Close the connection without a word."""


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    path: str
    body: dict[str, Any]
    key: str
    act: Act
    headers: dict[str, str]


class TeacherServer(ThreadingHTTPServer):
    """``seen`` holds every request in order, ``billed`` those it charged for, ``most`` its most at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave: Callable[[int, dict[str, Any]], Act] = lambda number, body: Act()
        self.seen: list[Seen] = []
        self.billed: list[tuple[dict[str, Any], int, int]] = []
        self.most = self._now = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def bill(self) -> tuple[int, int]:
        """Tokens of prompts, and of completions."""
        return sum(prompt for _, prompt, _ in self.billed), sum(completion for _, _, completion in self.billed)

    def wait_for(self, requests: int, timeout: float = 60.0) -> None:
        """Return when this many requests have arrived."""
        end = time.monotonic() + timeout
        while len(self.seen) < requests:
            assert time.monotonic() < end, f"{len(self.seen)} requests, not {requests}"
            time.sleep(0.001)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self.lock:
                self._now -= 1


def said(prompt: str, seed: int, place: int) -> str:
    """A rationale on ``What is A plus B?``: right two times in three, and of a length of its own."""
    number = int.from_bytes(hashlib.sha256(f"{prompt}|{seed}|{place}".encode()).digest()[:4], "big")
    a, b = map(int, re.findall(r"(\d+) plus (\d+)", prompt)[-1])
    total = a + b + (0 if number % 3 else 1)
    return "I add. " * (number % 5) + f"So the answer is {total}."


class _Handler(BaseHTTPRequestHandler):
    server: TeacherServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        own = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            act = self.server.behave(len(self.server.seen), body)
            self.server.seen.append(Seen(self.path, body, self.headers.get("Authorization", ""), act, own))
        with self.server.counted():
            time.sleep(act.delay)
        if act.hang_up:
            self.close_connection = True
            return
        if act.raw is not None:
            self._send(act.status, act.raw, {"Content-Type": "text/html", **act.headers})
        elif act.status != 200:
            error = {"message": act.message, "code": act.code, "type": act.code}
            self._send(act.status, json.dumps({"error": error}).encode(), act.headers)
        elif act.drip:
            content = json.dumps(self._answer(body, act)).encode()
            self._send(200, content[:1], {"Content-Length": str(len(content))})
            with suppress(OSError):
                for place in range(1, len(content)):
                    time.sleep(act.drip)
                    self.wfile.write(content[place : place + 1])
        else:
            self._send(200, json.dumps(self._answer(body, act)).encode(), act.headers)

    def _answer(self, body: dict[str, Any], act: Act) -> dict[str, Any]:
        chat = self.path.partition("?")[0].endswith("/chat/completions")
        prompt = "\n".join(one["content"] for one in body["messages"]) if chat else body["prompt"]
        choices, tokens = [], 0
        for place in range(body.get("n", 1) if act.choices is None else act.choices):
            text = said(prompt, body.get("seed", 0), place)
            message = {"role": "assistant", "content": text} if act.reply is None else act.reply
            own = {"message": message} if chat else {"text": message["content"]}
            choices.append({"index": place, "finish_reason": act.finish_reason, **own})
            tokens += len(text.split())
        with self.server.lock:
            self.server.billed.append((body, len(prompt.split()), tokens))
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": tokens}
        return {"object": "chat.completion", "choices": choices[::-1], **({"usage": usage} if act.usage else {})}

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *words: object) -> None:
        """Nothing is printed."""


@contextmanager
def teacher_server() -> Iterator[TeacherServer]:
    """A server that runs in threads of this process."""
    server = TeacherServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
