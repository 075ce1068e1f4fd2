"""Faults at length: runs of every kind are broken in a random way, go on, and must end as one that was left alone.

    nice .venv/bin/python bench/faults.py --seconds 900 --seed 1     # prints a table; --only WORD, --source FOLDER/src

The kinds are the single-process runs of bench/golden.py (every method, tuning kind, memory, stage of distillation) and
``aurify sample``. Each is run once undisturbed; then, as long as there is time, a kind and a fault are drawn, and what
the run left is compared by hash: weights, optimiser, chains, rows of both tables, metrics. The faults:

- killed at a moment: ``kill -9`` at a random time of the run, up to three times;
- killed at a file: the process kills itself just before a random one of its file operations (open for writing,
  rename, remove, mkdir, rmdir), up to three times;
- SIGTERM at a moment, once or twice; a bit flipped, or a file removed, in the newest checkpoint after a kill;
- no room: no file may pass a random size, then there is room again;
- a second run: while the run is at work, ``--resume`` is tried beside it, and must be refused.

Lost is what did not end as the undisturbed run did. A fork of one process that has everything imported runs each.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}
SAMPLE = "sample --model nugget --data questions.jsonl --answers text --seed 3 --samples 3 --max-new-tokens 60"


def child(words: list[str], log: Path, *, at_file: int = 0, room: int = 0) -> int:
    """Start the command line in a fork; its process id. It dies before its ``at_file``-th file operation."""
    pid = os.fork()
    if pid:
        return pid
    status = 99
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        if room:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        if at_file:
            sys.addaudithook(Killer(at_file))
        from aurify.cli.app import build, exit_status

        status = exit_status(build, words)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class Killer:
    """Kills this process before its n-th operation that changes a file in ``runs``."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        writes = event in WRITES or (event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"))
        if writes and "runs/" in str(args[0]):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Bench:
    """A folder of runs, and what undisturbed ones left."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.log = Path("log")
        self.references: dict[str, tuple[Any, float]] = {}
        self.tried: Counter[str] = Counter()
        self.lost: list[str] = []
        self.kinds: dict[str, set[str]] = {}
        self.kills = 0
        """Processes that ``kill -9`` ended; those that were done before are none."""

    def words(self, run: Any, *, resume: bool = False) -> list[str]:
        if run.name == "sample":
            return [*SAMPLE.split(), "--out", "runs/sample"]
        return [*run.words, *(["--resume"] if resume else [])]

    def finish(self, run: Any) -> int:
        """Let a run go on to its end; its status."""
        resume = (Path("runs") / run.name / "config.toml").exists()
        return os.waitstatus_to_exitcode(os.waitpid(child(self.words(run, resume=resume), self.log), 0)[1])

    def left(self, run: Any) -> Any:
        from golden_parts.left import digest, of_folder, rows

        out = Path("runs") / run.name
        found = {"rows": digest(rows(out / "rationales"))} if run.name == "sample" else of_folder(out)
        found["odd files"] = sorted(str(path) for path in out.rglob(".*"))
        return found

    def reference(self, run: Any) -> tuple[Any, float]:
        """What an undisturbed run leaves, and the seconds it takes."""
        if run.name not in self.references:
            shutil.rmtree(Path("runs") / run.name, ignore_errors=True)
            begun = time.monotonic()
            if self.finish(run):
                raise SystemExit(f"{run.name} fails undisturbed: {self.log.read_text()[-2000:]}")
            self.references[run.name] = self.left(run), time.monotonic() - begun
        return self.references[run.name]

    def count_kill(self, status: int) -> None:
        self.kills += os.waitstatus_to_exitcode(status) == -signal.SIGKILL

    def kept(self, run: Any) -> bool:
        """Whether others start from it, so that it must stay as it is."""
        return run.name in ("rloo", "nat-full", "trice-lora")

    def trial(self, run: Any, fault: str) -> None:
        wanted, seconds = self.reference(run)
        out, aside = Path("runs") / run.name, Path("runs") / f"{run.name}-aside"
        if self.kept(run):
            out.rename(aside)
        else:
            shutil.rmtree(out, ignore_errors=True)
        problem = FAULTS[fault](self, run, out, seconds)
        if not problem and (status := self.finish(run)):
            problem = f"status {status}: {self.log.read_text().strip()[-300:]}"
        if not problem and (found := self.left(run)) != wanted:
            problem = "differs in " + ", ".join(name for name in wanted if found.get(name) != wanted[name])
        self.tried[fault] += 1
        self.kinds.setdefault(fault, set()).add(run.name)
        if problem:
            self.lost.append(f"{fault}: {run.name}: {problem}")
            shutil.copytree(out, Path("lost") / f"{len(self.lost)}-{run.name}", dirs_exist_ok=True)
        if self.kept(run):
            shutil.rmtree(out, ignore_errors=True)
            aside.rename(out)


def begin(bench: Bench, run: Any, **how: int) -> int:
    resume = (Path("runs") / run.name / "config.toml").exists()
    return child(bench.words(run, resume=resume), bench.log, **how)


def traced(bench: Bench) -> str:
    return f"traceback: {bench.log.read_text()[-500:]}" if "Traceback" in bench.log.read_text() else ""


def at_a_moment(number: signal.Signals) -> Callable[[Bench, Any, Path, float], str]:
    def fault(bench: Bench, run: Any, out: Path, seconds: float) -> str:
        for _ in range(bench.random.randint(1, 3)):
            pid = begin(bench, run)
            time.sleep(bench.random.uniform(0, seconds))
            os.kill(pid, number)
            bench.count_kill(os.waitpid(pid, 0)[1])
            if problem := traced(bench):
                return problem
        return ""

    return fault


def sigterm_twice(bench: Bench, run: Any, out: Path, seconds: float) -> str:
    pid = begin(bench, run)
    time.sleep(bench.random.uniform(0, seconds))
    for _ in range(2):
        os.kill(pid, signal.SIGTERM)
        time.sleep(bench.random.uniform(0, 0.2))
    os.waitpid(pid, 0)
    return traced(bench)


def at_a_file(bench: Bench, run: Any, out: Path, seconds: float) -> str:
    for _ in range(bench.random.randint(1, 3)):
        bench.count_kill(os.waitpid(begin(bench, run, at_file=bench.random.randint(1, 60)), 0)[1])
    return ""


def damaged(how: Callable[[Bench, Path], None]) -> Callable[[Bench, Any, Path, float], str]:
    def fault(bench: Bench, run: Any, out: Path, seconds: float) -> str:
        bench.count_kill(os.waitpid(begin(bench, run, at_file=bench.random.randint(40, 90)), 0)[1])
        whole = sorted((out / "checkpoints").glob("step-*"))
        if len(whole) > 1:
            how(bench, bench.random.choice([path for path in whole[-1].rglob("*") if path.is_file()]))
        return ""

    return fault


def flip(bench: Bench, file: Path) -> None:
    content = bytearray(file.read_bytes())
    if content:
        content[bench.random.randrange(len(content))] ^= 1 << bench.random.randrange(8)
        file.write_bytes(content)


def no_room(bench: Bench, run: Any, out: Path, seconds: float) -> str:
    os.waitpid(begin(bench, run, room=int(10 ** bench.random.uniform(2, 7))), 0)
    return traced(bench)


def a_second_run(bench: Bench, run: Any, out: Path, seconds: float) -> str:
    pid = begin(bench, run)
    until = time.monotonic() + 5 * seconds
    while not (out / "config.toml").exists() and time.monotonic() < until:
        time.sleep(0.01)
    second = child(bench.words(run, resume=True), Path("second"))
    status = os.waitstatus_to_exitcode(os.waitpid(second, 0)[1])
    first = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    refused = "is at work in it" in Path("second").read_text()
    if first or not (refused or status == 0):  # 0: the first had ended before the second looked
        return f"statuses {first}, {status}: {Path('second').read_text()[-300:]}"
    return ""


FAULTS: dict[str, Callable[[Bench, Any, Path, float], str]] = {
    "killed at a moment": at_a_moment(signal.SIGKILL),
    "killed at a file": at_a_file,
    "SIGTERM": at_a_moment(signal.SIGTERM),
    "SIGTERM, twice": sigterm_twice,
    "a bit flipped": damaged(flip),
    "a file removed": damaged(lambda bench, file: file.unlink()),
    "no room": no_room,
    "a second run": a_second_run,
}
WEIGHTS = [4, 4, 1, 1, 1, 1, 1, 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="kinds whose names hold this word")
    parser.add_argument("--source", type=Path, default=HERE.parent / "src")
    asked = parser.parse_args()
    sys.path[:0] = [str(HERE), str(asked.source)]
    os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", NO_COLOR="1")
    from golden_parts.inputs import write_inputs
    from golden_parts.runs import Run, runs, selected

    every = [*(run for run in runs() if run.way == "plain" and run.command[:7] != "compare"), Run("sample", "sample")]
    chosen = [run for run in selected(every, asked.only) if asked.only in run.name]
    needed = {need for run in chosen for need in run.needs}
    end = time.monotonic() + asked.seconds
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_inputs(Path(folder), {**os.environ, "PYTHONPATH": str(asked.source)})
        import aurify.distillation.run
        import aurify.training.run  # noqa: F401  # loaded once, before the processes that are killed are forked

        bench = Bench(asked.seed)
        for run in selected(every, asked.only):
            if run.name in needed:
                bench.reference(run)
        queue: list[Any] = []
        while time.monotonic() < end:
            if not queue:
                queue = bench.random.sample(chosen, len(chosen))
            run = queue.pop()
            faults = [name for name in FAULTS if run.name != "sample" or "d at a" in name or "SIGTERM" in name]
            (fault,) = bench.random.choices(faults, [WEIGHTS[list(FAULTS).index(name)] for name in faults])
            bench.trial(run, fault)
            print(f"{sum(bench.tried.values())}: {fault}, {run.name}, lost {len(bench.lost)}", file=sys.stderr)
        if bench.lost:
            shutil.copytree("lost", Path(tempfile.mkdtemp(prefix="faults-lost-")), dirs_exist_ok=True)
        print("| fault | kinds of runs | times tried | lost |\n| --- | --- | --- | --- |")
        for name in FAULTS:
            lost = sum(one.startswith(f"{name}: ") for one in bench.lost)
            print(f"| {name} | {len(bench.kinds.get(name, ()))} | {bench.tried[name]} | {lost} |")
        print(
            "\n".join([f"\n{sum(bench.tried.values())} tries, {bench.kills} processes ended by kill -9", *bench.lost])
        )
    raise SystemExit(1 if bench.lost else 0)


if __name__ == "__main__":
    main()
