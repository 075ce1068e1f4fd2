"""The table of a long run: what a flush costs, how many files it leaves, and what its readers take of RAM.

    .venv/bin/python bench/large_table.py --rows 100000 1000000     # prints two tables

A row has 120 tokens and about 400 letters. Each flush writes 6,400 rows (20 steps of 64 questions and 5 rationales), on
a million questions that are visited again and again, in the order of a random permutation. Flushes are told in their
first and their last tenth: what joins parts is in them (``rationales/joining.py``). ``vote`` counts the majority of
every question and writes nothing; ``report`` reads what the page is made of; ``one column`` is what ``compare`` does
with its table; ``--only`` also knows ``export`` and ``evaluate``, with a file of the questions, and ``rank``. Each in a
process of its own; seconds are of the processor, RAM is the peak less what importing takes.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[1] / "src"
A_FLUSH, QUESTIONS, SAMPLES = 6_400, 1_000_000, 5
MIB = 2**20


def of_process(word: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(word)) / 1024


def order_of_questions() -> list[int]:
    """In which order a run comes to them."""
    return random.Random(1).sample(range(QUESTIONS), QUESTIONS)


def write(folder: Path, rows: int) -> dict[str, Any]:
    from aurify.answers.verdict import Verdict
    from aurify.rationales import Rationale, RationaleTable

    draw, table = random.Random(0), RationaleTable(folder / "rationales")
    words = [f"{draw.randrange(10**4):04d}" for _ in range(1000)]
    texts = [(" ".join(draw.choices(words, k=80)), tuple(draw.choices(range(30_000), k=120))) for _ in range(5000)]
    order = order_of_questions()
    took, visited = [], 0
    for step in range(20, 20 * (1 + rows // A_FLUSH), 20):
        found = []
        for place in range(A_FLUSH):
            question = order[(visited + place // SAMPLES) % QUESTIONS]
            text, ids = draw.choice(texts)
            answer = draw.randrange(3)
            verdict = Verdict.RIGHT if answer == 2 else Verdict.WRONG
            found.append(
                Rationale(
                    f"question-{question:08d}", ids, text, str(answer), verdict, "", "self", "m", step,
                    place % SAMPLES, draw.getrandbits(62), "stop", -draw.random(),
                )
            )  # fmt: skip
        visited += A_FLUSH // SAMPLES
        table.append(found)
        begun = time.process_time()
        table.flush(step, settled=step - 40)
        took.append(time.process_time() - begun)
    tenth = max(1, len(took) // 10)
    parts = list((folder / "rationales").iterdir())
    return {
        "first": sum(took[:tenth]) / tenth, "last": sum(took[-tenth:]) / tenth, "longest": max(took),
        "files": len(parts), "flushes": len(took), "size": sum(path.stat().st_size for path in parts) / MIB,
    }  # fmt: skip


def vote(folder: Path, rows: int) -> dict[str, Any]:
    from aurify.voting.ballots import run_vote
    from aurify.voting.settings import VoteSettings

    settings = VoteSettings(file=str(folder), answers="number")
    return {"found": sum(1 for _ in run_vote(settings))}


def report(folder: Path, rows: int) -> dict[str, Any]:
    from aurify.report.chains import read_chains
    from aurify.report.source import read_run

    (folder / "config.toml").write_text('method = "trice"\n')
    source = read_run(folder)
    return {"found": len(read_chains(source).visits)}


def questions(folder: Path, rows: int) -> str:
    """A file with the questions that the table is on."""
    path = folder / "questions.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in order_of_questions()[: rows // SAMPLES]:
            name = f"question-{number:08d}"
            file.write(json.dumps({"id": name, "question": f"How many is {name}?", "answer": "2"}) + "\n")
    return str(path)


def export(folder: Path, rows: int) -> dict[str, Any]:
    from aurify.cli.export import ExportSettings, run

    run(ExportSettings(run=str(folder), to="kto", out=str(folder / "kto.jsonl"), data=questions(folder, rows)))
    return {"found": 0}


def evaluate(folder: Path, rows: int) -> dict[str, Any]:
    from aurify.evaluation.run import run_evaluation
    from aurify.evaluation.settings import EvaluateSettings

    settings = EvaluateSettings(model="m", data=questions(folder, rows), from_=str(folder), answers="number")
    return {"found": run_evaluation(settings).overall.n}


def rank(folder: Path, rows: int) -> dict[str, Any]:
    from aurify.voting.settings import RankSettings
    from aurify.voting.train import run_rank

    ranker = run_rank(RankSettings(from_=str(folder), data=questions(folder, rows), out=str(folder / "ranker")))
    return {"found": ranker.report["rationales"]}


def column(folder: Path, rows: int) -> dict[str, Any]:
    from aurify.rationales import RationaleTable

    return {"found": sum(batch["verdict"].to_pylist().count("right")
                         for batch in RationaleTable(folder / "rationales").batches(["verdict"]))}  # fmt: skip


WORK: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "write": write, "vote": vote, "report": report, "one column": column, "export": export, "evaluate": evaluate,
    "rank": rank,
}  # fmt: skip


def alone(word: str, folder: Path, rows: int) -> None:
    """One piece of work in this process, and what it took."""
    import aurify.report.chains
    import aurify.report.source
    import aurify.voting.ballots  # noqa: F401  # loaded before memory is counted

    before, begun = of_process("VmRSS"), time.process_time()
    found = WORK[word](folder, rows)
    seconds = time.process_time() - begun
    print(json.dumps({**found, "seconds": seconds, "ram": of_process("VmHWM") - before}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=list(WORK)[1:], default=list(WORK)[1:4])
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        alone(asked.alone[0], Path(asked.alone[1]), asked.rows[0])
        return
    for rows in asked.rows:
        with tempfile.TemporaryDirectory() as folder:
            for word in ("write", *asked.only):
                done = subprocess.run(
                    [sys.executable, __file__, "--alone", word, folder, "--rows", str(rows)], capture_output=True,
                    text=True, env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin"}, check=True,
                )  # fmt: skip
                row = json.loads(done.stdout)
                if word == "write":
                    print(f"| {rows:,} | {row['flushes']} flushes: first tenth {row['first']:.2f} s, last "
                          f"{row['last']:.2f} s, longest {row['longest']:.2f} s | {row['files']} files, "
                          f"{row['size']:,.0f} MiB | {row['ram']:,.0f} MiB |", flush=True)  # fmt: skip
                else:
                    print(f"| {rows:,} | {word} | {row['seconds']:.1f} s | {row['ram']:,.0f} MiB |", flush=True)


if __name__ == "__main__":
    main()
