"""The neural ranker on a real encoder beside the fast one, on the very same pairs of the MATH teachers' rationales.

    .venv/bin/python bench/neural_math.py ../shared/data/math_teacher --encoder models/smollm2-135m-instruct \
        --out runs/neural-math                                        # about 70 minutes on one core with bfloat16
    .venv/bin/python bench/neural_math.py ../shared/data/math_teacher --out runs/neural-math --table

A causal model's body with a scalar head and LoRA on every linear layer is trained on ``--problems`` problems, of each
that has both a right and a wrong rationale one random pair a pass. Some other problems calibrate it, and ``--judged``
others judge it, with ``--samples`` rationales each. Two fast rankers that look at candidates alone stand beside it: one
of the neural one's own problems, one of all that are left (both with all 8 rationales of each). All three score the
same rationales, are calibrated on the same ones, and are compared question by question.

Training goes on from its last checkpoint when the same command is given again; scores are kept as they are found.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from asc_math_teacher import TEACHERS, Scores, credits, load
from dust_data import rows
from dust_real import Spent, same_settings, stop_after

from aurify.cli.progress import progress_bar, say
from aurify.errors import AurifyError
from aurify.seeds import stable_seed
from aurify.statistics import bootstrap_means
from aurify.voting.calibration import calibrate
from aurify.voting.fast_ranker import FastRanker
from aurify.voting.measures import area_under_curve, calibration_error, pair_accuracies
from aurify.voting.neural_ranker import NeuralRanker, NeuralSettings
from aurify.voting.neural_training import train_neural
from aurify.voting.pool import CandidatePool
from aurify.voting.splits import normalised

FREE = ("out", "cache", "seconds", "table", "save_every")
VOTES = ("ws", "asc", "best")
AT_A_TIME = 20
"""Problems whose scores are written at a time."""
NEURAL, FAST, FASTEST = "neural", "fast, same problems", "fast, all other problems"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder of gpt-3.5-turbo.jsonl.gz and gpt-4.jsonl.gz")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--encoder", default="models/smollm2-135m-instruct")
    parser.add_argument("--teacher", default="gpt-3.5-turbo", choices=TEACHERS)
    parser.add_argument("--problems", type=int, default=1500, help="with right and wrong rationales, to train on")
    parser.add_argument("--epochs", type=int, default=1, help="passes, a fresh random pair of each problem")
    parser.add_argument("--calibrated", type=int, default=150, help="problems to calibrate on")
    parser.add_argument("--judged", type=int, default=400, help="problems to judge on")
    parser.add_argument("--samples", type=int, default=4, help="rationales of each of these")
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--lora-rank", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--questions", type=int, default=8, help="a step")
    parser.add_argument("--loss", default="pair", choices=["pair", "pointwise"])
    parser.add_argument("--dtype", default="auto", choices=["auto", "bfloat16", "float32"])
    parser.add_argument("--token-budget", type=int, default=1024, help="tokens at once: few pad little on a CPU")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=10, help="steps between checkpoints")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "aurify-asc-math")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after these seconds; the same command goes on")
    parser.add_argument("--table", action="store_true", help="print the table from the scores that are there")
    args = parser.parse_args()
    if not args.table:
        same_settings(args, FREE)
        stop_after(args.seconds)
    args.cache.mkdir(parents=True, exist_ok=True)
    parts = divide(load(args.folder / f"{args.teacher}.jsonl.gz", args.cache, None), args)
    if not args.table:
        run(args, *parts)
    print_table(args, *parts[-2:])


def divide(pools: Sequence[CandidatePool], args: argparse.Namespace) -> tuple[list[CandidatePool], ...]:
    """(the neural ranker's, all that train, those that calibrate, those that judge), by a hash of the question."""
    ordered = sorted(pools, key=lambda pool: stable_seed("neural math", normalised(pool.question)))
    judged, calibrated = args.judged, args.judged + args.calibrated
    others = ordered[calibrated:]
    mixed = [pool for pool in others if len({bool(one.right) for one in pool.candidates}) == 2]
    cut = [pool.runs(args.samples)[0] for pool in ordered[:calibrated]]
    return mixed[: args.problems], others, cut[judged:], cut[:judged]


def run(args: argparse.Namespace, own: list[CandidatePool], others: list[CandidatePool], *asked: list[CandidatePool]):
    """Train what is not trained, and score what is not scored."""
    scored = [pool for part in asked for pool in part]
    for name, known in ((FAST, own), (FASTEST, others)):
        if len(scores_of(args.out, name)) < len(scored):
            ranker = FastRanker.train(known, seed=args.seed, alone=True)
            keep(args.out, name, scored, ranker.scores(scored))
    left = [pool for pool in scored if pool.question_id not in scores_of(args.out, NEURAL)]
    if left:
        neural = trained(args, own)
        with progress_bar("problems scored") as tell:
            for start in range(0, len(left), AT_A_TIME):
                chunk = left[start : start + AT_A_TIME]
                keep(args.out, NEURAL, chunk, neural.scores(chunk))
                tell(start + len(chunk), len(left))


def trained(args: argparse.Namespace, pools: list[CandidatePool]) -> NeuralRanker:
    """The neural ranker, read where it was finished before."""
    folder = args.out / "ranker"
    if (folder / "neural.json").exists():
        return NeuralRanker.load(folder)
    asked = NeuralSettings(
        args.encoder, args.loss, 3.0, args.lora_rank, args.rate, args.epochs, args.questions, args.max_tokens,
        args.seed, args.dtype, args.token_budget,
    )  # fmt: skip
    spent = Spent()
    with progress_bar("pairs") as tell:
        ranker = train_neural(
            pools, asked, say=say, tell=tell, folder=args.out / "checkpoints", resume=True, save_every=args.save_every
        )
    say(
        f"trained in {spent.facts['seconds'] * spent.facts['busy'] / 60:.1f} minutes of a core, {ranker.settings.dtype}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    ranker.save(folder)
    return ranker


def keep(out: Path, name: str, pools: Sequence[CandidatePool], scores: Scores) -> None:
    """Write the scores of some problems down."""
    with (out / "scores.jsonl").open("a", encoding="utf-8") as file:
        for pool, own in zip(pools, scores, strict=True):
            line = {"ranker": name, "question": pool.question_id, "scores": own.tolist()}
            file.write(json.dumps(line) + "\n")


def scores_of(out: Path, name: str) -> dict[str, np.ndarray]:
    """By problem, what a ranker gave its rationales."""
    path = out / "scores.jsonl"
    known = rows(path) if path.exists() else []
    return {one["question"]: np.array(one["scores"]) for one in known if one["ranker"] == name}


def print_table(args: argparse.Namespace, tuning: list[CandidatePool], judged: list[CandidatePool]) -> None:
    """Every ranker that has scored all; differences are to the fast one of the same problems."""
    settings: dict[str, Any] = json.loads((args.out / "settings.json").read_text(encoding="utf-8"))
    right = [truth(pool) for pool in judged]
    plain = credits(judged, None, "sc")
    share = np.concatenate(right).mean()
    print(f"## {Path(settings['encoder']).name}, rationales of {settings['teacher']}\n")
    told = ("problems", "epochs", "loss", "lora_rank", "rate", "max_tokens", "calibrated", "judged", "samples", "seed")
    print(", ".join(f"{key.replace('_', ' ')} {settings[key]}" for key in told) + "\n")
    print(f"{100 * share:.1f} % of the judged rationales are right; self-consistency {100 * plain.mean():.1f} %.\n")
    known = {name: scores_of(args.out, name) for name in (FAST, FASTEST, NEURAL)}
    known = {name: own for name, own in known.items() if all(one.question_id in own for one in (*tuning, *judged))}
    pairs: dict[str, np.ndarray] = {}
    gains = " | ".join(f"{kind}, gain (points)" for kind in VOTES)
    print(f"| ranker | pairs in order, % | less the fast one's | AUC | calibration error: raw | calibrated | {gains} |")
    print("| --- |" + " ---: |" * (5 + len(VOTES)))
    for name, own in known.items():
        raw = [own[pool.question_id] for pool in judged]
        curve = calibrate(
            np.concatenate([own[pool.question_id] for pool in tuning]),
            np.concatenate(list(map(truth, tuning))),
            "sigmoid",
        )
        scores = [curve(one) for one in raw]
        pairs[name] = pair_accuracies(raw, right)
        flat, before, known_right = (np.concatenate(list_) for list_ in (scores, raw, right))
        cells = [
            interval(pairs[name], args.seed),
            "" if name == FAST else interval(pairs[name] - pairs[FAST], args.seed, "+"),
            f"{area_under_curve(flat, known_right):.3f}",
            *(f"{calibration_error(one, known_right):.3f}" for one in (before, flat)),
            *(interval(credits(judged, scores, kind) - plain, args.seed, "+") for kind in VOTES),
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\nIntervals: 95 %, bootstrap over {len(pairs[FAST])} problems with a pair, or over all that are judged.")


def truth(pool: CandidatePool) -> np.ndarray:
    """Which of its candidates are right."""
    return np.array([bool(one.right) for one in pool.candidates])


def interval(values: np.ndarray, seed: int, sign: str = "") -> str:
    """A mean of shares in percent, with its interval."""
    low, high = bootstrap_means(values[:, None], seed, least=-1.0 if sign else 0.0)
    mean, low, high = (f"{100 * float(end):{sign}.1f}" for end in (values.mean(), low[0], high[0]))
    return f"{mean} ({low} to {high})"


if __name__ == "__main__":
    try:
        main()
    except AurifyError as error:  # it was asked to stop
        sys.exit(str(error))
