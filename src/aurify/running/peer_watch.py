"""Watches one process of a run, and tells the others' watchers how it stands.

    python peer_watch.py RANK SIZE HOST PORT SILENT GRACE STALLED

A process of its own, since a thread stands still while its process computes, is stopped or hangs. The watcher of rank
0 listens, and says on which port; the others connect to it. Each says once a second that it is there. Where one is
silent, or the process that it watches was killed, was stopped, failed, or makes no progress while another one waits,
all learn of it, and processes that do not end by themselves are killed: they would wait for ever for one that never
comes. Standard library only; nothing of aurify is imported.

Lines of JSON come from the watched process, first the secret of the run: {"failed": TEXT}, {"stop": true} to have all
processes stop as by SIGTERM, {"end": true}, and {"waits": B, "in step": B} as a sign of life (see ``aurify.pulse``).
What failed, here or elsewhere, goes back to it: {"failed": TEXT}; and before, once: {"port": N} on which it listens, or
{"met": true} when it has been let in.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

LONGEST = 2**16
"""Bytes of a line."""
GONE = "was killed, or ended without a word"


class PeerLink:
    """Whom bytes come from: another watcher, or the watched process; and what is known of it."""

    def __init__(self, channel: socket.socket | int, rank: int | None) -> None:
        self.channel, self.rank = channel, rank
        self.buffer, self.silent, self.ended = b"", 0, False
        self.idle, self.waits, self.in_step = 0, False, False
        """Seconds since its process gave a sign, whether that waits for others, and goes on in step with all."""

    def lines(self) -> list[dict[str, Any]] | None:
        """The whole lines that have come; None: there will be no more. What is no line of ours ends the link."""
        try:
            channel = self.channel
            read = os.read(channel, LONGEST) if isinstance(channel, int) else channel.recv(LONGEST)
        except BlockingIOError:
            return []
        except OSError:
            return None
        *whole, self.buffer = (self.buffer + read).split(b"\n")
        try:
            found = [json.loads(line) for line in whole]
        except ValueError:
            return None
        if (not read and not found) or len(self.buffer) > LONGEST or not all(isinstance(one, dict) for one in found):
            return None
        return found

    def send(self, message: dict[str, Any]) -> None:
        """Tell a watcher; one that cannot take it now is told the next thing."""
        if isinstance(self.channel, socket.socket):
            with suppress(OSError):
                self.channel.send(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        if isinstance(self.channel, socket.socket):
            self.channel.close()


class PeerWatch:
    """The watcher of a rank.

    Args:
        host: rank 0's.
        port: on which its watcher listens; 0: this is that one.
        silent: seconds without a word, or in which a process stands stopped, after which it counts as gone.
        grace: seconds in which a process may end by itself when another one has failed.
        stalled: seconds without progress after which a process counts as hanging, where another one waits for it.
    """

    def __init__(self, rank: int, size: int, host: str, port: int, silent: int, grace: int, stalled: int) -> None:
        self.rank, self.size, self.watched = rank, size, os.getppid()
        self.silent, self.grace, self.stalled = silent, grace, stalled
        self.links: list[PeerLink] = []
        self.failed: str | None = None
        self.cause: dict[str, Any] = {}
        self.stopped, self.asked_to_stop = 0, False
        self.own = PeerLink(0, rank)
        self.secret = ""
        self.door = None if port else listening(size)
        self.select = selectors.DefaultSelector()
        self.select.register(0, selectors.EVENT_READ, self.own)
        if self.door:
            self.door.setblocking(False)
            self.select.register(self.door, selectors.EVENT_READ)
            self.tell({"port": self.door.getsockname()[1]})
        else:
            channel = socket.create_connection((host, port), timeout=30)
            self.add(channel, 0)
        self.expected = set(range(1, size)) if self.door else set()
        """Ranks that have not connected yet."""

    def run(self) -> None:
        """Until the watched process ends."""
        next_tick = time.monotonic() + 1
        while True:
            for key, _ in self.select.select(max(0.0, next_tick - time.monotonic())):
                if key.data is None:
                    self.accept()
                elif key.data is self.own:
                    if self.hear_own():
                        return
                else:
                    self.hear(key.data)
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + 1  # counted by turns: a watcher that stood still has heard nothing
                if self.tick():
                    return

    def add(self, channel: socket.socket, rank: int | None) -> None:
        channel.setblocking(False)
        link = PeerLink(channel, rank)
        self.links.append(link)
        self.select.register(channel, selectors.EVENT_READ, link)

    def accept(self) -> None:
        assert self.door
        with suppress(OSError):
            self.add(self.door.accept()[0], None)

    def hear_own(self) -> bool:
        """Take what the watched process says; whether this is the end."""
        lines = self.own.lines()
        for line in lines or []:
            if "secret" in line:
                self.secret = str(line["secret"])
                if not self.door:
                    self.send_all({"secret": self.secret, "rank": self.rank})
            elif "end" in line:
                self.send_all({"ended": True})
                return True
            elif "waits" in line:
                self.own.idle, self.own.waits, self.own.in_step = 0, bool(line["waits"]), bool(line["in step"])
            elif "stop" in line:
                self.stop(here=False)
            elif "failed" in line:
                self.fail(self.rank, str(line["failed"]))
        if lines is None:  # it is gone, and said nothing
            self.fail(self.rank, GONE)
            return True
        return False

    def hear(self, link: PeerLink) -> None:
        lines = link.lines()
        for line in lines or []:
            if link.rank is None:
                if line.get("secret") != self.secret or line.get("rank") not in self.expected:
                    lines = None
                    break
                link.rank = int(line["rank"])
                self.expected.discard(link.rank)
                link.send({"welcome": True})
                if self.cause:  # what was spread before it came
                    link.send(self.cause)
                elif self.asked_to_stop:
                    link.send({"stop": True})
            link.silent = 0
            if "idle" in line:
                link.idle, link.waits, link.in_step = int(line["idle"]), bool(line["waits"]), bool(line["in step"])
            if "welcome" in line:
                self.tell({"met": True})
            elif "ended" in line:
                link.ended = True
            elif "stop" in line:
                self.stop(but=link)
            elif "failed" in line:
                self.fail(int(line["rank"]), str(line["failed"]), but=link)
        if lines is None:
            self.drop(link)

    def drop(self, link: PeerLink) -> None:
        self.select.unregister(link.channel)
        self.links.remove(link)
        link.close()
        if link.rank is not None and not link.ended:
            self.fail(link.rank, "is gone: killed with its watcher, or its machine is")

    def fail(self, rank: int, text: str, but: PeerLink | None = None) -> None:
        """Spread that a rank has failed; the first one counts."""
        if self.failed is not None:
            return
        self.failed, self.cause = f"rank {rank} of {self.size} {text}", {"failed": text, "rank": rank}
        self.send_all(self.cause, but)
        self.tell({"failed": self.failed})

    def stop(self, *, here: bool = True, but: PeerLink | None = None) -> None:
        """Spread the wish to stop."""
        if self.asked_to_stop:
            return
        self.asked_to_stop = True
        self.send_all({"stop": True}, but)
        if here:
            with suppress(ProcessLookupError):
                os.kill(self.watched, signal.SIGTERM)

    def tick(self) -> bool:
        """What is done once a second; whether this is the end."""
        self.own.idle += 1
        self.send_all({"idle": self.own.idle, "waits": self.own.waits, "in step": self.own.in_step})
        for link in list(self.links):
            link.silent += 1
            if link.silent == self.silent and link.rank is None:
                self.drop(link)
            elif link.silent == self.silent and link.rank is not None and not link.ended:
                self.fail(link.rank, f"no longer answers: nothing was heard of it for {self.silent} s")
        if os.getppid() != self.watched:
            self.fail(self.rank, GONE)
            return True
        self.stopped = self.stopped + 1 if stands_still(self.watched) else 0
        if self.stopped == self.silent:
            self.fail(self.rank, f"stands stopped for {self.silent} s")
        if self.own.idle >= self.stalled and self.failed is None:
            self.look_for_progress()
        if self.failed is not None:
            self.grace -= 1
            if self.grace <= 0:
                os.write(2, f"aurify: {self.failed}\n".encode(errors="replace"))
                with suppress(ProcessLookupError):
                    os.kill(self.watched, signal.SIGKILL)
                return True
        return False

    def look_for_progress(self) -> None:
        """The watched process gave no sign for long: does another wait for it, or do all wait for each other?"""
        still = [link for link in self.links if link.idle >= self.stalled and not link.ended]
        if not self.own.waits and not self.own.in_step and any(link.waits for link in still):
            self.fail(self.rank, f"made no progress for {self.stalled} s, and others wait for it (--stalled-after)")
        elif self.door and len(still) == self.size - 1 and all(one.waits or one.in_step for one in [self.own, *still]):
            text = f"made no progress for {self.stalled} s, nor did any other: one of them hangs (--stalled-after)"
            self.fail(self.rank, text)

    def send_all(self, message: dict[str, Any], but: PeerLink | None = None) -> None:
        for link in self.links:
            if link is not but:
                link.send(message)

    def tell(self, message: dict[str, Any]) -> None:
        """Tell the watched process."""
        with suppress(OSError):
            os.write(1, json.dumps(message).encode() + b"\n")


def listening(size: int) -> socket.socket:
    """A door for the others, on a port that is free."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", 0), family=socket.AF_INET6, backlog=size, dualstack_ipv6=True)
    return socket.create_server(("", 0), backlog=size)


def stands_still(pid: int) -> bool:
    """Whether a process is stopped, as by SIGSTOP, where the system tells."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"
    except (OSError, IndexError):
        return False


def main(words: list[str]) -> None:
    """Watch until the watched process ends; signals of its group are for it alone."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    rank, size, host, port, *seconds = words
    with suppress(OSError):  # rank 0's watcher cannot be reached: the run goes on unwatched
        silent, grace, stalled = map(int, seconds)
        PeerWatch(int(rank), int(size), host, int(port), silent, grace, stalled).run()


if __name__ == "__main__":
    main(sys.argv[1:])
