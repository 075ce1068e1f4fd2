"""A rationale: everything a model wrote after a question, its answer included, and the verdict on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aurify.answers.verdict import Verdict

Source = Literal["self", "guide", "few-shot", "teacher", "gold"]
"""Who wrote it: the model itself, under the plain, the hinted (guide) or a few-shot prompt; a teacher; the data set."""


Move = Literal["independent", "suffix", "guide"]
"""How it was proposed to a chain: drawn whole, as a new end of the rationale that the chain held, or under the hint."""

Ending = Literal["stop", "length"]
"""How it ended: with EOS or a stop string, or cut at the token limit."""


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
    finish_reason: Ending
    logprob: float | None
    """log p(what was drawn | what stood before it) in nats under the model that wrote it; None where unknown."""
    move: Move | None = None
    """How it was proposed to a chain; None where it was not."""
    cut: int = 0
    """How many of its first tokens stood before and were not drawn (a suffix move's)."""
    score: float | None = None
    """What a reward function gave for it; None where no such function judged it."""

    @property
    def right(self) -> bool:
        """Whether it ends in the right answer."""
        return self.verdict is Verdict.RIGHT

    @property
    def drawn_tokens(self) -> int:
        """How many of its tokens were drawn."""
        return len(self.token_ids) - self.cut

    @property
    def unaided(self) -> bool:
        """Whether nothing told the answer: no hint in the prompt, and no beginning of a right rationale (``cut``)."""
        return self.source != "guide" and not self.cut

    @property
    def left_out(self) -> bool:
        """Whether it counts neither as right nor as wrong."""
        return self.verdict is Verdict.LEFT_OUT


def mean_score(rationales: Iterable[Rationale]) -> float | None:
    """The mean of the scores that there are; None where there is none."""
    scores = [one.score for one in rationales if one.score is not None]
    return math.fsum(scores) / len(scores) if scores else None
