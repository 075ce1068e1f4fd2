"""A run's report that brings itself up to date: a server for this machine's browser alone, which only reads.

It answers under a path that holds a secret, and only requests that name this machine as the host: another user of the
machine does not know the path, and another site's page (DNS rebinding) does not come with that name.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aurify.errors import AurifyError, UsageError
from aurify.report.content import Content, RunContent, read_content
from aurify.report.page import curves_of, packed, render, render_overview
from aurify.running.folder import RunFolder

HOST = "127.0.0.1"


class Live:
    """What a run's folder says now; read again only when its files have changed."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = RunFolder(folder)
        self._lock = threading.Lock()
        self._stamp = ""
        self._content: Content
        self._blocks: tuple[str, list[str]] = ("", [])
        self.read()

    def read(self) -> tuple[str, Content]:
        """The stamp and the content of the folder as it is.

        Raises:
            AurifyError: see ``source.read_run``.
        """
        with self._lock:
            stamp = self._stamps(self.folder.metrics, self.folder.model, self.folder.path) + self._tables()
            if stamp != self._stamp:
                self._content = read_content([self.folder.path])
                self._stamp = stamp
            return self._stamp, self._content

    def page(self) -> str:
        """The page, which then asks for ``state``."""
        return render(self.read()[1], live=True)

    def state(self, page: str, questions: str) -> dict[str, Any]:
        """What is new since the stamps that the page has: the first screen and the curves, and the questions."""
        stamp, content = self.read()
        run = content.runs[0]
        state: dict[str, Any] = {
            "page": stamp, "questions": self._tables(), "finished": run.source.finished,
            "told": run.summary.state or "finished",
        }  # fmt: skip
        if page != stamp:
            state |= {"overview": render_overview(content), "curves": curves_of(content)}
        if questions != state["questions"]:
            state["blocks"] = self._packed(state["questions"], run)
        return state

    def _packed(self, stamp: str, run: RunContent) -> list[str]:
        with self._lock:
            if self._blocks[0] != stamp:
                self._blocks = stamp, list(packed(run.items()))
            return self._blocks[1]

    def _tables(self) -> str:
        parts = [*self.folder.rationales.glob("*.parquet"), *self.folder.held_out.glob("*.parquet")]
        return self._stamps(self.folder.questions, *sorted(parts))

    def _stamps(self, *paths: Path) -> str:
        """A word that is another as soon as one of these files is."""
        found = []
        for path in paths:
            try:
                known = path.stat()
            except OSError:
                continue
            found.append(f"{path.name}-{known.st_size if path.is_file() else 0}-{known.st_mtime_ns}")
        return format(hash(tuple(found)) & (2**64 - 1), "016x")


class LiveServer:
    """A server of one run's live page."""

    def __init__(self, live: Live, port: int) -> None:
        self._secret = secrets.token_urlsafe(16)
        try:
            self._server = ThreadingHTTPServer((HOST, port), _handler(live, self._secret))
        except OSError as error:
            raise UsageError(f"--port {port}: {error.strerror or error}: choose another, or 0") from None
        self._server.daemon_threads = True
        self.address = f"http://{HOST}:{self._server.server_address[1]}/{self._secret}/"

    def run(self) -> None:
        """Serve until interrupted."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """End ``run``, which another thread is in."""
        self._server.shutdown()

    def close(self) -> None:
        self._server.server_close()


@contextmanager
def serve(folder: str | Path, port: int = 0) -> Iterator[LiveServer]:
    """A server of the live page of a run, bound to a port of the loopback interface.

    Raises:
        AurifyError: it is no run's folder.
        UsageError: the port is taken.
    """
    server = LiveServer(Live(folder), port)
    try:
        yield server
    finally:
        server.close()


def _handler(live: Live, secret: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET alone."""

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            host = self.headers.get("Host", "").rpartition(":")[0]
            if host not in (HOST, "localhost"):
                self._answer(HTTPStatus.FORBIDDEN, "text/plain", "this page is for this machine's browser")
                return
            try:
                if asked.path == f"/{secret}/":
                    self._answer(HTTPStatus.OK, "text/html", live.page())
                elif asked.path == f"/{secret}/state":
                    has = parse_qs(asked.query)
                    state = live.state(has.get("page", [""])[0], has.get("questions", [""])[0])
                    self._answer(HTTPStatus.OK, "application/json", json.dumps(state))
                else:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", "nothing here")
            except AurifyError as error:  # a file that is being written: the page asks again
                self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", str(error))

        def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
            body = text.encode("utf-8", "replace")
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the terminal belongs to the user."""

    return Handler
