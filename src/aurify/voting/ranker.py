"""A ranker's folder: what scores, how its scores are calibrated, and on whose samples it was trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aurify.errors import AurifyError, UsageError
from aurify.files import atomic_folder, verify_folder
from aurify.parsing import parse_json
from aurify.voting.calibration import Calibration
from aurify.voting.pool import CandidatePool
from aurify.voting.stopping import StopRule

Floats = NDArray[np.float64]
FACTS_FILE, RANKER_VERSION = "ranker.json", 2
_NAMES_SHOWN = 3


class CandidateScorer(Protocol):
    """What the fast and the neural ranker have in common."""

    alone: bool

    def scores(self, pools: Sequence[CandidatePool]) -> list[Floats]:
        """The score of every candidate of every pool, in order."""
        ...

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        ...


@dataclass(frozen=True)
class Ranker:
    """A scorer with its calibration."""

    scorer: CandidateScorer
    kind: str
    """fast or neural."""
    calibration: Calibration
    models: tuple[str, ...]
    """Who wrote the samples that it was trained on."""
    report: dict[str, Any]
    """What was measured on held-out questions."""
    learned: frozenset[str] = frozenset()
    """The questions that it was trained and calibrated on, by ``question_key``; empty where that is not known."""

    def has_learned(self, pool: CandidatePool) -> bool:
        """Whether it was trained or calibrated on this very question, so that its vote on it is flattered."""
        return question_key(pool) in self.learned

    @property
    def alone(self) -> bool:
        """Whether a candidate's score depends on nothing but itself and its question."""
        return self.scorer.alone

    def scores(self, pools: Sequence[CandidatePool]) -> list[Floats]:
        """P(right) of every candidate of every pool, calibrated; an empty pool has none."""
        full = [pool for pool in pools if pool.candidates]
        found = iter(self.scorer.scores(full))
        return [self.calibration(next(found)) if pool.candidates else np.zeros(0) for pool in pools]

    def runs_of(self, pools: Sequence[CandidatePool]) -> Callable[[Sequence[CandidatePool]], list[Floats]]:
        """What gives the scores of runs that are cut from these pools.

        A ranker that looks at candidates alone is asked once for each of them, however many runs it is in.
        """
        if not self.alone:
            return self.scores
        known = {
            id(candidate): score
            for pool, scores_S in zip(pools, self.scores(pools), strict=True)
            for candidate, score in zip(pool.candidates, scores_S.tolist(), strict=True)
        }
        return lambda runs: [np.array([known[id(one)] for one in run.candidates]) for run in runs]

    def refuse_to_look_ahead(self, stop: StopRule) -> None:
        """Do nothing where votes can be held, by this rule of stopping, before all samples are drawn.

        Raises:
            UsageError: a sample's score depends on the others.
        """
        if stop != "never" and not self.alone:
            raise UsageError(
                f"--stop {stop}: this ranker looks at all samples of a question at once, also at those not yet drawn: "
                "train one with --alone, or leave --stop"
            )

    def unfamiliar_models(self, pools: Sequence[CandidatePool]) -> list[str]:
        """The models whose samples these are, but not those it was trained on; where either is unknown, none."""
        if not self.models:
            return []
        written = {candidate.model for pool in pools for candidate in pool.candidates if candidate.model}
        known = set(map(_model_of, self.models))
        return sorted(name for name in written if _model_of(name) not in known)

    def warning(self, pools: Sequence[CandidatePool]) -> str | None:
        """One line for the user where the ranker judges samples of another model; None where all is well."""
        unfamiliar = self.unfamiliar_models(pools)
        if not unfamiliar:
            return None
        names = [
            ", ".join(group[:_NAMES_SHOWN]) + (" ..." if len(group) > _NAMES_SHOWN else "")
            for group in (unfamiliar, self.models)
        ]
        return (
            f"warning: the ranker was trained on samples of {names[1]} and judges those of {names[0]}: "
            "its scores may not mean what they say"
        )

    def save(self, folder: str | Path) -> None:
        """Write the ranker, whole or not at all."""
        facts = {
            "version": RANKER_VERSION,
            "kind": self.kind,
            "models": list(self.models),
            "calibration": asdict(self.calibration),
            "report": self.report,
            "learned": " ".join(sorted(self.learned)),
        }
        with atomic_folder(folder) as new:
            self.scorer.save(new)
            (new / FACTS_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def question_key(pool: CandidatePool) -> str:
    """A short hash of a question's text, however it is spaced."""
    return hashlib.sha256(" ".join(pool.asked.split()).encode()).hexdigest()[:16]


def _model_of(name: str) -> str:
    """A model's name; of a folder, its place, however it is written."""
    path = Path(name)
    return str(path.resolve()) if path.exists() else name


def load_ranker(folder: str | Path) -> Ranker:
    """Read a ranker's folder.

    Raises:
        AurifyError: it is not one, or is damaged.
    """
    folder = Path(folder)
    if not (folder / FACTS_FILE).is_file():
        raise AurifyError(f"--ranker {folder}: no {FACTS_FILE} there: expected a folder that aurify rank wrote")
    verify_folder(folder)
    try:
        facts = parse_json((folder / FACTS_FILE).read_text(encoding="utf-8"))
        kind, known = facts["kind"], facts["calibration"]
        if facts["version"] != RANKER_VERSION:
            raise AurifyError(f"{folder}: trained by another version of aurify: train the ranker again")
        calibration = Calibration(known["slope"], known["bias"], tuple(known["x"]), tuple(known["y"]))
        models, report = tuple(facts["models"]), facts["report"]
        learned = frozenset(facts.get("learned", "").split())  # older rankers do not say it
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AurifyError(f"{folder / FACTS_FILE}: damaged: {error}") from None
    scorer: CandidateScorer
    if kind == "fast":
        from aurify.voting.fast_ranker import FastRanker

        scorer = FastRanker.load(folder)
    else:
        from aurify.voting.neural_ranker import NeuralRanker

        scorer = NeuralRanker.load(folder)
    return Ranker(scorer, kind, calibration, models, report, learned)
