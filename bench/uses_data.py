"""What bench/uses_of_wrong.py learns from and is measured on, as files of the same form for every student.

The embedded model's world is that of bench/tdg_world.py: a teacher that gets each step wrong with probability 0.15, on
hard questions of three tasks; three other tasks are out of domain. A real student has bench/dust_data.py's. What is too
long for the student is left out beforehand, so that every method learns from the very same rationales.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from dust_data import rows, write
from tdg_world import DOMAINS, draw_questions, teach

from aurify.questions import Question
from aurify.rationales.arithmetic import before_first_false

HELD_OUT_SEED, TEST_SEED, ABLE_SEED = 20_000, 10_000, 30_000
"""Of questions that no run learns from, and of those that make the embedded model able."""
ROOM = 64
"""Tokens of a prompt beside its question."""


def taught(questions: Sequence[Question], samples: int, seed: int) -> list[dict[str, Any]]:
    """Questions with the noisy teacher's rationales."""
    by_question: dict[str, list[dict[str, Any]]] = {}
    answers = {question.id: question.answer for question in questions}
    for row in teach(questions, samples, "slips", seed):
        right = row["rationale"].endswith(f" So the answer is {answers[row['question_id']]}.")
        sample = {"rationale": row["rationale"], "correct": right, "verdict": "right" if right else "wrong"}
        by_question.setdefault(row["question_id"], []).append(sample)
    return [{**plain(question), "samples": by_question[question.id]} for question in questions]


def plain(question: Question) -> dict[str, Any]:
    """A question as a row of a file."""
    told = {"id": question.id, "question": question.text, "answer": question.answer}
    return {**told, "answer_type": question.answer_type, "task": question.task}


def write_world(out: Path, *, seeds: Sequence[int], questions: int, samples: int, held_out: int, tests: int) -> None:
    """The embedded model's questions: to learn from, one file a seed; held out; and two test sets."""
    files = {f"train-{seed}": lambda seed=seed: taught(draw_questions(questions, "in", seed), samples, seed)
             for seed in seeds}  # fmt: skip
    files["held_out"] = lambda: taught(draw_questions(held_out, "in", HELD_OUT_SEED), samples, HELD_OUT_SEED)
    for domain in DOMAINS:
        files[f"tests/{domain}"] = lambda domain=domain: [plain(q) for q in draw_questions(tests, domain, TEST_SEED)]
    for name, made in files.items():
        if not (out / f"{name}.jsonl").exists():
            write(out / f"{name}.jsonl", made())


def write_able(out: Path, questions: int, samples: int) -> Path:
    """Right rationales, on questions of their own, from which the able student has learned."""
    file = out / "able.jsonl"
    if not file.exists():
        found = taught(draw_questions(questions, "in", ABLE_SEED), samples, ABLE_SEED)
        write(file, [{**row, "samples": [one for one in row["samples"] if one["correct"]]} for row in found])
    return file


def keep_short(file: Path, target: Path, length: Callable[[str], int], limit: int) -> None:
    """``file`` without the samples that, with question and prompt, are longer than ``limit`` tokens."""
    if target.exists():
        return
    kept = []
    for row in rows(file):
        room = limit - ROOM - length(row.get("question") or row["problem"])
        kept.append({**row, "samples": [one for one in row["samples"] if length(one["rationale"]) < room]})
    write(target, [row for row in kept if row["samples"]])


def mean_lengths(file: Path, length: Callable[[str], int]) -> dict[str, float]:
    """Tokens of a rationale with its end, by what a method learns from, over the samples of a file."""
    found: dict[str, list[int]] = {"right": [], "wrong": [], "prefix": []}
    for sample in (sample for row in rows(file) for sample in row["samples"]):
        text = sample["rationale"]
        found["right" if sample["correct"] else "wrong"].append(length(text) + 1)
        if not sample["correct"] and (sound := before_first_false(text)):
            found["prefix"].append(length(sound))
    found |= {"every": found["right"] + found["wrong"], "prefix": found["right"] + found["prefix"]}
    return {name: fmean(lengths) for name, lengths in found.items()}
