"""How well and how fast answers are judged, beside math-verify alone and TRL's ``accuracy_reward``.

    python bench/verifier.py ../shared/data --rationales 10000 --pairs 100000 --out bench/results/verifier.md

Labels: GSM8K's model solutions (flags of their authors) and MATH teachers' rationales (hendrycks/math's string
comparison, with its known false negatives: ``value_equal``), with the disagreements counted by kind. Pairs:
answers that are equal or unequal by construction (``tests/support/answer_pairs.py``). Speed: verdicts a second in
one process. Every verdict is made in this process, so that readers are compared with readers and not with pipes.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from answer_pairs import QUESTION, TYPES, pairs

from aurify.answers.compare import Asked, compare, extract
from aurify.answers.math.compare import compare_latex
from aurify.answers.options import options
from aurify.answers.reading import Unreadable

LIMIT = 5.0
"""Seconds of processor time that a verdict may take."""


@dataclass(frozen=True)
class Row:
    """A rationale, its gold answer, and what its label says (None: no label)."""

    text: str
    gold: str
    label: bool | None
    value_equal: bool = False


@dataclass
class Tally:
    """Verdicts against labels."""

    agree: int = 0
    false_positives: list[Row] = field(default_factory=list)
    false_negatives: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_row: Row | None = None
    known_false_negatives: int = 0
    """Where the judge agrees with a label that is known to be wrong."""

    @property
    def total(self) -> int:
        return self.agree + len(self.false_positives) + len(self.false_negatives)

    @property
    def share(self) -> float:
        return 100 * self.agree / max(1, self.total)

    @property
    def mended_share(self) -> float:
        """Of agreement where the label's known false negatives (equal plain numbers) are right."""
        known = sum(row.value_equal for row in self.false_positives)
        lost = self.known_false_negatives
        return 100 * (self.agree + known - lost) / max(1, self.total)


Judge = Callable[[str, str], bool]


def ours(kind: str, listed: dict[str, str] | None = None) -> Judge:
    def judge(text: str, gold: str) -> bool:
        try:
            step = compare(extract(text, kind, listed or {}), gold, kind, listed or {})
        except Unreadable:
            return False
        return compare_latex(step.job.pred, step.job.gold)[0] == "right" if isinstance(step, Asked) else step.right

    return judge


def math_verify_alone() -> Judge:
    """As its README has it: parse the gold answer as LaTeX, the rationale by its default configuration, verify."""
    from math_verify import parse, verify

    return lambda text, gold: bool(verify(parse(f"${gold}$"), parse(text)))


def trl_reward() -> Judge | str:
    """TRL's ``accuracy_reward``, or why there is none."""
    try:
        from trl.rewards import accuracy_reward
    except ImportError as error:
        return f"TRL is not installed here ({error})"
    return lambda text, gold: bool((accuracy_reward([[{"content": text}]], [f"${gold}$"])[0] or 0) > 0.5)


def gsm8k(folder: Path) -> Iterator[Row]:
    for line in (folder / "gsm8k/example_model_solutions.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        gold = row["ground_truth"].rpartition("A:")[2].strip()
        for solution in (value for value in row.values() if isinstance(value, dict)):
            yield Row(solution["solution"], gold, solution["is_correct"])


def teachers(folder: Path) -> Iterator[Row]:
    for file in sorted((folder / "math_teacher").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for problem in map(json.loads, lines):
                for sample in problem["samples"]:
                    if problem["answer"] is not None:
                        equal = bool(sample.get("value_equal"))
                        yield Row(sample["rationale"], problem["answer"], sample["correct"], equal)


class _Late(Exception):
    """A verdict takes too long."""


def _too_late(*_: object) -> None:
    raise _Late


def limited(judge: Judge, text: str, gold: str) -> bool:
    """The verdict, or not right after ``LIMIT`` seconds of processor time, when aurify's worker would be killed."""
    signal.signal(signal.SIGPROF, _too_late)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        return judge(text, gold)
    except _Late:
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def tally(rows: list[Row], judge: Judge, until: float) -> Tally:
    """Verdicts on the rows, until the clock says so."""
    result = Tally()
    for row in rows:
        if time.monotonic() > until:
            break
        begun = time.process_time()
        right = limited(judge, row.text, row.gold)
        took = time.process_time() - begun
        result.seconds += took
        if took > result.slowest:
            result.slowest, result.slowest_row = took, row
        if row.label is None:
            continue
        if right == row.label:
            result.agree += 1
            result.known_false_negatives += row.value_equal and not row.label
        else:
            (result.false_positives if right else result.false_negatives).append(row)
    return result


def kind_of(row: Row) -> str:
    """What sort of answer a disagreement is about."""
    gold = row.gold
    for kind, pattern in (
        ("the label's own false negative (equal plain numbers)", None),
        ("text", r"\\text|\\mbox"),
        ("matrix", r"matrix"),
        ("interval, list or point", r"[,;]"),
        ("equation or inequality", r"[=<>]|\\[lg]e"),
        ("percent, money or degrees", r"%|\\\$|circ"),
        ("fraction or decimal", r"^-?(?:\d*\.\d+|\\[dt]?frac\s?\{?-?\d+\}?\s?\{?\d+\}?|\d+/\d+)$"),
        ("whole number", r"^-?[\d,]+$"),
        ("expression with variables", r"(?<![\\a-z])[a-z](?![a-z])"),
    ):
        if row.value_equal if pattern is None else re.search(pattern, gold):
            return kind
    return "other expression"


def by_pairs(count: int, until: float) -> list[str]:
    lines = [
        "| answers | pairs | equal, called unequal | unequal, called equal | exceptions | a second | slowest (ms) |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in TYPES:
        judge = ours(kind, options(QUESTION) if kind == "choice" else None)
        done = missed = spurious = raised = 0
        slowest = 0.0
        begun = time.process_time()
        for pair in pairs(kind, count):
            if time.monotonic() > until:
                break
            started = time.process_time()
            try:
                right = limited(judge, pair.pred, pair.gold)
            except Exception as error:
                print(f"{type(error).__name__}: {pair}", file=sys.stderr)
                raised += 1
                continue
            slowest = max(slowest, time.process_time() - started)
            done += 1
            if right != pair.equal:
                print(pair, file=sys.stderr)
            missed += pair.equal and not right
            spurious += right and not pair.equal
        speed = done / (time.process_time() - begun)
        lines.append(
            f"| {kind} | {done:,} | {missed:,} | {spurious:,} | {raised:,} | {speed:,.0f} | {1000 * slowest:,.0f} |"
        )
    return lines


def line(name: str, result: Tally) -> str:
    speed = result.total / result.seconds if result.seconds else 0
    return (
        f"| {name} | {result.total:,} | {result.share:.2f} | {result.mended_share:.2f} "
        f"| {len(result.false_positives):,} | {len(result.false_negatives):,} "
        f"| {speed:,.0f} | {result.slowest * 1000:,.0f} |"
    )


HEAD = [
    "| judge | verdicts | agree (%) | equal numbers mended (%) | right, label wrong | wrong, label right "
    "| verdicts a second | slowest (ms) |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rationales", type=int, default=120_000, help="of the teachers' 120,000, drawn at random")
    parser.add_argument("--beside", type=int, default=2000, help="rationales that the other judges see too")
    parser.add_argument("--pairs", type=int, default=100_000, help="of each answer type")
    parser.add_argument("--minutes", type=float, default=60, help="stop a part that takes longer")
    parser.add_argument("--look", type=Path, help="write every disagreement to this file, for the eye")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()

    def until() -> float:
        return time.monotonic() + 60 * arguments.minutes

    rows = list(teachers(arguments.data))
    random.Random(0).shuffle(rows)
    rows = rows[: arguments.rationales]
    judges: list[tuple[str, Judge | str]] = [
        ("math-verify alone", math_verify_alone()),
        ("TRL accuracy_reward", trl_reward()),
    ]
    lines = [
        "# Verdicts",
        "",
        f"    python bench/verifier.py {' '.join(sys.argv[1:])}",
        "",
        "One process, one thread; seconds are of processor time, as other work may run beside it.",
        "",
    ]
    lines += ["## MATH, teachers' rationales, labels by string comparison", "", *HEAD]
    all_of_them = tally(rows, ours("math"), until())
    lines.append(line("aurify", all_of_them))
    beside = rows[: arguments.beside]
    lines.append(line(f"aurify, first {len(beside):,}", tally(beside, ours("math"), until())))
    for name, judge in judges:
        lines.append(
            f"| {name} | {judge} | | | | | | |" if isinstance(judge, str) else line(name, tally(beside, judge, until()))
        )
    if all_of_them.slowest_row:
        lines += ["", f"The slowest verdict is on the gold answer `{all_of_them.slowest_row.gold[:80]}`."]
    lines += [
        "",
        "Disagreements with the labels, by kind of gold answer:",
        "",
        "| kind | right, label wrong | wrong, label right |",
    ]
    lines.append("| --- | ---: | ---: |")
    positive = collections.Counter(map(kind_of, all_of_them.false_positives))
    negative = collections.Counter(map(kind_of, all_of_them.false_negatives))
    lines += [f"| {kind} | {positive[kind]:,} | {negative[kind]:,} |" for kind in sorted(positive | negative)]
    lines += ["", "## GSM8K, model solutions, flags of their authors", "", *HEAD]
    solutions = list(gsm8k(arguments.data))
    lines.append(line("aurify", tally(solutions, ours("number"), until())))
    for name, judge in judges:
        if not isinstance(judge, str):
            lines.append(line(name, tally(solutions[: arguments.beside], judge, until())))
    lines += ["", "## Pairs by construction", "", *by_pairs(arguments.pairs, until())]
    text = "\n".join(lines) + "\n"
    if arguments.out and arguments.out.exists():  # what people saw stays until they look again
        text += "".join(arguments.out.read_text(encoding="utf-8").partition("\n## Looked at")[1:])
    sys.stdout.write(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    if arguments.look:
        with arguments.look.open("w", encoding="utf-8") as file:
            for word, found in (("right", all_of_them.false_positives), ("wrong", all_of_them.false_negatives)):
                for row in found:
                    shown = {"ours": word, "kind": kind_of(row), "gold": row.gold, "tail": row.text[-300:]}
                    file.write(json.dumps(shown, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
