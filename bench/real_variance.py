"""The control variate's variance on the chains of a real run, beside what bench/variance.py says of exact memories.

    .venv/bin/python bench/real_variance.py RUN [--questions 64] [--seed 0]

RUN is the folder of an ``aurify train trice --tuning lora`` run. At its newest checkpoint, of questions whose chains
hold a right rationale z, one fresh proposal z~ is drawn each, and the gradients of log p(z) and log p(z~) are taken one
by one (a sample of their coordinates: see ``aurify.training.signal``). With z' the chain's next state, and b the share
of the other questions whose proposals were right, the table has the mean square of the terms s(z') and s(z') - b s(z~)
less that of their mean: their variance, and the ratio of both with an interval by bootstrap over questions. One row is
added to bench/results/real_variance.md. A minute for 16 questions of a model of 0.5B on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aurify import load_model
from aurify.answers import Grader
from aurify.methods import Term
from aurify.models import prepare, trainable_parameters
from aurify.models.prompting import PromptForm
from aurify.questions import Prompts, load_questions
from aurify.rationales import Drawing, Memory, Rationale
from aurify.running.checkpoint import list_checkpoints, restore_checkpoint, step_of
from aurify.sampling import LocalSampler
from aurify.toml import tomllib
from aurify.training.m_step import accumulate_gradient, build_optimizer
from aurify.training.signal import GradientSignal

RESULTS = Path(__file__).parent / "results" / "real_variance.md"
HEAD = """# The control variate's variance on real chains

Made by `bench/real_variance.py`; its first lines say what the columns are.

| run | step | questions | right proposals | variance with / without (95 %) | signal in the power |
| --- | ---: | ---: | ---: | ---: | ---: |
"""
Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    step, right_Q, held_QD, drawn_QD = gradients(args.run, args.questions, args.seed)
    ratio, signal = ratio_of(right_Q, held_QD, drawn_QD)
    random, n = np.random.default_rng(args.seed), len(right_Q)
    again = [
        ratio_of(right_Q[resample], held_QD[resample], drawn_QD[resample])[0]
        for resample in (random.integers(n, size=n) for _ in range(1000))
    ]
    low, high = np.quantile(again, [0.025, 0.975])
    row = (
        f"| {args.run.name} | {step} | {n} | {100 * right_Q.mean():.0f} % | {ratio:.2f} ({low:.2f} to {high:.2f}) | "
        f"{100 * signal:.1f} % of one question's |\n"
    )
    if not RESULTS.exists():
        RESULTS.write_text(HEAD, encoding="utf-8")
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(row)
    print(row)


def gradients(run: Path, count: int, seed: int) -> tuple[int, NDArray[np.bool_], Floats, Floats]:
    """The step; whether each question's proposal is right [Q]; parts of the gradients of z and of z~ [Q, D]."""
    config = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    model, tokenizer = load_model(config["model"], dtype=config["dtype"], trainable=True)
    tuned = prepare(model, tokenizer, kind="lora", lora_rank=config["lora_rank"], lora_alpha=2 * config["lora_rank"])
    parameters = trainable_parameters(tuned.model)
    newest = list_checkpoints(run / "checkpoints")[-1]
    optimizer = build_optimizer(list(parameters.values()), "lora", rate=1e-4, weight_decay=0.0)
    state = restore_checkpoint(newest, parameters, optimizer)
    held = {c.question_id: c.rationale for c in Memory.saved(state).chains() if c.right and c.rationale}
    chosen = sorted(held)
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

    held_QD = np.stack([gradient(held[question.id]) for question in questions])
    drawn_QD = np.stack([gradient(rationale) for rationale in drawn])
    return step_of(newest), np.array([rationale.right for rationale in drawn]), held_QD, drawn_QD


def ratio_of(right_Q: NDArray[np.bool_], held_QD: Floats, drawn_QD: Floats) -> tuple[float, float]:
    """Variance of the terms with the control variate over that without; the signal's share of the latter's power."""
    moved_QD = np.where(right_Q[:, None], drawn_QD, held_QD)
    scale_Q = (right_Q.sum() - right_Q) / max(len(right_Q) - 1, 1)
    controlled_QD = moved_QD - scale_Q[:, None] * drawn_QD
    mean = len(right_Q) * (moved_QD.mean(axis=0) ** 2).sum()
    power = float((moved_QD**2).sum(axis=1).mean())
    return variance(controlled_QD) / variance(moved_QD), max(0.0, float((mean - power) / (len(right_Q) - 1))) / power


def variance(terms_QD: Floats) -> float:
    """The trace of their covariance."""
    return float(terms_QD.var(axis=0, ddof=1).sum())


if __name__ == "__main__":
    main()
