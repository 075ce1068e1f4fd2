"""JSON over HTTP to one server: TCP or a Unix socket, one kept connection a thread, every failure one line.

The standard library's client is used because a step sends a small request for each sample: several hundred at once,
of which each costs a fifth of a millisecond here.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from aurify.errors import AurifyError, UsageError
from aurify.parsing import parse_json

UNIX = "unix:"


class Unreachable(AurifyError):
    """No answer: nothing listens there, or the connection broke."""


class Refused(AurifyError):
    """The server answered with an error."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(f"{url}: the server answered {status}: {reason}")
        self.url, self.status = url, status


class Http:
    """A server's address and how to talk to it; safe to use from many threads.

    Args:
        url: ``http://HOST:PORT``, ``https://...``, or ``unix:PATH``.
        key: sent as a bearer token where it is not empty.
        timeout: seconds that an answer may take.

    Raises UsageError for a URL of another form.
    """

    def __init__(self, url: str, *, key: str = "", timeout: float = 600.0) -> None:
        self.url, self.timeout, self._key = url.rstrip("/").removesuffix("/v1"), timeout, key
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._connect, self._prefix = _connector(self.url, timeout)
        self._mine = threading.local()

    def within(self, seconds: float) -> Http:
        """The same server, of which an answer is wanted within these seconds."""
        return Http(self.url, key=self._key, timeout=seconds)

    def get(self, path: str) -> Any:
        """The answer to a GET, read as JSON where there is any.

        Raises:
            Unreachable: no answer came.
            Refused: the answer was an error.
        """
        return self._ask("GET", path, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer to a POST of JSON; it raises as :meth:`get` does."""
        return self._ask("POST", path, json.dumps(body or {}, separators=(",", ":")).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        status, content = self._exchange(method, path, body)
        if status >= 300:  # a redirect too: a POST that follows it would become a GET
            raise Refused(self.url + path, status, _reason(content))
        if not content:
            return None
        try:
            return parse_json(content)
        except ValueError:
            return content.decode(errors="replace")

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Status and content. A kept connection that the server has closed meanwhile is opened again, once."""
        kept: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        for connection in [kept, None] if kept else [None]:
            fresh = connection is None
            connection = connection or self._connect()
            connection.response_class = _Timed
            try:
                connection.request(method, self._prefix + path, body, self._headers)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._mine.connection = None
                if fresh or isinstance(error, TimeoutError):
                    raise Unreachable(f"{self.url}: {self._why(error)}") from None
                continue
            self._mine.connection = connection
            return answer.status, content
        raise AssertionError("unreachable")

    def _why(self, error: Exception) -> str:
        if isinstance(error, TimeoutError) and error.errno is None:
            return f"no answer within {self.timeout:g} s"
        if isinstance(error, (http.client.HTTPException, ConnectionResetError, BrokenPipeError)):
            return f"the connection broke ({type(error).__name__})"
        return str(getattr(error, "strerror", None) or error or type(error).__name__)


class _Bytes(io.RawIOBase):
    """What a socket receives until a point in time."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)


class _Timed(http.client.HTTPResponse):
    """An answer that is there, whole, within the connection's timeout: a socket's own bounds the wait for each byte."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self._seconds = sock.gettimeout()
        if self._seconds is not None:
            self._whole, self._socket = self.fp, sock
            self.fp = io.BufferedReader(_Bytes(sock, time.monotonic() + self._seconds))

    def close(self) -> None:
        super().close()
        if self._seconds is not None:
            self._whole.close()
            with suppress(OSError):  # closed already
                self._socket.settimeout(self._seconds)  # for the next request on the same connection


class _TcpConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _keep_alive(self.sock)


class _TlsConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _keep_alive(self.sock)


def _keep_alive(sock: socket.socket) -> None:
    """Have the system ask whether the other machine is still there: a long answer is waited for, a dead one is not."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connector(url: str, timeout: float) -> tuple[Callable[[], http.client.HTTPConnection], str]:
    """What opens a connection, and what stands in front of every path."""
    if url.startswith(UNIX):
        return lambda: _UnixConnection(url.removeprefix(UNIX), timeout), ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError(f"--vllm-url {url}: not a URL of a server; give http://HOST:PORT")
    kind = _TlsConnection if parts.scheme == "https" else _TcpConnection
    return lambda: kind(host, port, timeout=timeout), parts.path


def _reason(content: bytes) -> str:
    """What an error's content says, in one line."""
    try:
        said = parse_json(content)
        said = said.get("error", said.get("detail", said))
        said = said.get("message", said) if isinstance(said, dict) else said
    except (ValueError, AttributeError):
        said = content.decode(errors="replace")
    return " ".join(str(said).split())[:300] or "without a reason"
