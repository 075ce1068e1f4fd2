"""A rationale: everything a model wrote after a question, its answer included, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aurify.answers.verdict import Grade, Verdict
from aurify.sampling.protocol import Completion, FinishReason

Source = Literal["self", "guide", "few-shot", "teacher", "gold"]
"""Who wrote it: the model itself, under the plain, the hinted (guide) or a few-shot prompt; a teacher; the data set."""


@dataclass(frozen=True)
class Rationale:
    """One row of the rationale table."""

    question_id: str
    token_ids: tuple[int, ...]
    """Exactly the sampled ids, EOS if and only if it was sampled; empty where only a text is known (a teacher's)."""
    text: str
    predicted: str | None
    """The answer read out of the text; None where there is none."""
    verdict: Verdict | None
    """None: not judged yet."""
    reason: str
    """Why this verdict."""
    source: Source
    model: str
    """The name of the model that wrote it."""
    step: int
    """The training step in which it was drawn; 0 before the first."""
    sample_index: int
    """Its place among the samples of the same question and step."""
    seed: int
    """The 63-bit seed it was drawn with."""
    finish_reason: FinishReason
    logprob: float | None
    """log p(token_ids | prompt) in nats under the model that wrote it; None where unknown (a teacher's)."""

    @property
    def right(self) -> bool:
        """Whether it ends in the right answer."""
        return self.verdict is Verdict.RIGHT

    @classmethod
    def of(
        cls,
        question_id: str,
        completion: Completion,
        grade: Grade,
        source: Source,
        model: str,
        step: int,
        sample_index: int,
        seed: int,
    ) -> Rationale:
        """A sampled completion with its grade."""
        return cls(
            question_id=question_id,
            token_ids=completion.token_ids,
            text=completion.text,
            predicted=grade.predicted,
            verdict=grade.verdict,
            reason=grade.reason,
            source=source,
            model=model,
            step=step,
            sample_index=sample_index,
            seed=seed,
            finish_reason=completion.finish_reason,
            logprob=completion.logprob,
        )
