"""What a method is: an E-step, pure in (key, chains, proposals), that says what to learn from and how much."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from aurify.rationales import Chain, Rationale
from aurify.rationales.record import Move


@dataclass(frozen=True)
class Term:
    """One term of the M-step's sum_i w_i log p(z_i | x_i)."""

    question_id: str
    token_ids: tuple[int, ...]
    weight: float
    drawn: float | None = None
    """log p(z_i | x_i) in nats under the weights that drew it, where those are not the ones that learn: its weight is
    then multiplied by the ratio of the two probabilities."""


class Kernel(NamedTuple):
    """How the next proposals of a chain are drawn."""

    move: Move = "independent"
    cut: int = 0
    """How many tokens of the chain's rationale they keep (a suffix move)."""


class EStep(NamedTuple):
    """The new chains (in the questions' order), the terms to ascend, and what happened, by name."""

    chains: list[Chain]
    terms: list[Term]
    info: dict[str, float]


class Method(ABC):
    """An E-step and what it needs drawn: ``samples`` proposals a question, from the model itself unless ``given``.

    A method is a frozen dataclass. The first line of its docstring stands in the help; its fields made by
    ``aurify.registry.setting`` are flags of ``aurify train``; ``__post_init__`` refuses, with a ``UsageError``, values
    that mean nothing for it.
    """

    samples: int
    refits: int = 0
    """0: every step draws its own proposals. Otherwise the steps are cut into this many fits: each draws proposals for
    all training questions with the model as it stands, then starts from the base model again and learns from them."""
    growth: ClassVar[float] = 1.0
    """How much longer each fit is than the one before."""
    visits: int = 1
    """How often a question is visited before others follow (``training.schedule``)."""
    remembers: ClassVar[bool] = False
    """Whether it learns from the memory, so that chains want a first rationale."""
    greedy: ClassVar[bool] = False
    """Whether a proposal is the model's most likely rationale, not a sample."""
    rationalises: ClassVar[bool] = False
    """Whether a question without a right proposal gets one more, drawn under the hinted (guide) prompt."""
    given: ClassVar[bool] = False
    """Whether proposals are rationales that stand beforehand (``--memory``)."""
    given_by: ClassVar[tuple[str, ...]] = ("gold", "table", "guide")
    """Where they may come from, in words of ``--memory``; one alone need not be said."""
    answers_alone: ClassVar[bool] = False
    """Whether the model is asked for the answer alone (``--prompt direct``), and the given rationale is that answer."""
    learns: ClassVar[bool] = True
    """Whether it takes any step; a run of a method that does not is its evaluation."""
    scores_answers: ClassVar[bool] = False
    """Whether it needs log p(y | x, z): chains and proposals then hold ``Answered`` rationales."""

    @property
    def samples_itself(self) -> bool:
        """Whether every step draws at temperature 1 from the model as it is: what a KL divergence is measured on."""
        return self.learns and not (self.refits or self.given or self.greedy)

    @property
    def corrects_guide(self) -> bool:
        """Whether it weighs hinted (guide) proposals by their probabilities: they are then ``WeighedRationale``s, and
        so is what the chain holds that they are proposed to."""
        return False

    def kernel(self, key: int, chain: Chain) -> Kernel:
        """How the chain's next proposals are drawn.

        Args:
            key: the seed of this choice.
            chain: the state of a question's chain.
        """
        return Kernel()

    @abstractmethod
    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """One E-step.

        Args:
            key: the seed of every random choice made here.
            step: the number of this step, from 1.
            chains: the state of each question's chain before this step [Q], every question once.
            proposals: each question's graded proposals, Q lists of S, drawn from the current model (of a method that
                fits: from the model at the beginning of the fit). A question has fewer where nobody had a verdict on
                some (``left-out``), but at least one.
        """
