"""A real small HTTP server that answers as it is told, for what a real vLLM server does not do on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[int, Any] | None]
"""From a request's body to status and JSON; None closes the connection without a word."""


class Toy:
    """A server with an answer a path; it writes down what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        toy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.loads(content or b"{}")
                toy.asked.append((self.path, body))
                toy.headers.append(dict(self.headers))
                answer = toy.answers.get(self.path, lambda _: (404, {"detail": "Not Found"}))(body)
                if answer is None:
                    self.close_connection = True
                    return
                text = answer[1] if isinstance(answer[1], str) else json.dumps(answer[1])
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512  # connections at once, which a longer wait for their turn would break

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def serve(self, model: str, max_length: int = 1024) -> None:
        """Answer as a vLLM server of ``model`` does that draws the token ids 5, 6 and the EOS id 1."""
        card = {"id": model, "root": model, "parent": None, "max_model_len": max_length}
        self.answers["/v1/models"] = lambda _: (200, {"data": [card]})
        self.answers["/v1/completions"] = lambda _: (200, completion([5, 6, 1], [-0.5, -0.25, -0.125]))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def completion(ids: list[int] | None, logprobs: list[float], reason: str = "stop") -> dict[str, Any]:
    """vLLM's answer to a completions call."""
    choice = {"token_ids": ids, "logprobs": {"token_logprobs": logprobs}, "finish_reason": reason, "text": "not read"}
    return {"choices": [choice]}
