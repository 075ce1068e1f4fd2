from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from aurify.errors import UsageError
from aurify.sampling.vllm.http import Http, Refused, Unreachable


def test_json_goes_both_ways_with_the_key(toy):
    toy.answers["/double"] = lambda body: (200, {"twice": 2 * body["number"]})
    http = Http(toy.url + "/v1/", key="secret")  # the address as OpenAI's clients want it is understood too
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: http.post("/double", {"number": number}), range(50)))
    assert [answer["twice"] for answer in answers] == list(range(0, 100, 2))
    assert {headers["Authorization"] for headers in toy.headers} == {"Bearer secret"}


def test_a_kept_connection_that_was_closed_is_opened_again(toy):
    replies = iter([(200, {}), None, (200, {"second": True})])
    toy.answers["/flaky"] = lambda _: next(replies)
    http = Http(toy.url)
    http.post("/flaky")
    assert http.post("/flaky") == {"second": True}


def test_a_server_that_hangs_up_is_unreachable(toy):
    toy.answers["/mute"] = lambda _: None
    with pytest.raises(Unreachable, match=r"the connection broke"):
        Http(toy.url).post("/mute")
    assert len(toy.asked) == 1  # a fresh connection is not tried twice


def test_a_redirect_is_no_answer(toy):
    toy.answers["/v1/models"] = lambda _: (308, "Permanent Redirect")
    with pytest.raises(Refused, match="the server answered 308: Permanent Redirect"):
        Http(toy.url).get("/v1/models")


def test_nothing_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(Unreachable, match=rf"^{url}: Connection refused$"):
            Http(url).get("/health")


def test_no_answer_in_time():
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(Unreachable, match=r"no answer within 0.2 s"):
        Http(f"http://127.0.0.1:{mute.getsockname()[1]}", timeout=0.2).get("/health")


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_an_answer_that_drips_is_no_answer(head):
    """A byte every 0.05 s, so that no single wait is long: the whole answer has its time, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip, args=(server, head), daemon=True)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(Unreachable, match=r"no answer within 0.5 s"):
            Http(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.5).get("/health")
        assert time.monotonic() - begun < 10
        thread.join()


def _drip(server, head):
    client, _ = server.accept()
    with client, suppress(OSError):
        client.recv(1000)
        client.sendall(head)
        for _ in range(400):
            client.sendall(b"x")
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"error": {"message": "too\nlong", "code": 400}}, "too long"),
        ({"detail": "Not Found"}, "Not Found"),
        ("<html>\n<b>bad</b>", "<html> <b>bad</b>"),
        ("", "without a reason"),
    ],
)
def test_a_refusal_is_one_line(toy, content, reason):
    toy.answers["/no"] = lambda _: (400, content)
    with pytest.raises(Refused) as caught:
        Http(toy.url).post("/no")
    assert str(caught.value) == f"{toy.url}/no: the server answered 400: {reason}"
    assert (caught.value.status, caught.value.url) == (400, f"{toy.url}/no")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://", "http://host:port", ""])
def test_what_is_not_a_url(url):
    with pytest.raises(UsageError, match="give http://HOST:PORT"):
        Http(url)
