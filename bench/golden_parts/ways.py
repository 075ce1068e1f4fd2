"""How a golden run is run: beside others in one process, killed or stopped and resumed, or in two processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from golden_parts.runs import Run

UNKNOWN = "unknown here"
"""How a failure begins where the source does not know the method or a setting."""


class Worker:
    """One process that runs plain commands in turn, so that the libraries are imported once."""

    CODE = (
        "import json, sys\n"
        "from aurify.cli.app import build, exit_status\n"
        "for line in sys.stdin:\n"
        "    status = exit_status(build, json.loads(line))\n"
        "    sys.stdout.write(f'@@ {status}\\n')\n"
        "    sys.stdout.flush()\n"
    )

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in close()
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.CODE], cwd=folder, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip

    def run(self, run: Run) -> str:
        """Run a command; why it failed, or nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(run.words) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return self._why(1)
        for line in self._process.stdout:
            if line.startswith("@@ "):
                return "" if line == "@@ 0\n" else self._why(int(line.split()[1]))
        return self._why(1)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._log.close()

    def _why(self, status: int) -> str:
        self._log.seek(0)
        return why(status, self._log.read())


def run_killed(run: Run, folder: Path, environment: dict[str, str]) -> str:
    """Kill it after a step, and let it go on."""
    return interrupted(run, folder, environment, signal.SIGKILL)


def run_stopped(run: Run, folder: Path, environment: dict[str, str]) -> str:
    """Ask it to stop after a step, and let it go on."""
    return interrupted(run, folder, environment, signal.SIGTERM)


def interrupted(run: Run, folder: Path, environment: dict[str, str], number: int) -> str:
    metrics, after = folder / "runs" / run.name / "metrics.jsonl", int(run.way.split()[1])
    command = [sys.executable, "-m", "aurify", *run.words]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        while process.poll() is None and steps_of(metrics) < after:
            time.sleep(0.01)
        process.send_signal(number)
        if process.wait() == 0:
            return "it ended before it could be interrupted"
    return in_one_process([*command, "--resume"], folder, environment)


def run_in_two(run: Run, folder: Path, environment: dict[str, str]) -> str:
    """Two processes on one core, over gloo."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "aurify"]
    return in_one_process([*torchrun, *run.words], folder, environment)


def in_one_process(command: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return why(done.returncode, done.stderr) if done.returncode else ""


WAYS: dict[str, Callable[[Run, Path, dict[str, str]], str]] = {
    "kill": run_killed, "stop": run_stopped, "two": run_in_two,
}  # fmt: skip


def steps_of(metrics: Path) -> int:
    """How many steps a run has written."""
    return metrics.read_text(encoding="utf-8").count('"updated"') if metrics.exists() else 0


def why(status: int, said: str) -> str:
    """Why a command failed: what it said last. Status 2 is that of a method or a setting that it does not know."""
    line = (said.strip().splitlines() or ["it said nothing"])[-1]
    return f"{UNKNOWN}: {line}" if status == 2 else line
