"""Trials of a pilot, made up."""

from __future__ import annotations

from aurify.answers.verdict import Verdict
from aurify.doctor.trial import Trial
from aurify.rationales import Rationale


def rationale(question: int, verdict: Verdict = Verdict.RIGHT, text: str = "The answer is 1.", reason: str = ""):
    return Rationale(
        question_id=f"q{question}", token_ids=(1, 2, 3), text=text, predicted="1", verdict=verdict, reason=reason,
        source="self", model="m", step=0, sample_index=0, seed=0, finish_reason="stop", logprob=-1.0,
    )  # fmt: skip


def trial(*right: int, samples: int = 4, name: str = "as it is", **more):
    """A trial with ``right[q]`` right rationales of question q, of ``samples``."""
    rows = [
        [rationale(q, Verdict.RIGHT if s < n else Verdict.WRONG) for s in range(samples)] for q, n in enumerate(right)
    ]
    return Trial(name, rows, 1.0, **more)
