"""Training a neural ranker: random pairs of each question, checkpoints, and a wish to stop between two steps.

Source: docs/methods.md, "Adaptive self-consistency (ASC)".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from aurify.errors import AurifyError, UsageError
from aurify.running.checkpoint import list_checkpoints, newest_whole, restore_checkpoint, save_checkpoint, step_of
from aurify.running.interrupt import StopRequest
from aurify.seeds import stable_seed
from aurify.training.schedule import batch_of_step, learning_rate
from aurify.voting.neural_ranker import NeuralRanker, NeuralSettings, RankerRow, Tell, silent
from aurify.voting.pool import Candidate, CandidatePool

ASKED = "asked.json"
LAST_RATE, WEIGHT_DECAY, RANKER_CLIP = 0.02, 1e-5, 1.0


def train_neural(
    pools: Sequence[CandidatePool],
    settings: NeuralSettings,
    *,
    say: Callable[[str], None] = lambda text: None,
    tell: Tell = silent,
    folder: Path | None = None,
    resume: bool = False,
    save_every: int = 50,
) -> NeuralRanker:
    """Train on questions that have both right and wrong candidates: one of each a question and epoch, at random.

    AdamW (weight decay 1e-5), cosine over the steps to 0.02 of the rate. The pointwise loss sees the same pairs. Pairs
    and rates follow from the step's number, so a run that goes on ends as one that was never stopped.

    A resumed run's first loss is of the rest of its epoch.

    Args:
        tell: is told how many pairs are done, of how many.
        folder: of checkpoints; None: there are none.
        resume: go on from the newest whole checkpoint, if there is one.

    Raises:
        UsageError: the model is of a kind that is no ranker's base, or the checkpoints are of other settings.
        AurifyError: no question has both, the model cannot be loaded, the loss is not finite, or a wish to stop.
    """
    named = [(place, pool.question_id) for place, pool in enumerate(pools) if _of(pool, True) and _of(pool, False)]
    pairs = [place for place, _ in named]
    if not pairs:
        raise AurifyError("a ranker needs questions that have both a right and a wrong rationale: there is none")
    ranker = NeuralRanker.begin(settings)
    ranker.budget.say = say
    trained = ranker.trained
    optimiser = torch.optim.AdamW(trained.values(), lr=settings.learning_rate, weight_decay=WEIGHT_DECAY)
    asked = json.dumps({**asdict(ranker.settings), "pairs": stable_seed(*(name for _, name in named))})
    size = min(settings.questions, len(pairs))
    a_pass = len(pairs) // size
    steps, first, total = settings.epochs * a_pass, 1, 0.0
    damaged: frozenset[Path] = frozenset()
    if resume and folder is not None and (found := list_checkpoints(folder)):

        def taken(path: Path) -> tuple[Path, str]:
            return path, restore_checkpoint(path, trained, optimiser).get(ASKED, b"").decode(errors="replace")

        (newest, before), damaged = newest_whole(found, taken, say)
        _same(before, asked, newest)
        first = step_of(newest) + 1
        say(f"goes on after step {first - 1} of {steps}")
    tell((first - 1) * size, steps * size)
    with StopRequest() as stop:
        for step in range(first, steps + 1):
            chosen = [pools[place] for place in batch_of_step(pairs, size, step, settings.seed)]
            rows = _rows(chosen, stable_seed(settings.seed, "pair", step))
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step, steps, settings.learning_rate, LAST_RATE, 0)
            loss = ranker.accumulate([row for row, _ in rows], [right for _, right in rows])
            nn.utils.clip_grad_norm_(trained.values(), RANKER_CLIP)
            optimiser.step()
            optimiser.zero_grad()
            total += loss
            tell(step * size, steps * size)
            if step % a_pass == 0:
                told = f"loss {total / a_pass:.4f} over {a_pass * size} questions"
                say(f"epoch {step // a_pass} of {settings.epochs}: {told}")
                total = 0.0
            if folder is not None and (step % save_every == 0 or step == steps or stop.asked):
                state = {ASKED: asked.encode()}
                damaged -= {save_checkpoint(folder, step, trained, optimiser, state, damaged=damaged)}
            if stop.asked and step < steps:
                told = " and saved; go on with the same command and --resume" if folder else "; nothing of it is kept"
                raise AurifyError(f"stopped after step {step} of {steps}{told}")
    return ranker


def _rows(chosen: Sequence[CandidatePool], seed: int) -> list[tuple[RankerRow, bool]]:
    """A right and a wrong candidate of each question, at random."""
    random = np.random.default_rng(seed)
    rows = []
    for pool in chosen:
        for right in (True, False):
            among = _of(pool, right)
            rows.append(((pool.question, among[int(random.integers(len(among)))].text), right))
    return rows


def _of(pool: CandidatePool, right: bool) -> list[Candidate]:
    return [candidate for candidate in pool.candidates if candidate.right is right]


def _same(before: str, now: str, checkpoint: Path) -> None:
    if before == now:
        return
    try:
        told, asked = json.loads(before), json.loads(now)
        changed = [name for name in asked if told.get(name) != asked[name]]
    except ValueError:
        changed = ["its record"]
    raise UsageError(f"--resume: {checkpoint} was made with other settings or data ({', '.join(changed)})")
