"""What a run tells a tracker is what stands in its metrics, and no tracker's failure costs a run anything."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import aurify
from aurify.errors import UsageError
from aurify.nugget import generate
from aurify.running.tracking import Trackers


def train(out: Path, *track: str) -> list[dict[str, Any]]:
    """The metrics of a short run that also logs to these."""
    questions = generate("object_counting", 6, seed=1)
    aurify.train(
        "trice", model="nugget", data=questions[:4], held_out=questions[4:], out=out, steps=2, questions=4,
        memory="none", max_new_tokens=60, track=list(track),
    )  # fmt: skip
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def check(lines: list[dict[str, Any]], read: Callable[[str], list[float]]) -> None:
    """The tracker's series of three numbers are those of the metrics."""
    steps = [line for line in lines if "acceptance" in line]
    for name, wanted in (
        ("acceptance", [line["acceptance"] for line in steps]),
        ("tokens_per_second", [line["timing"]["tokens_per_second"] for line in steps]),
        ("held_out_accuracy", [line["held_out"]["accuracy"] for line in lines if "held_out" in line]),
    ):
        assert len(wanted) == 2
        assert read(name) == pytest.approx(wanted, rel=1e-5), name


def test_tensorboard_gets_the_numbers_of_every_step(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    lines = train(tmp_path / "run", "tensorboard")
    found = events.EventAccumulator(str(tmp_path / "run" / "aurify"))
    found.Reload()
    check(lines, lambda name: [scalar.value for scalar in found.Scalars(name)])


def test_trackio_gets_the_numbers_of_every_step(tmp_path: Path) -> None:
    """In a process of its own, since trackio reads its folder's name when it is imported."""
    pytest.importorskip("trackio")
    code = f"""if True:
        import sys, pathlib
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_tracking import train
        train(pathlib.Path({str(tmp_path / "named")!r}), "trackio")"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=_environment(tmp_path, TRACKIO_DIR=str(tmp_path / "trackio")),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "named" / "metrics.jsonl").read_text().splitlines()]
    with sqlite3.connect(tmp_path / "trackio" / "aurify.db") as base:
        rows = base.execute("SELECT run_name, metrics FROM metrics ORDER BY id").fetchall()
    assert {name for name, _ in rows} == {"named"}
    logged = [json.loads(metrics) for _, metrics in rows]
    check(lines, lambda name: [one[name] for one in logged if name in one])


def test_wandb_gets_the_numbers_of_every_step_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    for name, value in {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path), "WANDB_SILENT": "true"}.items():
        monkeypatch.setenv(name, value)
    lines = train(tmp_path / "named", "wandb")
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    until = time.monotonic() + 60
    while not (records := list(_records(file))) or not records[-1].HasField("exit"):  # its own process writes it
        assert time.monotonic() < until
        time.sleep(0.1)
    assert next(one.run.display_name for one in records if one.HasField("run")) == "named"
    logged = [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in one.history.item}
        for one in records
        if one.HasField("history")
    ]
    check(lines, lambda name: [one[name] for one in logged if name in one])


def test_a_tracker_that_cannot_start_stops_the_run_before_anything_is_done(tmp_path: Path) -> None:
    """Nobody is logged in, and there is no terminal to ask at: one line, and the same folder can be begun again."""
    pytest.importorskip("wandb")
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"question": q.text, "answer": q.answer}) + "\n" for q in generate("object_counting", 6, 1))
    )
    command = [
        sys.executable, "-m", "aurify", "train", "trice", "--model", "nugget", "--data", "rows.jsonl", "--out", "run",
        "--steps", "1", "--questions", "2", "--memory", "none", "--max-new-tokens", "20",
    ]  # fmt: skip
    environment = _environment(tmp_path, NETRC=str(tmp_path / "none"), WANDB_DIR=str(tmp_path))
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        environment.pop(name, None)

    def run(*more: str) -> tuple[int, str]:
        done = subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr

    status, said = run("--track", "wandb")
    assert (status, "Traceback" in said) == (1, False), said
    last = said.strip().splitlines()[-1]
    assert last.startswith("aurify: --track wandb: it cannot start: No API key configured"), said
    assert last.endswith("WANDB_MODE=offline")
    status, said = run()
    assert status == 0, said


def test_a_tracker_that_fails_on_the_way_is_left_out_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose network goes away at its second step, beside one that lives."""
    said: list[str] = []
    kept: dict[str, list[float]] = {}

    class Onlooker:
        requires_logging_directory = False
        name = "tensorboard"

        def __init__(self, project: str, **more: str) -> None:
            kept[self.name] = []

        def start(self) -> None: ...

        def store_init_configuration(self, config: dict[str, Any]) -> None: ...

        def log(self, values: dict[str, float], step: int) -> None:
            kept[self.name].append(values["loss"])

        def finish(self) -> None:
            raise OSError("disk full")

    class Remote(Onlooker):
        name = "trackio"

        def log(self, values: dict[str, float], step: int) -> None:
            if step >= 2:
                raise ConnectionError("the server is gone\nsince noon")
            super().log(values, step)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("accelerate.tracking.LOGGER_TYPE_TO_CLASS", {"tensorboard": Onlooker, "trackio": Remote})
    trackers = Trackers(["tensorboard", "trackio"], None, said.append)
    trackers.start({})
    for step in (1, 2, 3):
        trackers.log({"loss": step / 2}, step)
    trackers.close()
    assert kept == {"tensorboard": [0.5, 1.0, 1.5], "trackio": [0.5]}
    assert said == [
        "--track trackio: left out from step 2 on: the server is gone",
        "--track tensorboard: its log may lack its end: disk full",
    ]


def test_a_tracker_that_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"--track wandb: not installed: pip install 'aurify\[wandb\]'"):
        Trackers(["wandb"])


def _environment(home: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "HOME": str(home), "HF_HUB_OFFLINE": "1", **more}


def _records(file: Path) -> Iterator[Any]:
    """The records of wandb's log on disk: blocks of 32 KiB with pieces of records behind a header of 7 bytes each."""
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[import-untyped]

    data, at, piece = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        piece += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last of several
            record = Record()
            record.ParseFromString(piece)
            yield record
            piece = b""
