"""Work in 1, 2 or 4 processes as torchrun would start them, over gloo, after one import: ``python ranks.py plan.json``.

The plan is a list of ``{"processes": N, "runs": [arguments of aurify.train, ...]}``, taken one after another; arguments
with ``from_`` are ``DistillSettings``.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


def main(plan: list[dict[str, Any]]) -> int:
    import accelerate  # noqa: F401  # imported before the processes part
    import peft  # noqa: F401
    import transformers  # noqa: F401

    import aurify.distillation.run
    import aurify.training.run
    from aurify.distillation.settings import DistillSettings

    def training(runs: list[dict[str, Any]]) -> None:
        for run in runs:
            if "from_" in run:
                aurify.distillation.run.run_distillation(DistillSettings(**run))
            else:
                aurify.train(**run)

    return int(not all(in_processes(entry["processes"], partial(training, entry["runs"])) for entry in plan))


def in_processes(n: int, work: Callable[[], object]) -> bool:
    """Have ``n`` forks of this process do the same work, each with its rank; whether none of them failed."""
    children = [fork(environment, work) for environment in environments(n)]
    statuses = [os.waitpid(child, 0)[1] for child in children]
    return not any(statuses)


def environments(n: int) -> list[dict[str, str]]:
    """What torchrun would tell each of ``n`` processes; one alone is told nothing of others."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"ACCELERATE_USE_CPU": "true"}
    if n > 1:
        common |= {"WORLD_SIZE": str(n), "LOCAL_WORLD_SIZE": str(n), "MASTER_ADDR": "127.0.0.1"}
        common |= {"MASTER_PORT": str(port)}
    return [{**common, "RANK": str(rank), "LOCAL_RANK": str(rank)} if n > 1 else common for rank in range(n)]


def fork(environment: dict[str, str], work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.environ.update(environment)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
