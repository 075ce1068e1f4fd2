"""What the baselines leave of the gradient's variance on the chains of a real run.

    .venv/bin/python bench/real_variance.py RUN [--questions 64] [--seed 0]

RUN is the folder of an ``aurify train trice --tuning lora`` run. At its newest checkpoint one fresh proposal z~ is
drawn of each of some questions, and the gradients of log p(z~), and of log p(z) where the chain holds a right rationale
z, are taken one by one (a sample of their coordinates: see ``aurify.training.signal``). With z' the chain's next state
and c whether it is right, a question's term is c s(z') - b s(z~), with b = 0 ("basic"), the share that moved of the
other chains of its kind, those that hold a right rationale or those that do not ("all", the default), or that share
with the question's own earlier visits in the run ("running"). Told is the variance of the terms, and its ratio to that
of another, with an interval by bootstrap over questions. One row is added to bench/results/real_variance.md. Two to
three seconds a gradient of a model of 0.5B on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurify import load_model
from aurify.answers import Grader
from aurify.methods import Term
from aurify.methods.trice import leave_one_out_acceptance, running_acceptance
from aurify.models import prepare, trainable_parameters
from aurify.models.prompting import PromptForm
from aurify.questions import Prompts, load_questions
from aurify.rationales import Chain, Drawing, Memory, Rationale, RationaleTable
from aurify.running.checkpoint import list_checkpoints, restore_checkpoint, step_of
from aurify.sampling import LocalSampler
from aurify.toml import tomllib
from aurify.training.m_step import accumulate_gradient, build_optimizer
from aurify.training.signal import GradientSignal

RESULTS = Path(__file__).parent / "results" / "real_variance.md"
HEAD = """# What the baselines leave of the gradient's variance on real chains

Made by `bench/real_variance.py`; its first lines say what the columns are.

| run | step | questions | of these held | right proposals | all / basic (95 %) | running / basic | running / all |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""
Floats = NDArray[np.float64]


class Measured(NamedTuple):
    """Of the questions, in one order."""

    right_Q: NDArray[np.bool_]
    """Whether each fresh proposal is."""
    held_Q: NDArray[np.bool_]
    """Whether each chain holds a right rationale."""
    earlier_Q2: Floats
    """At how many of its earlier visits each has moved, and how many there were: both as a chain remembers them."""
    held_QD: Floats
    """Gradients of what is held, in part; 0 where nothing is."""
    drawn_QD: Floats
    """Gradients of the proposals."""

    def of(self, chosen: Sequence[int] | NDArray[np.int64]) -> Measured:
        """These questions alone."""
        return Measured(*(column[chosen] for column in self))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    step, found = measured(args.run, args.questions, args.seed)
    random, n = np.random.default_rng(args.seed), len(found.right_Q)
    again = [ratios(found.of(random.integers(n, size=n))) for _ in range(1000)]
    ends = np.quantile(again, [0.025, 0.975], axis=0).T
    cells = [
        f"{ratio:.2f} ({low:.2f} to {high:.2f})" for ratio, (low, high) in zip(ratios(found), ends, strict=True)
    ]  # fmt: skip
    row = (
        f"| {args.run.name} | {step} | {n} | {int(found.held_Q.sum())} | {100 * found.right_Q.mean():.0f} % | "
        f"{' | '.join(cells)} |\n"
    )
    if not RESULTS.exists():
        RESULTS.write_text(HEAD, encoding="utf-8")
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(row)
    print(row)


def measured(run: Path, count: int, seed: int) -> tuple[int, Measured]:
    """The checkpoint's step, and what was found of so many questions that the run has visited."""
    config = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    model, tokenizer = load_model(config["model"], dtype=config["dtype"], trainable=True)
    tuned = prepare(model, tokenizer, kind="lora", lora_rank=config["lora_rank"], lora_alpha=2 * config["lora_rank"])
    parameters = trainable_parameters(tuned.model)
    newest = list_checkpoints(run / "checkpoints")[-1]
    optimizer = build_optimizer(list(parameters.values()), "lora", rate=1e-4, weight_decay=0.0)
    state = restore_checkpoint(newest, parameters, optimizer)
    step = step_of(newest)
    held = {c.question_id: c.rationale for c in Memory.saved(state).chains() if c.right and c.rationale}
    visited = earlier(run, step)
    chosen = sorted(visited)
    np.random.default_rng(seed).shuffle(chosen)
    by_id = {question.id: question for question in load_questions(Path(config["data"]))}
    questions = [by_id[id] for id in chosen[:count]]
    form = PromptForm.read(run)
    assert form, f"{run}: no prompt is recorded"
    assert form.max_new_tokens, f"{run}: no limit is recorded"
    template = form.template(tokenizer)
    prompts = Prompts(template, tokenizer)
    with Grader() as grader:
        drawing = Drawing(
            LocalSampler(tuned.model, tokenizer), grader, config["model"], seed, form.max_new_tokens, template.stop,
            tokenizer=tokenizer,
        )  # fmt: skip
        drawn = [row[0] for row in drawing.draw(questions, prompts(questions), step=10**6)]
    by_question = dict(zip((question.id for question in questions), prompts(questions), strict=True))

    def gradient(rationale: Rationale) -> Floats:
        for parameter in parameters.values():
            parameter.grad = None
        accumulate_gradient(
            tuned.model, [Term(rationale.question_id, rationale.token_ids, 1.0)], by_question,
            pad_token_id=tokenizer.pad_token_id, token_budget=4096, bf16=config["dtype"] != "float32",
        )  # fmt: skip
        part = GradientSignal()
        part.cosine(list(parameters.values()))
        return np.frombuffer(part.state(), dtype=np.float32).astype(np.float64)

    drawn_QD = np.stack([gradient(rationale) for rationale in drawn])
    held_QD = np.stack([gradient(held[q.id]) if q.id in held else np.zeros_like(drawn_QD[0]) for q in questions])
    return step, Measured(
        np.array([rationale.right for rationale in drawn]),
        np.array([question.id in held for question in questions]),
        np.array([(visited[q.id].lately, visited[q.id].remembered) for q in questions]),
        held_QD,
        drawn_QD,
    )


def earlier(run: Path, step: int) -> dict[str, Chain]:
    """What chains remember of their visits up to a step, by question, from the run's table: of older runs too."""
    chains: dict[str, Chain] = {}
    rows = (row for row in RationaleTable(run / "rationales").read() if row.source == "self" and 0 < row.step <= step)
    for row in sorted(rows, key=lambda row: row.step):
        chains[row.question_id] = chains.get(row.question_id, Chain(row.question_id)).visited([row], None, row.step)
    return chains


def ratios(found: Measured) -> tuple[float, float, float]:
    """Of the variances: "all" over "basic", "running" over "basic", "running" over "all"."""
    right_Q, held_Q, earlier_Q2, held_QD, drawn_QD = found
    moved_QD = np.where(right_Q[:, None], drawn_QD, held_QD)
    kinds = (held_Q, ~held_Q)
    shares = [
        sum(leave_one_out_acceptance(right_Q, kind_Q) * kind_Q for kind_Q in kinds),
        sum(running_acceptance(right_Q, kind_Q, *earlier_Q2.T) * kind_Q for kind_Q in kinds),
    ]
    basic, every, running = (variance(moved_QD - share_Q[:, None] * drawn_QD) for share_Q in (0 * shares[0], *shares))
    return every / basic, running / basic, running / every


def variance(terms_QD: Floats) -> float:
    """The trace of their covariance."""
    return float(terms_QD.var(axis=0, ddof=1).sum())


if __name__ == "__main__":
    main()
