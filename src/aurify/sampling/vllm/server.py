"""A vLLM server that aurify starts itself and that ends with it.

vLLM's pins clash with everyone's, so it runs from an interpreter of its own (``make vllm`` sets one up). It listens on
a Unix socket in a folder that only this user may enter: the calls that publish weights are not protected otherwise.
"""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from aurify.errors import AurifyError
from aurify.sampling.vllm import guard
from aurify.sampling.vllm.http import UNIX, Http, Refused, Unreachable

PYTHON_VARIABLE = "AURIFY_VLLM_PYTHON"
ENVIRONMENT = ".venv-vllm"
START_SECONDS = 600.0
"""How long loading may take: weights, and on a GPU the compilation of the graphs."""


class ServerPlan(NamedTuple):
    """What is to be served, and how."""

    model: str
    """A folder or hub name with full weights, and the name under which they are served."""
    dtype: str = "float32"
    max_lora_rank: int = 0
    """0: no adapter will be published."""
    gpu: bool = False
    weights: str | None = None
    """Another folder that the weights are read from."""

    def arguments(self) -> list[str]:
        """The server's command line, without its address."""
        words = ["--model", self.weights or self.model, "--tokenizer", self.model, "--served-model-name", self.model]
        words += ["--dtype", self.dtype, "--generation-config", "vllm"]
        words += ["--max-model-len", "auto", "--disable-uvicorn-access-log"]
        if self.max_lora_rank:
            words += ["--enable-lora", "--max-lora-rank", str(_lora_rank(self.max_lora_rank))]
        # On a GPU the trainer lives there too. On a CPU compiling takes longer than it saves.
        if self.gpu:
            return [*words, "--gpu-memory-utilization", "0.45"]
        # A seeded request whose prompt is prefilled in two steps ends vLLM 0.32.0 on a CPU, so prompts run whole.
        return [*words, "--enforce-eager", "--no-enable-chunked-prefill"]


class VllmServer:
    """A running vLLM server, and its end.

    Args:
        plan: what to serve.
        log: the file that takes what the server says; without it a temporary one, which goes with the server.
        key: what it asks of clients; without one, a secret of its own.

    Raises AurifyError where vLLM is not installed, or ends before it answers; its own words are in the message.
    """

    def __init__(self, plan: ServerPlan, *, log: Path | None = None, key: str | None = None) -> None:
        python = find_python()
        self._folder = Path(tempfile.mkdtemp(prefix="aurify-vllm-"))
        self._log, self._log_stays = log or self._folder / "server.log", log is not None
        self.key = key or secrets.token_urlsafe(24)
        socket = self._folder / "socket"
        command = [
            sys.executable, "-I", str(Path(guard.__file__)), str(os.getpid()),
            str(python), "-m", "vllm.entrypoints.openai.api_server", "--uds", str(socket), *plan.arguments(),
        ]  # fmt: skip
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                cwd=self._folder, env=_environment(self.key, plan.gpu),
            )  # fmt: skip
        self.http = Http(f"{UNIX}{socket}", key=self.key)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process that guards the server; it leads a session of its own."""
        return self._process.pid

    def explain(self) -> str:
        """How the server stands, in half a line: its status and last words where it has ended."""
        with suppress(subprocess.TimeoutExpired):  # a broken connection may come a moment before the end
            self._process.wait(5.0)
            return f"the vLLM server has ended (status {self._process.returncode}): {self._last_words()}"
        return f"the vLLM server runs but does not answer; it said last: {self._last_words()}"

    def close(self) -> None:
        """End the server and its workers, and remove what it left."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(guard.GRACE_SECONDS + 5)
            self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> VllmServer:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                status = self._process.returncode
                raise AurifyError(f"the vLLM server did not start (status {status}): {self._last_words()}")
            with suppress(Unreachable, Refused):
                self.http.get("/health")
                return
            time.sleep(0.1)
        raise AurifyError(f"the vLLM server did not answer within {START_SECONDS:g} s: {self._last_words()}")

    def _last_words(self) -> str:
        return last_words(self._log) + (f" (its log: {self._log})" if self._log_stays else "")


def find_python() -> Path:
    """The interpreter that has vLLM: the one named in the environment, ``.venv-vllm``, or this one.

    Raises AurifyError where there is none.
    """
    if named := os.environ.get(PYTHON_VARIABLE):
        if not os.access(named, os.X_OK) or not Path(named).is_file():
            raise AurifyError(f"{PYTHON_VARIABLE}={named}: not an interpreter; name the python of vLLM's environment")
        return Path(named)
    for folder in (Path(sys.prefix).parent, Path.cwd()):  # beside .venv, or where the user stands
        python = folder / ENVIRONMENT / "bin" / "python"
        if python.exists():
            return python
    if importlib.util.find_spec("vllm") is not None:
        return Path(sys.executable)
    raise AurifyError(
        f"--sampler vllm: vLLM is not installed: run 'make vllm', name its interpreter in {PYTHON_VARIABLE}, "
        "or give the --vllm-url of a running server"
    )


def last_words(log: Path) -> str:
    """The last line of a server's log that names an error, else its last line."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "it left no log"
    # vLLM puts "(EngineCore pid=7) ERROR 11-21 08:00:00 [core.py:1] " in front of each line of a traceback.
    lines = [re.sub(r"^(\(.*?\) )?(ERROR [-\d]+ [:\d]+ \[.*?\] )?", "", line).strip() for line in text.splitlines()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b.*: \S", line)]
    # An engine that fails takes its parent with it, which then says only that it did.
    told = [line for line in errors if "Engine core initialization failed" not in line]
    chosen = (told or errors or [line for line in lines if line] or ["it said nothing"])[-1]
    return chosen[:300]


def _lora_rank(rank: int) -> int:
    """The smallest rank that vLLM can be started with and that holds ``rank``."""
    return next((allowed for allowed in (8, 16, 32, 64, 128, 256, 320, 512) if rank <= allowed), rank)


def _environment(key: str, gpu: bool) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return {
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; a wish of the user's own wins
        "VLLM_NO_USAGE_STATS": "1",
        **(
            {} if gpu else {"TORCHDYNAMO_DISABLE": "1"}
        ),  # else the first request compiles the ranks of log-probabilities
        **inherited,
        "VLLM_API_KEY": key,
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
        "VLLM_SERVER_DEV_MODE": "1",  # the calls that reload weights and reset the prefix cache
    }
