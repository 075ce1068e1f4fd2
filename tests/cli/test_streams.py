"""The standard streams of the real command line, closed, full and left; what is asked needs no model."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

AURIFY = f"{sys.executable} -m aurify"
FULL = Path("/dev/full")


def shell(words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", words], capture_output=True, text=True, timeout=120, check=False, **more)


@pytest.fixture
def rows(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"gold": 2, "pred": "The answer is 2."}\n')
    return tmp_path / "rows.jsonl"


def test_what_is_closed_takes_and_gives_nothing(rows):
    done = shell(f"{AURIFY} grade {rows} --answers number >&-")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "1 right" in done.stderr
    done = shell(f"{AURIFY} grade {rows} --answers number 2>&-")
    assert (done.returncode, '"verdict": "right"' in done.stdout, done.stderr) == (0, True, "")
    done = shell(f"{AURIFY} grade - --answers number <&-")
    assert "Traceback" not in done.stderr


def test_no_file_gets_the_descriptor_of_a_closed_stream():
    code = (
        "import os; from aurify.cli.streams import settle_streams; settle_streams()\n"
        "taken = os.open(os.devnull, os.O_RDONLY); os._exit(0 if taken > 2 else 1)"
    )
    assert shell(f'{sys.executable} -c "{code}" <&- >&- 2>&-').returncode == 0


@pytest.mark.skipif(not FULL.exists(), reason="Linux alone has a device that is always full")
def test_standard_output_that_is_full_is_named(rows):
    done = shell(f"{AURIFY} grade {rows} --answers number > {FULL}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "aurify: standard output: No space left on device"


@pytest.mark.skipif(not FULL.exists(), reason="Linux alone has a device that is always full")
def test_standard_error_that_is_full_ends_no_work(rows):
    done = shell(f"{AURIFY} grade {rows} --answers number 2> {FULL}")
    assert (done.returncode, '"verdict": "right"' in done.stdout) == (0, True)


def test_a_reader_of_standard_error_that_leaves_ends_no_work():
    code = (
        "import os, sys; from aurify.cli.streams import settle_streams; settle_streams()\n"
        "from aurify.cli.progress import say; from aurify.running.progress import TerminalWatcher\n"
        "read, write = os.pipe(); os.dup2(write, 2); os.close(write); os.close(read)\n"
        "say('nobody'); TerminalWatcher().say('hears'); print('done', file=sys.stdout)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_a_command_is_named(number):
    code = (
        "import time; from aurify.cli import app\n"
        "app.build = lambda: lambda *words, **more: (print('asleep', flush=True), time.sleep(60))\n"
        "app.main()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "asleep\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, f"aurify: stopped by {number.name}\n")
