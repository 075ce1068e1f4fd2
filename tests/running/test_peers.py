"""Watchers of processes that do nothing else: one that ends in whatever way ends all, and they say why."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

SILENT, GRACE, STALLED, WITHIN = 3, 2, 4, 20.0
"""Seconds: after which one counts as gone, until all are killed, after which one that is waited for counts as hanging,
and in which all have ended on a busy machine."""

PROCESS = """
import json, os, signal, sys, time
from pathlib import Path
from aurify.running.peers import Meeting, Peers

rank, size, folder, host = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]

def once(function):  # rank 0's word, by way of a file; the test may put another port into it
    file = folder / "meeting"
    if rank == 0:
        (folder / "part").write_text(json.dumps(function()))
        (folder / "part").rename(folder / "met")
    while not file.exists():
        time.sleep(0.01)
    return Meeting(*json.loads(file.read_text()))

def tell(text):  # at once: a signal may come between a print's text and its end of line
    os.write(1, f"{text}\\n".encode())

signal.signal(signal.SIGTERM, lambda *_: tell("asked to stop"))
peers = Peers(rank, size, host, once, silent=3, grace=2, stalled=4)
tell("begun")
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "fail":
        peers.failed(rest)
        break
    if word == "stop":
        peers.stop()
    if word == "sign":
        peers.hear(rest)
    if word == "why":
        tell(peers.reason(60.0))
        break
    if word == "end":
        break
peers.close()
"""


class Rank:
    """A process with its watcher."""

    def __init__(self, rank: int, size: int, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(rank), str(size), str(folder), "127.0.0.1"], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def say(self, words: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def watcher(self) -> psutil.Process:
        (found,) = psutil.Process(self.process.pid).children()
        return found


Start = Callable[..., list[Rank]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts processes that know each other; ``through`` changes the port by which the others reach rank 0, which is
    told ``first`` as soon as it can be, and the others then say for themselves that they have begun."""
    ranks: list[Rank] = []

    def begin(size: int, through: Callable[[int], int] = lambda port: port, first: str = "") -> list[Rank]:
        ranks.extend(Rank(rank, size, tmp_path) for rank in range(size))
        while not (tmp_path / "met").exists():
            time.sleep(0.01)
        port, secret = json.loads((tmp_path / "met").read_text())
        (tmp_path / "part").write_text(json.dumps([through(port), secret]))
        (tmp_path / "part").rename(tmp_path / "meeting")
        if first:
            ranks[0].say(first)
        assert [one.line() for one in (ranks[:1] if first else ranks)] == ["begun"] * (1 if first else size)
        return ranks

    yield begin
    for one in ranks:
        one.process.kill()
        one.process.communicate()


def all_end(ranks: list[Rank], within: float = WITHIN) -> list[str]:
    """What all, or their watchers, have written to standard error at their end, which comes in time."""
    deadline = time.monotonic() + within
    for one in ranks:
        one.process.wait(max(0.1, deadline - time.monotonic()))
    return [one.process.communicate()[1] for one in ranks]


def test_a_reason_reaches_all(start):
    ranks = start(3)
    for one in (ranks[0], ranks[2]):
        one.say("why")
    ranks[1].say("fail the data is gone")
    assert [one.line() for one in (ranks[0], ranks[2])] == ["rank 1 of 3 ended: the data is gone"] * 2
    all_end(ranks, 10.0)


def test_a_killed_process_is_known_at_once(start):
    ranks = start(2)
    ranks[0].say("why")
    ranks[1].process.kill()
    assert ranks[0].line() == "rank 1 of 2 was killed, or ended without a word"
    all_end(ranks, 10.0)


def test_so_is_one_that_is_killed_with_its_watcher(start):
    ranks = start(2)
    ranks[1].say("why")
    watcher = ranks[0].watcher()
    ranks[0].process.kill()
    watcher.kill()
    assert ranks[1].line().startswith(("rank 0 of 2 is gone", "rank 0 of 2 was killed"))
    all_end(ranks, 10.0)


@pytest.mark.parametrize("hanging", [0, 1, 2])
def test_one_that_computes_for_ever_ends_those_that_wait_for_it(start, hanging):
    ranks = start(3)
    begun = time.monotonic()
    for rank, one in enumerate(ranks):
        one.say("sign moved" if rank == hanging else "sign waits")
    said = all_end(ranks)
    assert time.monotonic() - begun > STALLED
    told = f"aurify: rank {hanging} of 3 made no progress for {STALLED} s, and others wait for it (--stalled-after)\n"
    assert said == [told] * 3


def test_one_that_goes_on_is_waited_for(start):
    ranks = start(2)
    ranks[1].say("sign waits")
    for _ in range(3 * STALLED):
        ranks[0].say("sign works")
        time.sleep(0.5)
    assert [one.process.poll() for one in ranks] == [None, None]
    for sign in ("waits", "works", "waits", "works"):  # work that is no shared work is waited for by nobody
        ranks[1].say(f"sign {sign}")
    time.sleep(2 * STALLED)
    assert [one.process.poll() for one in ranks] == [None, None]
    for one in ranks:
        one.say("end")
    assert all_end(ranks) == ["", ""]


@pytest.mark.parametrize("sign", ["waits", "in step"])
def test_all_that_wait_for_each_other_end(start, sign):
    ranks = start(2)
    for one in ranks:
        one.say(f"sign {sign}")
    said = all_end(ranks)
    told = f"rank 0 of 2 made no progress for {STALLED} s, nor did any other: one of them hangs (--stalled-after)"
    assert said == [f"aurify: {told}\n"] * 2


@pytest.mark.parametrize("stopped", [0, 1])
def test_who_waits_for_a_stopped_process_is_ended_with_it(start, stopped):
    ranks = start(2)
    begun = time.monotonic()
    ranks[stopped].process.send_signal(signal.SIGSTOP)
    said = all_end(ranks)  # neither ends by itself
    assert time.monotonic() - begun > SILENT + GRACE - 1
    assert said == [f"aurify: rank {stopped} of 2 stands stopped for {SILENT} s\n"] * 2


def test_a_link_that_is_cut_ends_both_sides(start):
    cut = threading.Event()
    said = all_end(cut_off(start, cut))
    assert said == [
        f"aurify: rank {other} of 2 no longer answers: nothing was heard of it for {SILENT} s\n" for other in (1, 0)
    ]


def test_a_link_that_comes_back_ends_nothing(start):
    cut = threading.Event()
    ranks = cut_off(start, cut)
    time.sleep(SILENT / 3)
    cut.clear()
    time.sleep(SILENT)
    assert [one.process.poll() for one in ranks] == [None, None]
    for one in ranks:
        one.say("end")
    assert all_end(ranks, 10.0) == ["", ""]


def cut_off(start: Start, cut: threading.Event) -> list[Rank]:
    """Two processes, the link between which carries nothing while ``cut`` is set, as it is from now on."""
    ranks = start(2, lambda port: relay(port, cut))
    cut.set()
    return ranks


def relay(port: int, cut: threading.Event) -> int:
    """The port of something that passes bytes on to another port, both ways, and keeps them while ``cut`` is set."""
    door = socket.create_server(("127.0.0.1", 0))

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while read := source.recv(4096):
                while cut.is_set():
                    time.sleep(0.05)
                target.sendall(read)
        target.close()

    def serve() -> None:
        near, _ = door.accept()
        far = socket.create_connection(("127.0.0.1", port))
        for pair in ((near, far), (far, near)):
            threading.Thread(target=pass_on, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(door.getsockname()[1])


def test_a_wish_to_stop_reaches_all_but_the_one_that_has_it(start):
    ranks = start(3)
    ranks[1].say("stop")
    assert [one.line() for one in (ranks[0], ranks[2])] == ["asked to stop"] * 2
    for one in ranks:
        one.say("end")
    assert all_end(ranks, 10.0) == ["", "", ""]
    assert [one.process.returncode for one in ranks] == [0, 0, 0]


def test_a_wish_to_stop_reaches_one_that_met_the_others_only_later(start):
    apart = threading.Event()
    apart.set()

    def late(port: int) -> int:
        threading.Timer(1.5, apart.clear).start()
        return relay(port, apart)

    ranks = start(2, late, first="stop")
    assert {ranks[1].line(), ranks[1].line()} == {"begun", "asked to stop"}
    for one in ranks:
        one.say("end")
    assert all_end(ranks, 10.0) == ["", ""]


def test_one_that_is_done_before_the_others_ends_nothing(start):
    ranks = start(2)
    ranks[1].say("end")
    ranks[1].process.wait(10.0)
    time.sleep(GRACE + 2)
    assert ranks[0].process.poll() is None
    ranks[0].say("end")
    assert all_end(ranks, 10.0) == ["", ""]


def test_a_stranger_is_not_listened_to(start):
    ports = []
    ranks = start(2, lambda port: ports.append(port) or port)
    for words in (b'{"secret": "guessed", "rank": 1}\n{"failed": "all", "rank": 1}\n', b"\x00" * 100_000, b"[1]\n"):
        with suppress(OSError), socket.create_connection(("127.0.0.1", ports[0]), timeout=5) as stranger:
            stranger.sendall(words)
            stranger.recv(10)  # nothing, since it is closed
    time.sleep(2)
    assert [one.process.poll() for one in ranks] == [None, None]
    for one in ranks:
        one.say("end")
    assert all_end(ranks, 10.0) == ["", ""]
