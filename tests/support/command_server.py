"""The command line in forks of one process that has imported the libraries: importing them takes most of a short run.

``CommandServer().run(["train", ...], cwd=..., stdin=...)`` is what ``python -m aurify train ...`` is, some seconds
sooner; ``begin`` does not wait for its end. A fork runs the same ``main``, ends as a process does, and has its own
signals, folder and standard streams. Words that begin as Python's do, with ``-c`` or a script, are Python's.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "pyarrow.parquet", "sklearn.linear_model")
STREAMS = ("stdin", "stdout", "stderr")
COMMANDS = ("training.run", "distillation.run", "evaluation.run", "doctor.run", "collecting.run", "voting.train")


class Command:
    """A command that goes on, with what is needed of ``subprocess.Popen``. Its end is asked of the server."""

    def __init__(self, server: CommandServer, pid: int, folder: tempfile.TemporaryDirectory[str]) -> None:
        self._server, self._folder = server, folder
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its return code; None: it has not ended."""
        if self.returncode is None:
            self.returncode = self._server.ask({"pid": self.pid, "timeout": 0})
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = 240) -> int:
        """Its return code.

        Raises:
            subprocess.TimeoutExpired: it took longer than so many seconds, and was killed.
        """
        if self.returncode is None:
            self.returncode = self._server.ask({"pid": self.pid, "timeout": timeout})
        if self.returncode is None:
            self.returncode = -signal.SIGKILL
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return self.returncode

    def communicate(self, timeout: float = 240) -> tuple[str, str]:
        """What it wrote to its standard output and error until its end."""
        self.wait(timeout)
        output, errors = (
            Path(self._folder.name, name).read_text(encoding="utf-8", errors="replace") for name in STREAMS[1:]
        )
        return output, errors


class CommandServer:
    """Starts with its first command; ``close`` ends it."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def run(
        self, words: Sequence[str], *, cwd: Path, stdin: str, timeout: float, path: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """The finished command, with this process's variables; ``path``: more folders to import from.

        Raises:
            subprocess.TimeoutExpired: it took longer than so many seconds, and was killed.
        """
        command = self.begin(words, cwd=cwd, stdin=stdin, path=path)
        output, errors = command.communicate(timeout)
        return subprocess.CompletedProcess(list(words), command.wait(), output, errors)

    def begin(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        stdin: str = "",
        path: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Command:
        """A command that goes on by itself; ``env``: variables beside this process's."""
        folder = tempfile.TemporaryDirectory()  # it goes with the command
        streams = [Path(folder.name, name) for name in STREAMS]
        streams[0].write_text(stdin, encoding="utf-8")
        asked = {
            "words": list(words), "cwd": str(cwd), "streams": list(map(str, streams)), "path": list(path),
            "env": {**os.environ, "PYTHONUTF8": "1", **(env or {})},
        }  # fmt: skip
        if self._server is None or self._server.poll() is not None:  # tests of killed processes may end this one
            self._server = subprocess.Popen(
                [sys.executable, "-X", "utf8", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        pid = self.ask(asked)
        assert pid is not None
        return Command(self, pid, folder)

    def ask(self, asked: Mapping[str, Any]) -> int | None:
        """The server's answer."""
        assert self._server is not None
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        told: int | None = json.loads(self._server.stdout.readline())
        return told

    def close(self) -> None:
        if self._server is not None:
            assert self._server.stdin is not None
            self._server.stdin.close()
            self._server.wait()


def serve() -> None:
    """Fork for every line of standard input; in a fork, become the command and return."""
    import importlib

    for name in (*LIBRARIES, *(f"aurify.{command}" for command in COMMANDS)):
        importlib.import_module(name)
    importlib.import_module("aurify.models").load_model("nugget")  # with which transformers imports more
    gc.freeze()  # a collection in a fork would write to every object, and so copy the memory that it shares
    for line in sys.stdin:
        asked = json.loads(line)
        if "pid" in asked:
            answer = ended(asked["pid"], asked["timeout"])
        elif not (answer := os.fork()):
            become(asked)
            return
        print(json.dumps(answer), flush=True)
    os._exit(0)


def ended(child: int, timeout: float) -> int | None:
    """A child's return code, as subprocess gives it; None: it was killed for its time was up, or had none."""
    if not timeout:
        pid, status = os.waitpid(child, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(int(timeout))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if not signal.alarm(0) and code == -signal.SIGKILL else code


def become(asked: dict[str, Any]) -> None:
    """Make this fork the process that a command would be."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.path[:0] = asked["path"]
    for number, name in enumerate(asked["streams"]):
        opened = os.open(name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = asked["words"]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # it is the process's own


def run_words() -> None:
    """What the words of this process name: code, a script, or a command of aurify."""
    first = sys.argv[0] if sys.argv else ""
    if first == "-c":
        code = sys.argv.pop(1)
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
    elif first.endswith(".py"):
        sys.path.insert(0, str(Path(first).parent))
        runpy.run_path(first, run_name="__main__")
    else:
        from aurify.cli.app import main

        sys.argv.insert(0, "aurify")
        main()


if __name__ == "__main__":
    serve()
    run_words()
