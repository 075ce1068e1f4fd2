"""Two processes over gloo: what ends one of them ends both, at the same place, with its reason."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"


def zero_division(rank: int) -> float:
    return 1 / (1 - rank)


def usage(rank: int) -> int:
    from aurify.errors import UsageError

    if rank == 1:
        raise UsageError("--lr 7: too much")
    return rank


def long_work(rank: int) -> None:
    if rank == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(100)


def work(folder: Path) -> None:
    """Every case in one process of two; what came of each is written down."""
    from aurify.running.world import World

    world, found = World(), {}
    rank = int(os.environ["RANK"])

    def tried(name: str, act: Callable[[], object]) -> None:
        begun = time.monotonic()
        try:
            found[name] = ["", act()]
        except Exception as error:
            found[name] = [type(error).__name__, str(error)]
        found[name].append(time.monotonic() - begun)

    def die() -> None:
        with world.ending_together():
            if rank == 1:
                os._exit(1)
            world.any(False)

    with world.ending_together(), world.stop:
        tried("map", lambda: world.map(lambda mine: [10 * item for item in mine], range(5)))
        tried("few", lambda: world.map(lambda mine: [10 * item for item in mine], range(1)))
        tried("together", lambda: world.together(lambda: rank))
        tried("once", lambda: world.once(lambda: rank))
        tried("any", lambda: world.any(rank == 1))
        tried("wrong usage", lambda: world.map(lambda mine: [usage(rank) for _ in mine], range(4)))
        tried("fault", lambda: world.together(lambda: zero_division(rank)))
        tried("fault of the first", lambda: world.once(lambda: zero_division(1)))
        tried("after all that", lambda: world.map(lambda mine: mine, range(3)))
        tried("stop", lambda: world.together(world.stop.breaking(lambda: long_work(rank))))
        tried("then", lambda: world.together(world.stop.breaking(lambda: 0)))
        tried("asked", lambda: world.stop.asked)
    tried("gone", die)
    (folder / f"{rank}.json").write_text(json.dumps(found), encoding="utf-8")


@pytest.fixture(scope="module")
def found(run_python, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """What came of each case in rank 0."""
    folder = tmp_path_factory.mktemp("world")
    script = "import sys; sys.path[:0] = sys.argv[2:]; from functools import partial; from pathlib import Path; "
    script += "from ranks import in_processes; import test_world; "
    script += "in_processes(2, partial(test_world.work, Path(sys.argv[1])))"
    done = run_python("-c", script, folder, SUPPORT, Path(__file__).parent)
    assert (folder / "0.json").exists(), done.stderr
    return json.loads((folder / "0.json").read_text(encoding="utf-8"))


def test_work_is_shared_and_comes_back_in_order(found):
    assert found["map"][:2] == ["", [0, 10, 20, 30, 40]]
    assert found["few"][:2] == ["", [0]]
    assert found["together"][:2] == ["", 0]
    assert found["once"][:2] == ["", 0]
    assert found["any"][:2] == ["", True]


def test_an_error_of_one_is_an_error_of_all(found):
    assert found["wrong usage"][:2] == ["UsageError", "rank 1 of 2: --lr 7: too much"]
    assert found["fault"][:2] == ["AurifyError", "rank 1 of 2: ZeroDivisionError: division by zero"]
    assert found["fault of the first"][:2] == ["ZeroDivisionError", "division by zero"]
    assert found["after all that"][:2] == ["", [0, 1, 2]]  # they were at the same place all the time


def test_a_wish_to_stop_breaks_all_off(found):
    assert found["stop"][0] == "Interrupted"
    assert found["stop"][2] < 20
    assert found["then"][0] == "Interrupted"
    assert found["asked"][:2] == ["", True]


def test_one_that_is_gone_is_told_in_a_line(found):
    assert found["gone"][:2] == ["AurifyError", "rank 1 of 2 was killed, or ended without a word"]
    assert found["gone"][2] < 20
