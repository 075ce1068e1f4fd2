"""Draws are graded, seeded by what they are, and graded ahead where that takes time."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from aurify.answers import Grader
from aurify.clock import Clock
from aurify.models import load_model
from aurify.questions import Question
from aurify.rationales import Drawing
from aurify.rationales.draw import Request
from aurify.sampling import Completion, LocalSampler, Prompt


def questions(kind: str) -> list[Question]:
    return [Question(id=f"q{i}", text=f"What is {i}?", answer=str(i), answer_type=kind) for i in range(6)]


class Told:
    """A sampler of known texts, the last prompt first, which tells of each before it returns them all."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def sample(self, prompts: list[Prompt], *, on_completion: Any, **_: Any) -> list[list[Completion]]:
        done = [
            [Completion((5, 1), f"So the answer is \\boxed{{{i}+0}}.", -1.0, "stop") for _ in prompt.seeds]
            for i, prompt in enumerate(prompts)
        ]
        for index, row in reversed(list(enumerate(done))):
            for completion in row:
                on_completion(index, completion)
        return done


class Watched(Grader):
    """Notes in which thread each text was judged for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[str, str] = {}

    def grade_all(self, items: Any) -> Any:
        for text, question, _ in items:
            self.threads.setdefault(question.id + text, threading.current_thread().name)
        return super().grade_all(items)


def test_mathematics_is_graded_while_others_are_drawn() -> None:
    with Watched() as grader:
        drawing = Drawing(Told(), grader, "m", seed=0, max_new_tokens=9)
        rows = drawing.draw(questions("math"), [(3,)] * 6, step=1, samples=2)
        assert all(sample.right for row in rows for sample in row)
        assert len(grader.threads) == 6
        assert all(name.startswith("grading") for name in grader.threads.values())


class Slow(Grader):
    """Judges three at a time, and begins when all are there."""

    def __init__(self, all_drawn: threading.Event) -> None:
        super().__init__(workers=3)
        self.all_drawn = all_drawn
        self.sizes: list[int] = []

    def grade_all(self, items: Any) -> Any:
        assert self.all_drawn.wait(20)
        self.sizes.append(len(items))
        return super().grade_all(items)


def test_those_that_wait_are_graded_together() -> None:
    class Last(Told):
        def sample(self, prompts: list[Prompt], **how: Any) -> list[list[Completion]]:
            try:
                return super().sample(prompts, **how)
            finally:
                all_drawn.set()

    all_drawn = threading.Event()
    with Slow(all_drawn) as grader:
        told: list[Any] = []
        drawing = Drawing(Last(), grader, "m", seed=0, max_new_tokens=9, judged=told.append)
        rows = drawing.draw(questions("math"), [(3,)] * 6, step=1, samples=2)
        assert all(sample.right for row in rows for sample in row)
        assert len(told) == 12
        assert sum(grader.sizes) == 12
        assert max(grader.sizes) == 3


class Failing(Grader):
    def grade_all(self, items: Any) -> Any:
        raise ZeroDivisionError


def test_what_goes_wrong_ahead_is_reported_once() -> None:
    with Failing() as grader:
        drawing = Drawing(Told(), grader, "m", seed=0, max_new_tokens=9)
        with pytest.raises(ZeroDivisionError):
            drawing.draw(questions("math"), [(3,)] * 6, step=1)


class Silent(Told):
    """A sampler that tells of none."""

    def sample(self, prompts: list[Prompt], **how: Any) -> list[list[Completion]]:
        return super().sample(prompts, **{**how, "on_completion": lambda index, completion: None})


def test_a_sampler_need_not_tell_of_its_completions() -> None:
    with Watched() as grader:
        drawing = Drawing(Silent(), grader, "m", seed=0, max_new_tokens=9)
        rows = drawing.draw(questions("math"), [(3,)] * 6, step=1)
        assert all(sample.right for row in rows for sample in row)
        assert not any(name.startswith("grading") for name in grader.threads.values())


def test_seeds_are_of_question_step_index_and_source(tiny_model_dir: Any) -> None:
    loaded = load_model(str(tiny_model_dir))
    with Grader() as grader:
        clock = Clock()
        sampler = LocalSampler(loaded.model, loaded.tokenizer, clock=clock)
        drawing = Drawing(sampler, grader, "m", seed=0, max_new_tokens=6, clock=clock)
        asked, prompts = questions("number"), [(3, 4)] * 6
        rows = drawing.draw(asked, prompts, step=1, samples=2)
        seeds = [sample.seed for row in rows for sample in row]
        assert len(set(seeds)) == 12
        again = drawing.draw(asked[::-1], prompts, step=1, samples=2)[::-1]
        assert [sample.seed for row in again for sample in row] == seeds
        assert [sample.token_ids for row in again for sample in row] == [s.token_ids for row in rows for s in row]
        for other in (drawing.draw(asked, prompts, step=2), drawing.draw(asked, prompts, step=1, source="guide")):
            assert not {sample.seed for row in other for sample in row} & set(seeds)
        assert clock.totals["prefill"].calls == clock.totals["grade"].calls == 4


class Counting(LocalSampler):
    """Counts its calls."""

    calls = 0

    def sample(self, prompts: Any, **how: Any) -> Any:
        self.calls += 1
        return super().sample(prompts, **how)


def test_requests_alike_are_one_call_and_draw_the_same(tiny_model_dir: Any) -> None:
    loaded = load_model(str(tiny_model_dir))
    asked = questions("number")
    long = tuple(range(3, 63))
    requests = [
        Request(asked, [(3, 4, i) for i in range(2, 8)], "guide"),
        Request(asked[:2], [(3, 4, 5, 6)] * 2, samples=2),
        Request(asked, [(3, 4)] * 6, temperature=0.0),
        Request(asked, [(3, 4, 5)] * 6, "few-shot", stop=("Q:",)),
        Request(asked, [(*long, i) for i in range(2, 8)]),
    ]
    with Grader() as grader:
        sampler = Counting(loaded.model, loaded.tokenizer)
        drawing = Drawing(sampler, grader, "m", seed=0, max_new_tokens=6)
        together = drawing.draw_all(requests, step=1)
        assert sampler.calls == 4  # the last has a long beginning of its own
        alone = [drawing.draw_all([request], step=1)[0] for request in requests]

    def told(rows: list[list[Any]]) -> list[list[Any]]:
        return [[replace(sample, logprob=pytest.approx(sample.logprob, rel=1e-5)) for sample in row] for row in rows]

    assert together == [told(rows) for rows in alone]
    assert [len(rows) for rows in together] == [6, 2, 6, 6, 6]
    assert {row.source for row in together[0][0]} == {"guide"}
    assert drawing.draw_all([], step=1) == []
