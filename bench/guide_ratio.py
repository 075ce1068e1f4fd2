"""Where a corrected guide is useless: the spread of log p(z | x) - log p(z | x, hint) by the length of rationales.

    .venv/bin/python bench/guide_ratio.py nugget ../shared/data/bbh/object_counting.json [--questions 64] [--samples 8]
        [--max-new-tokens 256] [--few-shot FILE] [--seed 0]

Every question gets --samples rationales drawn with its answer in the prompt. Of those that are right the table has, by
the mean length of a question's: how far their log-weights spread within a question (standard deviation, nats), how many
equal ones they are worth under self-normalised weights (of the right ones, 1 to --samples), and how often a chain that
stands on one of them, each as likely as its weight, takes a fresh one of them as a corrected proposal. Run it for
several models and data; each run appends its rows to bench/results/guide_ratio.md.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aurify import load_model, load_questions
from aurify.answers import Grader
from aurify.methods.guided import self_normalised
from aurify.methods.terms import Floats
from aurify.methods.weighed import effective_sizes
from aurify.models.token_budget import TokenBudget
from aurify.questions import Prompts, PromptTemplate
from aurify.rationales import Drawing
from aurify.sampling import LocalSampler
from aurify.training.guide_scores import GuideScorer

RESULTS = Path(__file__).parent / "results" / "guide_ratio.md"
EDGES = (0, 25, 50, 75, 100, 150, 250)
"""Where the rows of the table begin, in tokens."""
HEAD = """# How far a hinted rationale's two probabilities differ

Made by `bench/guide_ratio.py`; see its first lines for what the columns are.

| model | data | tokens | questions | right ones a question | spread, nats | worth, of the right ones | chain moves |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
"""


class Found(NamedTuple):
    """What the right hinted rationales of one question are like."""

    tokens: float
    right: int
    spread: float
    worth: float
    moves: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--max-new-tokens", type=int, default=256)
    parser.add_argument("--few-shot", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rows = lines(args, found(args))
    if not RESULTS.exists():
        RESULTS.write_text(HEAD, encoding="utf-8")
    with RESULTS.open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)
    print(*rows, sep="\n")


def found(args: argparse.Namespace) -> list[Found]:
    """One for each question of which at least two hinted rationales are right."""
    questions = list(load_questions(args.data))[: args.questions]
    dtype = "float32" if args.model == "nugget" else "bfloat16"
    model, tokenizer = load_model(args.model, dtype=dtype)
    few_shot = args.few_shot.read_text(encoding="utf-8") if args.few_shot else None
    template = PromptTemplate.named("plain", **({"few_shot": few_shot} if few_shot else {}))
    prompts = Prompts(template, tokenizer)
    with Grader() as grader:
        drawing = Drawing(
            LocalSampler(model, tokenizer), grader, args.model, args.seed, args.max_new_tokens, template.stop,
            tokenizer=tokenizer,
        )  # fmt: skip
        rows = drawing.draw(questions, prompts(questions, hinted=True), step=0, source="guide", samples=args.samples)
    scorer = GuideScorer(model, prompts, TokenBudget(4096))
    results = []
    for question, row in zip(questions, rows, strict=True):
        right = [sample for sample in row if sample.right]
        if len(right) > 1:
            log_S = np.array([one.log_weight for one in scorer([(question, sample) for sample in right])])
            results.append(told(log_S, statistics.fmean(len(sample.token_ids) for sample in right)))
    return results


def told(log_S: Floats, tokens: float) -> Found:
    """Of the log-weights of one question's right rationales."""
    weights_S = self_normalised(log_S[None])[0]
    take_SS = np.minimum(1, np.exp(np.minimum(log_S[None] - log_S[:, None], 0)))
    np.fill_diagonal(take_SS, np.nan)
    moves = float((weights_S * np.nanmean(take_SS, axis=1)).sum())
    return Found(tokens, len(log_S), float(log_S.std(ddof=1)), float(effective_sizes(weights_S[None])[0]), moves)


def lines(args: argparse.Namespace, results: Sequence[Found]) -> list[str]:
    """The rows of the table."""
    rows = []
    for low, high in zip(EDGES, (*EDGES[1:], None), strict=True):
        within = [one for one in results if one.tokens >= low and (high is None or one.tokens < high)]
        if within:
            name = f"{low} to {high}" if high else f"{low} and more"
            right, spread, worth, moves = (
                statistics.fmean(getattr(one, key) for one in within) for key in ("right", "spread", "worth", "moves")
            )
            rows.append(
                f"| {Path(args.model).name} | {args.data.stem} | {name} | {len(within)} | {right:.1f} | {spread:.1f} | "
                f"{worth:.1f} | {100 * moves:.0f} % |"
            )
    return rows


if __name__ == "__main__":
    main()
