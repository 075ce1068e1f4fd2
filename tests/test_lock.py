from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aurify.errors import AurifyError, UsageError
from aurify.lock import LOCK, is_unused, sole_writer

HOLD = """
import sys, time
from aurify.lock import sole_writer
with sole_writer(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def refused(folder: Path) -> str:
    with pytest.raises(AurifyError) as error, sole_writer(folder):
        raise AssertionError("two at a time")
    return str(error.value)


def test_a_second_process_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    first = holder(folder)
    said = refused(folder)
    assert f"process {first.pid} on " in said
    assert "wait for its end" in said
    assert "\n" not in said
    assert refused(folder) == said, "who is refused takes nothing away from the holder"
    first.communicate("")
    with sole_writer(folder):
        pass


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    first = holder(tmp_path)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert (tmp_path / LOCK).exists()
    with sole_writer(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / LOCK).read_text()
    assert list(tmp_path.iterdir()) == []


def test_a_child_that_is_started_as_a_program_does_not_hold_it(tmp_path: Path) -> None:
    with sole_writer(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with sole_writer(tmp_path):
        child.communicate(b"\n")


def test_another_thread_is_refused_too(tmp_path: Path) -> None:
    said: list[str] = []
    with sole_writer(tmp_path):
        thread = threading.Thread(target=lambda: said.append(refused(tmp_path)))
        thread.start()
        thread.join()
    assert f"process {os.getpid()} " in said[0]


def test_many_in_turn_are_never_two_at_a_time(tmp_path: Path) -> None:
    inside, most, entered = [0], [0], [0]

    def work() -> None:
        for _ in range(200):
            try:
                with sole_writer(tmp_path / "run"):
                    inside[0] += 1
                    most[0], entered[0] = max(most[0], inside[0]), entered[0] + 1
                    inside[0] -= 1
            except AurifyError:
                continue

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert entered[0] > 0


def test_a_folder_that_came_to_nothing_goes_and_others_stay(tmp_path: Path) -> None:
    with sole_writer(tmp_path / "new"):
        pass
    assert list(tmp_path.iterdir()) == []
    with sole_writer(tmp_path / "new"):
        (tmp_path / "new" / "file").touch()
    (tmp_path / "empty").mkdir()
    with sole_writer(tmp_path / "empty"):
        pass
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["empty", "new"]


def test_a_full_disk_is_no_reason_not_to_lock(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with sole_writer(tmp_path):
            assert "another process is at work in it" in refused(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(UsageError, match="not a folder"), sole_writer(tmp_path / "file"):
        raise AssertionError


def test_where_there_are_no_locks_it_is_said_and_the_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("aurify.lock.fcntl.flock", none)
    said: list[str] = []
    with sole_writer(tmp_path, said.append):
        pass
    assert "no locks" in said[0]
    assert list(tmp_path.iterdir()) == []


def test_only_what_a_killed_process_left_counts_as_nothing(tmp_path: Path) -> None:
    assert is_unused(tmp_path / "missing")
    assert is_unused(tmp_path)
    (tmp_path / LOCK).touch()
    (tmp_path / ".config.toml.tmp-123").touch()
    assert is_unused(tmp_path)
    (tmp_path / ".hidden").touch()
    assert not is_unused(tmp_path)
    assert not is_unused(tmp_path / LOCK)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_lock_is_taken_leaves_nothing(number, tmp_path, monkeypatch) -> None:
    class Stopped(Exception):
        pass

    def stop(number: int, frame: object) -> None:
        raise Stopped

    def struck(descriptor: int, how: int) -> None:
        signal.raise_signal(number)
        flock(descriptor, how)

    flock = fcntl.flock
    monkeypatch.setattr("aurify.lock.fcntl.flock", struck)
    before = signal.signal(number, stop)
    try:
        with pytest.raises(Stopped), sole_writer(tmp_path / "run"):
            raise AssertionError("the signal was lost")
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)
    assert list(tmp_path.iterdir()) == []
