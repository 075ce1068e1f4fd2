"""Fixtures that every room's tests share. Nothing here, and nothing in a test, needs the network."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from command_server import Command, CommandServer
from hypothesis import settings

pytest_plugins = ["nat_models"]

# Set before torch or Hugging Face libraries are first imported, and inherited by every command a test runs.
os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", NO_COLOR="1", COLUMNS="120")

# What hundreds of interpreters import is compiled once, also where the machine's habit is to keep nothing.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:  # as for a suite in the background: its commands would ignore it too
        signal.signal(number, lambda *_: None)

gc.disable()  # until all tests are imported, and with them libraries whose objects live on


def pytest_collection_finish() -> None:
    """From here on no search for garbage goes through what was imported."""
    gc.freeze()
    gc.enable()


settings.register_profile("aurify", deadline=None, derandomize=True)  # the same examples on every machine, slow or fast
settings.load_profile("aurify")

REPOSITORY = Path(__file__).parents[1]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
Begin = Callable[..., Command]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published data sets, beside the checkout."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the published data sets are not here: {folder} (see CONTRIBUTING.md)")
    return folder


@pytest.fixture(scope="session")
def real_models() -> Path:
    """The folder of pretrained models at the root of the checkout, which git does not hold."""
    folder = REPOSITORY / "models"
    if not folder.is_dir():
        pytest.skip(f"no pretrained models here: {folder} (see CONTRIBUTING.md)")
    return folder


@pytest.fixture(scope="session")
def command_server() -> Iterator[CommandServer]:
    """One for all commands that need no process from the beginning."""
    server = CommandServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def begin_aurify(command_server: CommandServer) -> Begin:
    """The command line as ``run_aurify`` runs it, in the current folder, and not waited for: see ``Command``."""

    def begin(*words: object, env: dict[str, str] | None = None, path: Sequence[object] = ()) -> Command:
        return command_server.begin(list(map(str, words)), cwd=Path.cwd(), env=env, path=list(map(str, path)))

    return begin


@pytest.fixture(scope="session")
def run_python(command_server: CommandServer) -> Run:
    """``python -c CODE ...`` or ``python SCRIPT ...`` in the current folder and a fork that has the libraries."""

    def run(*words: object, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        return command_server.run(list(map(str, words)), cwd=Path.cwd(), stdin="", timeout=timeout)

    return run


@pytest.fixture
def run_aurify(tmp_path: Path, command_server: CommandServer) -> Run:
    """The real command line in a process of its own: ``run_aurify("grade", "rows.jsonl", stdin="...")``.

    It runs in ``tmp_path`` unless ``cwd`` says otherwise, in a fork that has the libraries already; ``path``: more
    folders to import from. With ``env``, variables to add or none, the process begins with the interpreter.
    """

    def run(
        *words: object,
        stdin: str = "",
        cwd: Path = tmp_path,
        env: dict[str, str] | None = None,
        path: Sequence[object] = (),
        timeout: float = 240,
    ) -> subprocess.CompletedProcess[str]:
        if env is None:
            given, more = list(map(str, words)), list(map(str, path))
            return command_server.run(given, cwd=cwd, stdin=stdin, timeout=timeout, path=more)
        command = [sys.executable, "-m", "aurify", *map(str, words)]
        environment = {**os.environ, "PYTHONUTF8": "1", **env}
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, cwd=cwd, env=environment, timeout=timeout
        )

    return run


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama (2 layers, hidden 32, grouped-query attention) with a byte-level tokenizer, as saved folders are.

    Vocabulary: 256 bytes, ``<bos>``, ``<eos>`` and ``<pad>``; every text round-trips.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.set_num_threads(1)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", model_max_length=512
    )
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        bos_token_id=fast.bos_token_id,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
        tie_word_embeddings=False,
    )
    folder = tmp_path_factory.mktemp("tiny-model")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
