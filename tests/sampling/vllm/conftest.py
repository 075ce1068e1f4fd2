"""The toy server, and a real vLLM server where one is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_vllm import Toy

from aurify import nugget
from aurify.errors import AurifyError
from aurify.sampling.vllm.server import ServerPlan, VllmServer, find_python


@pytest.fixture
def toy() -> Iterator[Toy]:
    server = Toy()
    yield server
    server.close()


@pytest.fixture(scope="session")
def vllm_python() -> Path:
    """The interpreter that has vLLM."""
    try:
        return find_python()
    except AurifyError:
        pytest.skip("vLLM is not installed: make vllm")


@pytest.fixture(scope="session")
def vllm_server(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """The nugget on a real vLLM server, with room for adapters; it takes 20 seconds on a free core."""
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with VllmServer(ServerPlan(str(nugget.path()), max_lora_rank=8), log=log) as server:
        yield server
