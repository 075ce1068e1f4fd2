from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from aurify.answers import Grader
from aurify.questions import Question
from aurify.rationales import Drawing
from aurify.rationales.limit import Limit, limit_by_rule, limit_from_pilot, within_room, worth_a_pilot
from aurify.sampling import Completion, Prompt

QUESTIONS = [Question(id=str(n), text=f"{n}?", answer=str(n), answer_type="number") for n in range(40)]


class Writer:
    """Question n gets n * 10 + 10 tokens; the even ones are right, where it knows anything."""

    def __init__(self, knows: bool = True, ends: bool = True, thought: int = 0) -> None:
        self.knows, self.ends, self.thought, self.asked = knows, ends, thought, 0

    def sample(self, prompts: Sequence[Prompt], *, max_new_tokens: int, **_: Any) -> list[list[Completion]]:
        self.asked, self.limit = self.asked + len(prompts), max_new_tokens
        return [[self.one(prompt.token_ids[0], max_new_tokens)] for prompt in prompts]

    def one(self, n: int, limit: int) -> Completion:
        length, text = 10 * n + 10, f"The answer is {n if self.knows and n % 2 == 0 else -1}."
        if self.thought and limit < self.thought + length:
            return Completion((5,) * limit, "<think>So", -1.0, "length")
        if self.thought:
            return Completion((5,) * (self.thought + length), f"<think>So.</think>{text}", -1.0, "stop")
        if not self.ends or length > limit:
            return Completion((5,) * limit, text, -1.0, "length")
        return Completion((5,) * length, text, -1.0, "stop")


def found(writer: Writer, most: int = 1024, room: int | None = None, n: int = 40, growth: float = 1.0) -> Limit:
    with Grader() as grader:
        drawing = Drawing(writer, grader, "m", seed=0, max_new_tokens=1)
        return limit_from_pilot(
            QUESTIONS[:n], lambda asked: [(int(one.id),) for one in asked], drawing, most=most, room=room,
            growth=growth,
        )  # fmt: skip


def test_the_limit_holds_95_percent_of_the_right_ones() -> None:
    writer = Writer()
    limit = found(writer)
    right = sorted(len(one.token_ids) for one in limit.drawn if one.right)
    assert writer.asked == len(limit.drawn) == 32
    assert sum(length <= limit.tokens for length in right) >= 0.95 * len(right)
    assert limit.tokens % 32 == 0
    assert limit.tokens - 32 < right[-1]
    assert "right ones" in limit.line()
    assert "--max-new-tokens" in limit.line()
    assert found(Writer()).tokens == limit.tokens


def test_a_model_that_learns_has_room_to_grow_within_what_is_tried_and_there_is() -> None:
    plain, grown = found(Writer()), found(Writer(), growth=1.5)
    assert 1.5 * plain.tokens - 48 <= grown.tokens <= 1.5 * plain.tokens + 32
    assert grown.tokens % 32 == 0
    assert "1.5 times what holds 95 % of the right ones" in grown.line()
    assert found(Writer(), most=plain.tokens, growth=1.5).tokens == plain.tokens
    assert found(Writer(), room=plain.tokens + 1, growth=1.5).tokens == plain.tokens + 1


def test_where_few_are_right_those_that_ended_tell_and_else_nothing_does() -> None:
    ended = found(Writer(knows=False))
    assert "those that ended" in ended.reason
    assert ended.tokens >= 320
    never = found(Writer(ends=False))
    assert (never.tokens, "too few" in never.reason) == (1024, True)
    assert found(Writer(), n=5).tokens == 1024  # five questions tell nothing


def test_the_pilot_keeps_within_its_own_limit_and_the_models_positions() -> None:
    assert found(Writer(), most=200).tokens <= 200
    writer = Writer()
    assert found(writer, room=100).tokens <= 100
    assert writer.limit == 100


def test_a_model_that_turns_out_to_think_gets_the_limit_for_it() -> None:
    writer = Writer(thought=900)  # most thoughts end behind the limit of a chat, the shortest before it
    limit = found(writer)
    ended_first = sum(len(one.token_ids) < 1024 for one in limit.drawn if one.finish_reason == "stop")
    assert 0 < ended_first < 16
    assert (writer.limit, writer.asked) == (4096, 2 * 32 - ended_first)
    assert len(limit.drawn) == writer.asked, "both draws cost"
    assert 1024 < limit.tokens <= 900 + 410 + 32
    assert "within 4096 tokens" in limit.reason
    assert found(Writer(thought=100)).tokens < 1024, "thoughts that end before the limit ask for no more"
    assert found(Writer(ends=False)).tokens == 1024, "nor do texts that are cut without a thought"
    few = Writer(thought=900)
    assert found(few, room=1100).tokens <= 1100
    assert few.limit == 1100


@pytest.mark.parametrize(
    ("form", "thinking", "tokens"),
    [("plain", False, 256), ("direct", False, 256), ("chat", False, 1024), ("chat", True, 4096)],
)
def test_the_rule(form: str, thinking: bool, tokens: int) -> None:
    assert limit_by_rule(form, thinking=thinking).tokens == tokens


def test_a_pilot_is_for_models_whose_samples_cost_something_and_runs_that_draw_many() -> None:
    assert worth_a_pilot(100_000_000, 6400)
    assert not worth_a_pilot(1_000_000, 6400)  # the nugget's quickstart stays as it is
    assert not worth_a_pilot(100_000_000, 320)


def test_a_rule_gives_way_to_the_models_positions() -> None:
    rule = limit_by_rule("chat")
    assert within_room(rule, None) == within_room(rule, 1024) == rule
    less = within_room(rule, 924)
    assert (less.tokens, less.reason) == (924, "by rule for a chat, less for the model's positions")
    assert within_room(rule, 200) == within_room(rule, -3) == rule, "a prompt is too long"
