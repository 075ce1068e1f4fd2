"""A run's folder as a run leaves it, written by what writes it in a run, with an invented model in the place of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from aurify.answers.verdict import Verdict
from aurify.methods.trice import Trice
from aurify.questions import Question
from aurify.rationales import Memory, Rationale, RationaleTable
from aurify.report.live import LiveServer, serve
from aurify.running.asked import write_asked
from aurify.running.metrics import MetricsLog
from aurify.seeds import stable_seed
from aurify.statistics import Accuracy

HOSTILE = "</script><img src=x onerror=document.title='owned'><b>bold</b> \u202e{{ 7 * 7 }}"
SEED = 3


def rationale(
    question_id: str, right: bool, *, step: int = 0, index: int = 0, text: str = "", source: Any = "self"
) -> Rationale:
    seed = stable_seed(SEED, question_id, step, index, source)
    verdict, reason = (Verdict.RIGHT, "the same number") if right else (Verdict.WRONG, "'5' is not '4'")
    return Rationale(
        question_id, (seed % 1000, 7, 2), text or f"step {step}: so the answer is {'4' if right else '5'}",
        "4" if right else "5", verdict, reason, source, "invented", step, index, seed, "stop", -1.5,
    )  # fmt: skip


def write_run(
    folder: Path, *, trained: int = 6, held: int = 10, steps: int = 5, samples: int = 1, seed: int = SEED,
    method: str = "trice", gain: float = 0.9, text: str | Callable[[], str] = "", finished: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Write the folder; the memory as it was after the last step.

    In each step half of the trained questions are visited, in another order each time; the first visit brings a guide.

    Args:
        text: what stands in every question and rationale, or what makes it anew for each.
    """
    write = text if callable(text) else lambda: text
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    toml = f'method = "{method}"\nmodel = "invented"\ndata = "questions.jsonl"\nout = "{folder}"\n'
    toml += f"seed = {seed}\nsteps = {steps}\n"
    (folder / "config.toml").write_text(toml + (f"samples = {samples}\n" if samples > 1 else ""))
    questions = [
        Question(f"q{n}", f"What is {n} and two? {write()}", "4", "number", task=f"task {n % 2}")
        for n in range(trained + held)
    ]
    train, asked = questions[:trained], questions[trained:]
    write_asked(folder / "questions.jsonl", train, asked)
    table, evaluations, log = (
        RationaleTable(folder / "rationales"),
        RationaleTable(folder / "held_out"),
        MetricsLog(folder / "metrics.jsonl"),
    )

    def evaluate(step: int, chance: float) -> None:
        rows = [rationale(question.id, bool(random.random() < chance), step=step, text=write()) for question in asked]
        evaluations.append(rows)
        measured = Accuracy.of(row.right for row in rows).to_dict()
        log.append({"step": step, "held_out": {**measured, "tasks": {}}, "timing": {"seconds": 1.0}})

    evaluate(0, 0.1)
    memory, trice = Memory(), Trice(samples=samples)
    for step in range(1, steps + 1):
        visited = [train[i] for i in random.permutation(trained)[: max(1, trained // 2)]]
        chains = [memory[question.id] for question in visited]
        firsts = [
            rationale(c.question_id, bool(random.random() < 0.5), step=step, source="guide")
            for c in chains
            if not c.right
        ]
        begun = {first.question_id: first for first in firsts}
        chains = [c.started(begun[c.question_id], step) if c.question_id in begun else c for c in chains]
        rows = [
            [rationale(q.id, bool(random.random() < 0.5), step=step, index=k, text=write()) for k in range(samples)]
            for q in visited
        ]
        done = trice.e_step(stable_seed(seed, "e-step", step), step, chains, rows)
        memory.update(done.chains)
        table.append(firsts + [row for own in rows for row in own])
        counted = {"samples": len(rows), "generated_tokens": 30, "novel_number": 1.0, "verdicts": {"right": 1}}
        timing = {"seconds": 2.0, "sample_seconds": 1.0, "update_seconds": 0.5}
        log.append({"step": step, **done.info, "updated": True, **counted, "timing": timing})
    evaluate(steps, gain)
    table.flush(steps)
    evaluations.flush(steps)
    state = folder / "checkpoints" / f"step-{steps:08d}" / "state"
    state.mkdir(parents=True)
    for name, file in memory.save(steps).items():
        (state / name).write_bytes(file.content())
    if finished:
        (folder / "model").mkdir()
    return {chain.question_id: chain for chain in memory.chains()}


@contextmanager
def served(folder) -> Iterator[LiveServer]:
    with serve(folder) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()
