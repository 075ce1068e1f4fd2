"""TRICE and the methods of its form as a task: visit questions, E-step, M-step. See ``step``, which is all of it.

Source: docs/methods.md, "The memory and its kernel (E-step)" and "The gradient (M-step)"; TRICE, arXiv 2312.02179.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import torch

from aurify.answers import answer_type
from aurify.errors import AurifyError
from aurify.files import Kept
from aurify.methods import Method
from aurify.methods.base import EStep
from aurify.models.sharding import join
from aurify.questions import Prompts, Question
from aurify.rationales import Chain, Drawing, Memory, Rationale, RationaleTable
from aurify.rationales.record import mean_score
from aurify.running.budget import Spending
from aurify.running.context import RunContext
from aurify.running.held_out import greedy_accuracy
from aurify.running.task import Measured, Stepped, Task
from aurify.sampling.agreement import TINY
from aurify.sampling.protocol import Compared, Publishing
from aurify.seeds import stable_seed
from aurify.training.ahead import DrawsAhead, with_draws
from aurify.training.answer_scores import AnswerScorer
from aurify.training.first_look import first_look
from aurify.training.first_rationales import PROBED_QUESTIONS, Starter, choose_guide
from aurify.training.fits import Fits
from aurify.training.guide_scores import GuideScorer, weighed
from aurify.training.later_looks import LaterLooks
from aurify.training.proposals import Proposer, Way
from aurify.training.schedule import learning_rate, rounds_of
from aurify.training.scores import with_scores
from aurify.training.settings import TrainSettings
from aurify.training.update import LOOKED_EVERY, Update

START, UPDATE, GRADIENT, LOOKS = "start.json", "update.json", "gradient.bin", "looks.json"
"""Files of the state beside the chains: how they are started, how far a step may go, a part of the last gradient, and
what a user is told of."""


class Visit(NamedTuple):
    """What a step is about."""

    questions: list[Question]
    chains: list[Chain]
    """Of each question, with its first rationale where it had no right one and one was found."""
    proposals: list[list[Rationale]]
    fresh: list[Rationale]
    """What was drawn, or taken from somewhere, for it."""


class DrawnFor(NamedTuple):
    """What is drawn for a step."""

    questions: list[Question]
    chains: list[Chain]
    starter: Starter
    invalid: set[str]
    """The questions whose chains want a first rationale."""
    ways: dict[str, Way]


class ExpectationMaximisation(Task):
    """A method's chains and its fits, and the steps that move both on.

    Args:
        table: gets all fresh rationales.
        starters: the ways to start a chain, by the word of ``--memory``.
        spending: the learning rate falls with the budget, where there is one.
        ahead: draws for each step while the one before is computed; None: nobody does.
    """

    def __init__(
        self,
        settings: TrainSettings,
        method: Method,
        update: Update,
        prompts: Prompts,
        drawing: Drawing,
        context: RunContext,
        *,
        train: Sequence[Question],
        held_out: Sequence[Question],
        table: RationaleTable,
        starters: Mapping[str, Starter],
        propose: Proposer,
        scorer: AnswerScorer,
        guide_scorer: GuideScorer,
        fits: Fits,
        spending: Spending,
        pilot: Sequence[Rationale],
        ahead: DrawsAhead | None,
    ) -> None:
        self.settings, self.method, self.update = settings, method, update
        self.prompts, self.drawing, self.context, self.world = prompts, drawing, context, context.world
        self.train, self.held_out, self.table, self.starters = train, held_out, table, starters
        self.propose, self.scorer, self.guide_scorer = propose, scorer, guide_scorer
        self.fits, self.spending = fits, spending
        self.ends, self.parameters = [settings.updates], update.parameters
        self.renewed_after = [start - 1 for start in fits.starts[1:]]
        self.memory = Memory()
        self.start_from = settings.memory if method.remembers else "none"
        self.probes = list(pilot)
        """What was drawn to choose limit and start, until a step counts it."""
        self.ahead, self.behind, self.moved = ahead, 0, False
        """Who draws ahead; how many updates this step's proposals are behind; whether the last step was an update."""
        self.published = False
        """Whether the present weights are where rationales are drawn: whole, and at a sampler with a copy of them."""
        self.difference = 0.0
        """Nats a token between what the sampler and the update say, as it was last told."""
        self.later_looks = LaterLooks(drawing.max_new_tokens)
        fits.remember_base(self.parameters)

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The present fit's."""
        return self.update.optimizer

    def step(self, step: int) -> Stepped:
        """Visit questions, update their chains (E-step), and ascend what these say (M-step)."""
        begun = time.perf_counter()
        if _compared(step) and isinstance(self.drawing.sampler, Compared):
            self.drawing.sampler.compare_next()
        questions, chains, proposals, fresh = self._from_fit(step) if self.fits else self._visit(step)
        sampled = time.perf_counter()

        if self.method.scores_answers:
            chains, proposals = with_scores(self.world, self.scorer, questions, chains, proposals)
        if self.method.corrects_guide:
            chains, proposals = weighed(self.world, self.guide_scorer, questions, chains, proposals)
        e_step = self._e_step(step, chains, proposals)

        prompts = dict(zip((question.id for question in questions), self.prompts(questions), strict=True))
        terms = with_draws(e_step.terms, proposals) if self.behind else e_step.terms
        self._draw_ahead(step, e_step.chains)
        try:
            own = proposals if self.method.samples_itself else ()
            ascent = self.update.gradient(terms, prompts, own, look=step % LOOKED_EVERY == 1)
            if self.ahead:
                self.ahead.end()
        except BaseException:
            if self.ahead:
                self.ahead.drop()
            raise
        updated = self.update.step(ascent, self._rate(step))
        self.memory.update(e_step.chains)
        self.moved = bool(updated["updated"])
        self.published = self.published and not self.moved

        ended = time.perf_counter()
        lag = {"behind": self.behind} if self.ahead else {}
        facts = {**e_step.info, **updated, **lag, **self._counts(step, fresh)}
        if step == 1:
            stated = any(answer_type(question.answer_type).compares for question in self.train)
            for line in first_look(
                facts["verdicts"], limit=self.drawing.max_new_tokens, model=self.settings.model,
                data=self.settings.data, stated=stated,
            ):  # fmt: skip
                self.context.say(line)
        for line in self.later_looks(updated, facts["verdicts"]):
            self.context.say(line)
        seconds = {"sample_seconds": sampled - begun, "update_seconds": ended - sampled}
        return Stepped(facts, facts["generated_tokens"], seconds)

    def _e_step(self, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """The method's E-step without the samples that are neither right nor wrong; a question of such alone rests."""
        asks_answers = self.method.scores_answers  # then no verdict counts
        kept = [[sample for sample in row if asks_answers or not sample.left_out] for row in proposals]
        judged = [i for i, row in enumerate(kept) if row or not proposals[i]]
        if not judged:
            return EStep([], [], {"acceptance": 0.0, "valid_chains": 0.0})
        key = stable_seed(self.settings.seed, "e-step", step)
        return self.method.e_step(key, step, [chains[i] for i in judged], [kept[i] for i in judged])

    def _visit(self, step: int) -> Visit:
        """The questions of a step, each with proposals; a chain that is not valid gets a first rationale besides."""
        self._publish()
        questions, chains, starter, invalid, ways = self._asked(step)
        drawn = self.ahead.take(step) if self.ahead else None
        self.behind = int(drawn is not None and self.moved)
        if drawn is None:
            propose = self.world.stop.breaking(lambda mine: self.propose(mine, step, starter, invalid, ways))
            drawn = self.world.map(propose, questions)
        chains = [
            chain.started(one.first, step) if chain.question_id in invalid else chain
            for chain, one in zip(chains, drawn, strict=True)
        ]
        firsts = [one.first for one in drawn if one.first is not None]
        proposals = [one.proposals for one in drawn]
        return Visit(questions, chains, proposals, firsts + [sample for row in proposals for sample in row])

    def _asked(self, step: int, moved: Mapping[str, Chain] = MappingProxyType({})) -> DrawnFor:
        """What is drawn for a step; ``moved`` are chains, by question, that the memory does not hold yet."""
        questions = self.fits.batch(step)
        chains = [moved.get(question.id) or self.memory[question.id] for question in questions]
        invalid = {chain.question_id for chain in chains if not chain.right}
        return DrawnFor(questions, chains, self.starters[self.start_from], invalid, self._ways(chains, step))

    def _draw_ahead(self, step: int, moved: Sequence[Chain]) -> None:
        """Begin to draw for the next step, while the gradient of this one is computed."""
        if self.ahead and step < self.steps:
            asked = self._asked(step + 1, {chain.question_id: chain for chain in moved})
            self.ahead.begin(step + 1, asked.questions, asked.starter, asked.invalid, asked.ways)

    def _ways(self, chains: Sequence[Chain], step: int) -> dict[str, Way]:
        """By question id, how the proposals of a chain are drawn. A rationale beyond the limit is not gone on from."""
        ways = {}
        for chain in chains:
            kernel = self.method.kernel(stable_seed(self.settings.seed, "cut", chain.question_id, step), chain)
            held = chain.rationale.token_ids if chain.rationale else ()
            if kernel.move != "suffix" or len(held) <= self.drawing.max_new_tokens:
                ways[chain.question_id] = Way(kernel.move, held[: kernel.cut])
        return ways

    def _from_fit(self, step: int) -> Visit:
        """The questions of a step, with the proposals that were taken when its fit began; it may begin here."""
        fresh = self._begin_fit(step) if self.fits.begins(step) else []
        questions = self.fits.batch(step)
        chains = [self.memory[question.id] for question in questions]
        return Visit(questions, chains, [self.fits.pool[question.id] for question in questions], fresh)

    def _begin_fit(self, step: int) -> list[Rationale]:
        """Proposals for all training questions from the model as it stands, then the base model again."""
        self._publish()
        propose = self.world.stop.breaking(lambda mine: self.propose(mine, step))
        rows = [one.proposals for one in self.world.map(propose, self.train)]
        self.fits.keep(rows)
        if step > 1:
            self.fits.restore_base(self.parameters)
            self.published = False
            self.update.begin()
        return [sample for row in rows for sample in row]

    def _counts(self, step: int, fresh: Sequence[Rationale]) -> dict[str, Any]:
        """What a step drew, for its metrics; all of it goes into the table."""
        verdicts = Counter(str(sample.verdict) for sample in fresh if sample.source == "self")
        fresh, self.probes = [*self.probes, *fresh], []
        drawn = [sample for sample in fresh if sample.source not in ("gold", "teacher")]
        if self.world.main:
            self.table.append(fresh)
        reward = mean_score(sample for sample in fresh if sample.source == "self")
        facts: dict[str, Any] = {
            "verdicts": dict(sorted(verdicts.items())),
            **({} if reward is None else {"reward": reward}),
            "samples": len(drawn),
            "generated_tokens": sum(sample.drawn_tokens for sample in drawn),
        }
        if isinstance(self.drawing.sampler, Publishing):
            facts["sampler"] = self.drawing.sampler.report()
        elif (found := self._tell_difference()) and _compared(step):
            facts["sampler"] = found
        if self.fits.begins(step):
            facts["kept"] = len(self.fits.pool) / len(self.train)
        return facts

    def _tell_difference(self) -> dict[str, float]:
        """How far the sampler's log-probabilities were from the update's; said where it is not tiny, and has grown."""
        found = self.drawing.sampler.report() if isinstance(self.drawing.sampler, Compared) else {}
        mean = found.get("logprob_abs_difference", 0.0)
        if mean > max(TINY, 2 * self.difference):
            self.difference = mean
            self.context.say(
                f"log-probabilities of the sampler and of the update differ by {mean:.2g} nats a token, at most "
                f"{found['logprob_largest_difference']:.2g} ({found['compared_tokens']} tokens)"
            )
        return found

    def _rate(self, step: int) -> float:
        """The learning rate of a step: falling over the run, over the present fit, or with the budget."""
        start, end = self.fits.bounds(step)
        number, steps = step - start + 1, end - start
        if self.spending.budget is not None and not self.fits and step > self.settings.warmup:
            number = max(number, min(steps, 1 + int(self.spending.share * (steps - 1))))
        return learning_rate(number, steps, self.update.peak_rate, self.settings.lr_final, self.settings.warmup)

    def _publish(self) -> None:
        """Bring changed weights to a sampler that has a copy of them, before anything is drawn from it."""
        if not self.published:
            join(self.update.tuned.model)
        if not self.published and isinstance(self.drawing.sampler, Publishing):
            self.drawing.sampler.publish(write=self.world.main)
            self.world.wait()
        self.published = True

    def evaluate(self, step: int) -> Measured | None:
        """Greedy accuracy on the held-out questions."""
        if not self.held_out:
            return None
        self._publish()
        return greedy_accuracy(self.held_out, self.drawing, self.prompts, self.world, step)

    def begin(self, step: int) -> None:
        """Choose how chains start, where that is left to us, and say what will be done."""
        self._publish()
        if step == 0 and self.start_from == "auto":
            tried = min(len(self.train), PROBED_QUESTIONS)
            self.context.say(f"memory: {tried} questions are tried with the answer in the prompt, and without")
            guide = self.world.stop.breaking(choose_guide)
            choice = self.world.once(
                lambda: guide(self.train, self.drawing, self.prompts, self.settings.seed)
            )  # not by each: an inexact sampler does not draw the same for all
            self.start_from = "guide" if choice.guide else "none"
            self.probes += choice.drawn
            self.context.say(choice.reason)
        self._tell_difference()
        count = sum(parameter.numel() for parameter in self.parameters.values())
        self.context.say(
            f"{self.settings.method}: {self.update.tuned.kind} tuning of {count:,} parameters {self.update.told()}, "
            f"{min(self.settings.questions, len(self.train))} questions "
            + (f"a step, fits: {len(self.fits)}" if self.fits else f"x {self.method.samples} samples a step")
            + (f", rationales from {self.settings.memory}" if self.method.given else "")
            + ("" if self.fits else f", memory from {self.start_from}")
        )
        if (rounds := rounds_of(len(self.train), self.settings.questions, self.method.visits)) > 1:
            length = len(self.train) // rounds
            steps = self.method.visits * (length // self.settings.questions)
            self.context.say(
                f"questions in {rounds} rounds of {length}: each is visited {self.method.visits} times before others "
                f"follow, {steps} steps a round"
            )

    def state(self, step: int) -> dict[str, bytes | Kept]:
        """The chains, and how they are started."""
        start = json.dumps({"start_from": self.start_from}).encode()
        return {
            **self.memory.save(step), START: start, UPDATE: self.update.state(),
            GRADIENT: self.update.signal.state(), LOOKS: self.later_looks.state(),
        }  # fmt: skip

    def restore(self, step: int, state: Mapping[str, bytes]) -> None:
        """See ``state``; the proposals of a fit are in the table.

        Raises:
            AurifyError: a file of the state is missing or cannot be read.
        """
        if missing := sorted({START, UPDATE, GRADIENT, LOOKS} - state.keys()):
            raise AurifyError(f"{self.context.folder.checkpoints}: step {step} has no {missing[0]}; start it again")
        try:
            self.memory = Memory.saved(state)
            self.start_from = json.loads(state[START])["start_from"]
            self.update.restore(state[UPDATE])
            self.update.signal.restore(state[GRADIENT])
            self.later_looks.restore(state[LOOKS])
            if self.start_from not in self.starters:
                raise ValueError(f"chains that start from {self.start_from!r}")
        except (AurifyError, ValueError, KeyError, TypeError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise AurifyError(f"{self.context.folder.checkpoints}: the state of step {step}: {reason}") from None
        if self.fits:
            self.fits.recall(step, self.table.read())


def _compared(step: int) -> bool:
    """Steps 1, 2, 4, 8, ...: an adapter that does nothing yet agrees with anything."""
    return step & (step - 1) == 0
