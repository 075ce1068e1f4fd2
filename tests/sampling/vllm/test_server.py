"""Real processes around a small server that stands in for vLLM's: how it starts, and that it never stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aurify.errors import AurifyError
from aurify.sampling.vllm.http import Unreachable
from aurify.sampling.vllm.server import PYTHON_VARIABLE, ServerPlan, VllmServer, find_python, last_words

STAND_IN = '''#!{python} -S
"""Takes vLLM's command line, listens on its socket, and keeps a worker process, as an engine is."""
import http.server, os, socketserver, subprocess, sys, time

words = sys.argv[1:]
print("started with", words, flush=True)
mode = os.environ.get("STAND_IN", "")
if mode == "fail":
    print("Traceback (most recent call last):\\n  File x\\nValueError: not enough memory for the cache", flush=True)
    raise SystemExit(3)
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
worker = subprocess.Popen([sys.executable, "-S", "-c", deaf])
open(os.environ["PIDS"], "w").write(f"{{os.getpid()}} {{worker.pid}}")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            print("RuntimeError: the engine is dead", flush=True)
            os._exit(7)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()
    def address_string(self):
        return "unix"

class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

Unix(words[words.index("--uds") + 1], Handler).serve_forever()
'''


@pytest.fixture
def pids(tmp_path, monkeypatch):
    """Makes the stand-in the interpreter of vLLM; the function gives the processes of the server, once they are."""
    script = tmp_path / "python-with-vllm"
    script.write_text(STAND_IN.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.setenv(PYTHON_VARIABLE, str(script))
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))

    def read() -> list[int]:
        while not (tmp_path / "pids").exists() or len((tmp_path / "pids").read_text().split()) < 2:
            time.sleep(0.01)
        return [int(word) for word in (tmp_path / "pids").read_text().split()]

    return read


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def all_end(pids: list[int], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_server_runs_with_the_plan_and_ends_with_its_workers(pids, tmp_path):
    plan = ServerPlan("some/model", dtype="bfloat16", max_lora_rank=20)
    with VllmServer(plan, log=tmp_path / "out" / "server.log") as server:
        assert all(map(alive, pids()))
        assert os.getpgid(server.pid) == server.pid != os.getpgrp()  # Ctrl-C at the terminal does not reach it
        folder = Path(server.http.url.removeprefix("unix:")).parent
        assert folder.stat().st_mode & 0o077 == 0
        assert server.explain().startswith("the vLLM server runs but does not answer")
    assert all_end([server.pid, *pids()])
    assert not folder.exists()
    said = (tmp_path / "out" / "server.log").read_text()
    for words in (
        "'-m', 'vllm.entrypoints.openai.api_server'", "'--model', 'some/model'", "'--served-model-name', 'some/model'",
        "'--dtype', 'bfloat16'", "'--enable-lora', '--max-lora-rank', '32'", "'--generation-config', 'vllm'",
    ):  # fmt: skip
        assert words in said


def test_weights_may_come_from_another_folder_and_no_adapter_be_wanted():
    words = " ".join(ServerPlan("some/model", weights="folder", gpu=True).arguments())
    assert "--model folder --tokenizer some/model --served-model-name some/model" in words
    assert "lora" not in words
    assert "--enforce-eager" not in words


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_does_not_outlive_the_process_that_started_it(pids, number):
    code = (
        "import time; from aurify.sampling.vllm.server import *\n"
        "server = VllmServer(ServerPlan('m')); print(server.pid, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    assert owner.stdout is not None
    guard = int(owner.stdout.readline())
    assert all(map(alive, [guard, *pids()]))
    owner.send_signal(number)
    owner.wait()
    assert all_end([guard, *pids()])


@pytest.mark.skipif(sys.platform != "linux", reason="a parent's death is a signal on Linux only")
def test_the_server_does_not_outlive_its_guard(pids):
    with VllmServer(ServerPlan("m")) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert all_end([server.pid, pids()[0]])
    os.kill(pids()[1], signal.SIGKILL)  # vLLM's own workers watch their parent


def test_a_server_that_does_not_start_says_why(pids, monkeypatch, tmp_path):
    monkeypatch.setenv("STAND_IN", "fail")
    with pytest.raises(AurifyError) as caught:
        VllmServer(ServerPlan("m"), log=tmp_path / "server.log")
    assert str(caught.value) == (
        "the vLLM server did not start (status 3): ValueError: not enough memory for the cache "
        f"(its log: {tmp_path / 'server.log'})"
    )


def test_a_server_that_dies_says_why(pids):
    with VllmServer(ServerPlan("m")) as server:
        with pytest.raises(Unreachable):
            server.http.get("/crash")
        assert server.explain() == "the vLLM server has ended (status 7): RuntimeError: the engine is dead"
        assert all_end(pids())


def test_where_the_interpreter_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.delenv(PYTHON_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "checkout" / ".venv"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AurifyError, match="vLLM is not installed: run 'make vllm'"):
        find_python()
    for folder in (tmp_path, tmp_path / "checkout"):
        python = folder / ".venv-vllm" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        assert find_python() == python
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(AurifyError, match="not an interpreter"):
        find_python()


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("INFO fine\nall well\n\n", "all well"),
        ("", "it said nothing"),
        (
            "(EngineCore pid=7) ERROR 11-21 08:00:00 [core.py:1] ValueError: too long\n"
            "RuntimeError: Engine core initialization failed. See root cause above.\nbye",
            "ValueError: too long",
        ),
    ],
)
def test_last_words(tmp_path, log, words):
    (tmp_path / "log").write_text(log)
    assert last_words(tmp_path / "log") == words
    assert last_words(tmp_path / "none") == "it left no log"
