"""``aurify rank`` from settings to a ranker's folder: the order of things, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np

from aurify.errors import AurifyError, UsageError
from aurify.lock import is_unused, sole_writer
from aurify.parsing import read_toml
from aurify.voting.calibration import Calibration, calibrate
from aurify.voting.gather import read_pools
from aurify.voting.kept_pools import KeptPools, in_chunks
from aurify.voting.pool import CandidatePool
from aurify.voting.ranker import FACTS_FILE, CandidateScorer, Ranker, question_key
from aurify.voting.report import measure_ranker
from aurify.voting.settings import RankSettings
from aurify.voting.splits import split_pools

CHECKPOINTS = "checkpoints"
"""In a ranker's folder while it is trained."""

Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Given what is counted, it opens what is told how much is done, of how much."""


@contextmanager
def no_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows nothing."""
    yield lambda done, asked: None


def run_rank(settings: RankSettings, *, say: Callable[[str], None] = lambda text: None, bar: Bar = no_bar) -> Ranker:
    """Train a ranker on most questions, calibrate it on some others, report on the rest, and save it.

    Args:
        bar: shows how far a part of the work is that takes long.

    Raises:
        UsageError: the folder ``settings.out`` is in use, or holds no training that could go on.
        AurifyError: nothing to train on, the model cannot be loaded, or a wish to stop.
    """
    out = Path(settings.out)
    for line in settings.unused:
        say(line)
    with sole_writer(out, say):
        if settings.resume and (out / FACTS_FILE).is_file():
            raise UsageError(f"--resume: {out} holds a finished ranker")
        if not settings.resume and not is_unused(out):
            raise UsageError(f"--out {out}: already there and not empty: choose another folder, or --resume")
        ranker = _trained_and_measured(settings, say, bar)
        ranker.save(out)
        return ranker


def _trained_and_measured(settings: RankSettings, say: Callable[[str], None], bar: Bar) -> Ranker:
    with KeptPools() as train, KeptPools() as tuning, KeptPools() as test:
        rationales = right = 0
        learned: set[str] = set()
        for pools in read_pools(settings.from_, settings, say):
            rationales += sum(len(pool.candidates) for pool in pools)
            right += sum(bool(candidate.right) for pool in pools for candidate in pool.candidates)
            taught, held = split_pools(pools, settings.holdout, settings.seed)
            train.extend(taught)
            tuned, unseen = split_pools(held, 0.5, settings.seed + 1)
            tuning.extend(tuned)
            test.extend(unseen)
            learned.update(map(question_key, (*taught, *tuned)))
        questions = len(train) + len(tuning) + len(test)
        say(f"{rationales} rationales on {questions} questions, {right} of them right")
        if not train or not test:
            raise AurifyError(f"{settings.from_}: {questions} questions are too few to hold {settings.holdout:.0%} out")
        ranker = train_ranker(settings, train, tuning, say, bar)
        say(f"measured on {len(test)} questions that it has not seen")
        with bar("questions measured") as tell:
            report = measure_ranker(ranker, test, weight=settings.weight, seed=settings.seed, tell=tell)
    models = (*ranker.models, *_model_of_run(settings.from_))
    return Ranker(ranker.scorer, ranker.kind, ranker.calibration, models, report, frozenset(learned))


def _model_of_run(source: str) -> list[str]:
    """The model that a run of ``aurify train`` ended with, which wrote the run's last rationales but for one step.

    That of a distillation, which learns ``from`` what others wrote, wrote none of its own.
    """
    model, config = Path(source) / "model", Path(source) / "config.toml"
    learned_from_itself = config.is_file() and "from" not in read_toml(config)
    return [str(model)] if model.is_dir() and learned_from_itself else []


def train_ranker(
    settings: RankSettings,
    train: Sequence[CandidatePool],
    tuning: Sequence[CandidatePool],
    say: Callable[[str], None] = lambda text: None,
    bar: Bar = no_bar,
) -> Ranker:
    """Train on some questions and calibrate on others, whose texts are looked at some at a time.

    Raises:
        AurifyError: there are not both right and wrong rationales, or the model cannot be loaded.
    """
    scorer: CandidateScorer
    if settings.ranker == "fast":
        from aurify.voting.fast_ranker import FastRanker

        with bar("questions read") as tell:
            scorer = FastRanker.train(
                _cut(_counted(train, tell), settings.samples), seed=settings.seed, alone=settings.alone,
                words=settings.words,
            )  # fmt: skip
    else:
        from aurify.voting.neural_ranker import NeuralSettings
        from aurify.voting.neural_training import train_neural

        rate = settings.lr or (1e-4 if settings.lora_rank else 2e-5)
        asked = NeuralSettings(
            settings.model, settings.loss, settings.power, settings.lora_rank, rate, settings.epochs,
            settings.questions, settings.max_tokens, settings.seed, settings.dtype, settings.token_budget,
        )  # fmt: skip
        with bar("pairs") as tell:
            scorer = train_neural(
                train, asked, say=say, tell=tell, folder=Path(settings.out) / CHECKPOINTS if settings.out else None,
                resume=settings.resume, save_every=settings.save_every,
            )  # fmt: skip
    calibration = Calibration()
    scores, right = [], []
    for some in in_chunks(_cut(tuning, settings.samples)):
        scores += scorer.scores(some)
        right += [bool(candidate.right) for run in some for candidate in run.candidates]
    if scores:
        calibration = calibrate(np.concatenate(scores), np.array(right), settings.calibration)
    models = tuple(sorted({candidate.model for pool in train for candidate in pool.candidates if candidate.model}))
    return Ranker(scorer, settings.ranker, calibration, models, {})


def _counted(pools: Sequence[CandidatePool], tell: Callable[[int, int], None]) -> Iterator[CandidatePool]:
    """The pools, of which each is told of when the next one is asked for."""
    for number, pool in enumerate(pools, 1):
        yield pool
        tell(number, len(pools))


def _cut(pools: Iterable[CandidatePool], size: int) -> Iterator[CandidatePool]:
    """The pools as they will be voted on; one that is smaller as it is."""
    for pool in pools:
        yield from pool.runs(size) or [pool]
