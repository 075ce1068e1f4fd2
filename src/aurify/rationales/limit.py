"""How long a rationale may become, where nobody says it: by rule, or from a pilot.

A limit too low cuts right rationales, which then count as wrong; one too high lets those run on that never end. So a
pilot draws some rationales under a high limit, and the limit becomes the length that 95 % of the right ones keep, with
room to grow where a model is to learn (docs/decisions.md, "rationales grow").
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from aurify.answers.thought import opened_thought
from aurify.models.tuning import FULL_TUNING_LIMIT
from aurify.questions import Question
from aurify.rationales.draw import Drawing, Request
from aurify.rationales.record import Rationale
from aurify.seeds import stable_seed

PILOT = 32
"""Questions of a pilot, one rationale each."""
WORTH_FOR = 20
"""A pilot is drawn where at least this many times its rationales follow."""
PLAIN, CHAT, THINKING = 256, 1024, 4096
"""The limit without a pilot, and a pilot's own: of plain prompts, of chats, of those in which a model thinks first."""
SHARE, LEAST_LENGTHS, STEP = 0.95, 8, 32
"""The share of lengths that the limit holds; from how many of them; the limit is a multiple of the step."""

ROOM_TO_GROW = 1.5
"""Of a model that learns: how many times the lengths of the pilot's."""

EncodeQuestions = Callable[[Sequence[Question]], Sequence[tuple[int, ...]]]


class Limit(NamedTuple):
    """A token limit, and why."""

    tokens: int
    reason: str
    drawn: list[Rationale]
    """What a pilot drew; it is part of a run's cost."""

    def line(self) -> str:
        """What a user is told of it."""
        return f"token limit {self.tokens} ({self.reason}); --max-new-tokens sets another"


def limit_by_rule(form: str, *, thinking: bool = False) -> Limit:
    """The limit of a prompt's form where no pilot is drawn."""
    if form != "chat":
        return Limit(PLAIN, f"by rule for a {form} prompt", [])
    words = "a chat in which the model thinks first" if thinking else "a chat"
    return Limit(THINKING if thinking else CHAT, f"by rule for {words}", [])


def within_room(limit: Limit, room: int | None) -> Limit:
    """A limit by rule where the model has positions for it behind the longest prompt; else one that it has them for.

    Where less than a quarter would be left a prompt is too long, and not the limit: it stays, and drawing will say so.

    Args:
        room: of `aurify.models.prefix.room_behind`.
    """
    if room is None or room >= limit.tokens or room < limit.tokens / 4:
        return limit
    return limit._replace(tokens=room, reason=f"{limit.reason}, less for the model's positions")


def worth_a_pilot(n_parameters: int, n_rationales: int) -> bool:
    """Whether a pilot costs less than it brings: not for models that draw hundreds of rationales a second."""
    return n_parameters >= FULL_TUNING_LIMIT and n_rationales >= WORTH_FOR * PILOT


def limit_from_pilot(
    questions: Sequence[Question],
    encode: EncodeQuestions,
    drawing: Drawing,
    *,
    most: int,
    room: int | None,
    growth: float = 1.0,
    spread: Callable[[Callable[[list[Question]], list[Rationale]], Sequence[Question]], list[Rationale]] | None = None,
) -> Limit:
    """The limit that the lengths of a pilot's rationales give.

    Where most of them are cut within a thought, which the prompt's template gave no sign of, those that are cut are
    drawn again under the limit of a model that thinks first.

    Args:
        encode: the questions' prompts.
        most: the pilot's own limit, which the found one does not pass.
        room: of `aurify.models.prefix.room_behind`, for all prompts that the limit is for.
        growth: how many times as long rationales may become.
        spread: shares the questions among the processes of a run.
    """
    chosen = sorted(questions, key=lambda question: stable_seed(drawing.seed, "limit", question.id))[:PILOT]
    room = sys.maxsize if room is None else max(1, room)

    def drawn_within(limit: int, asked: Sequence[Question]) -> list[Rationale]:
        high = replace(drawing, max_new_tokens=limit, judged=None)

        def draw(mine: list[Question]) -> list[Rationale]:
            if not mine:
                return []
            request = Request(mine, encode(mine), first=1)  # sample 0 of step 0 is that of the first evaluation
            return [row[0] for row in high.draw_all([request], step=0)[0]]

        return spread(draw, asked) if spread else draw(list(asked))

    most = min(most, room)
    drawn = all_drawn = drawn_within(most, chosen)
    cut = [row for row in drawn if row.finish_reason == "length" and opened_thought(row.text)]
    if most < min(THINKING, room) and len(cut) > len(drawn) / 2:
        most, ids = min(THINKING, room), {row.question_id for row in drawn if row.finish_reason == "length"}
        again = drawn_within(most, [question for question in chosen if question.id in ids])
        drawn, all_drawn = [row for row in drawn if row.question_id not in ids] + again, drawn + again
    right = [len(one.token_ids) for one in drawn if one.right]
    ended = [len(one.token_ids) for one in drawn if one.finish_reason == "stop"]
    counted = f"{len(drawn)} rationales of a pilot: {len(right)} right, {len(ended)} ended within {most} tokens"
    for lengths, of in ((right, "the right ones"), (ended, "those that ended")):
        if len(lengths) >= LEAST_LENGTHS:
            tokens = min(most, STEP * math.ceil(growth * _quantile(lengths) / STEP))
            held = "holds 95 % of" if growth == 1 else f"{growth:g} times what holds 95 % of"
            return Limit(tokens, f"{held} {of} among {counted}", all_drawn)
    return Limit(most, f"the most that is tried: {counted}, too few to tell from", all_drawn)


def _quantile(lengths: Sequence[int]) -> int:
    """The smallest length that at least 95 % keep."""
    return sorted(lengths)[math.ceil(SHARE * len(lengths)) - 1]
