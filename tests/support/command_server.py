"""The command line in forks of one process that has imported the libraries: importing them takes most of a short run.

``CommandServer().run(["train", ...], cwd=..., stdin=...)`` is what ``python -m aurify train ...`` is, some seconds
sooner. A fork runs the same ``main``, ends as a process does, and has its own signals, folder and standard streams.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "pyarrow.parquet", "sklearn.linear_model")
COMMANDS = ("training.run", "distillation.run", "evaluation.run", "doctor.run", "collecting.run", "voting.train")


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
        if self._server is None or self._server.poll() is not None:  # tests of killed processes may end this one
            self._server = subprocess.Popen(
                [sys.executable, "-X", "utf8", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
            streams[0].write_text(stdin, encoding="utf-8")
            asked = {
                "words": list(words), "cwd": str(cwd), "streams": list(map(str, streams)), "timeout": timeout,
                "path": list(path), "env": {**os.environ, "PYTHONUTF8": "1"},
            }  # fmt: skip
            self._server.stdin.write(json.dumps(asked) + "\n")
            self._server.stdin.flush()
            told = json.loads(self._server.stdout.readline())
            if told is None:
                raise subprocess.TimeoutExpired(list(words), timeout)
            output, errors = (stream.read_text(encoding="utf-8", errors="replace") for stream in streams[1:])
        return subprocess.CompletedProcess(list(words), told, output, errors)

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
        child = os.fork()
        if not child:
            become(asked)
            return
        print(json.dumps(ended(child, asked["timeout"])), flush=True)
    os._exit(0)


def ended(child: int, timeout: float) -> int | None:
    """A child's return code, as subprocess gives it; None: it was killed for its time was up."""
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
    sys.argv = ["aurify", *asked["words"]]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # it is the process's own


if __name__ == "__main__":
    serve()
    from aurify.cli.app import main

    main()
