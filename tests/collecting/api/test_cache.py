"""The cache and the ledger outlive the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aurify.collecting.api import Cache, Reply, Usage
from aurify.errors import AurifyError

BOUND = Usage(100, 200)


def test_samples_and_bills_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "cache.sqlite"
    cache = Cache(path)
    replies = {"a": Reply("text \ud800 with half a surrogate", None, "stop"), "b": Reply(None, "no", "stop")}
    cache.pay(cache.open_request(BOUND, 0.5), Usage(7, 8), 0.25, replies)
    cache.close_request(cache.open_request(BOUND, 0.5), billed=True)
    cache.close_request(cache.open_request(BOUND, 0.5), billed=False)
    cache.close()
    again = Cache(path)
    assert again.get(["a", "b", "c"]) == {
        "a": Reply("text \\ud800 with half a surrogate", None, "stop"),
        "b": replies["b"],
    }
    assert (again.spent("paid").usage, again.spent("paid").cost) == (Usage(7, 8), 0.25)
    assert (again.spent("paid", "unknown").requests, again.spent("paid", "unknown").cost) == (2, 0.75)
    again.close()


def test_a_request_in_flight_at_a_kill_counts_at_its_most(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    code = f"""
import os, signal
from aurify.collecting.api import Cache, Reply, Usage
cache = Cache({str(path)!r})
cache.pay(cache.open_request(Usage(1, 1), 0.1), Usage(1, 2), 0.2, {{"a": Reply("kept", None, "stop")}})
cache.open_request(Usage(100, 200), 0.5)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == -signal.SIGKILL
    cache = Cache(path)
    assert cache.get("a") == {"a": Reply("kept", None, "stop")}
    assert (cache.spent("unknown").usage, cache.spent("unknown").cost, cache.spent("paid").cost) == (BOUND, 0.5, 0.2)
    cache.close()


def test_two_processes_do_not_share_it(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    cache = Cache(path)
    with pytest.raises(AurifyError, match="another process is at work on it"):
        Cache(path)
    cache.close()
    Cache(path).close()


def test_another_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be taken for one" * 50)
    before = path.read_bytes()
    with pytest.raises(AurifyError, match=r"notes\.txt: not a cache of aurify"):
        Cache(path)
    assert path.read_bytes() == before


def test_one_without_a_file_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = Cache(None)
    reply = Reply("text", None, "stop")
    cache.pay(cache.open_request(BOUND, 0.5), Usage(7, 8), 0.25, {"a": reply})
    assert cache.get(["a"]) == {"a": reply}
    cache.close()
    assert not list(tmp_path.iterdir())
