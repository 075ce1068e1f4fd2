"""A journal: what was drawn before a stop is not drawn again, and what comes of it is what would have come at once."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from aurify.errors import UsageError
from aurify.sampling import LocalSampler
from aurify.sampling.journal import Journal
from aurify.sampling.protocol import Completion, Prompt

PROMPTS = [Prompt(tuple(range(3, 6 + i)), (10 * i, 10 * i + 1, 10 * i + 2)) for i in range(6)]
HOW = {"max_new_tokens": 12, "temperature": 1.0, "stop": ()}


class Interrupted:
    """Draws, and is interrupted after some completions; counts the seeds that it is asked for."""

    def __init__(self, inner, after=None):
        self.inner, self.after, self.asked, self.came = inner, after, Counter(), 0

    def sample(self, prompts, *, on_completion=None, **how):
        self.asked.update(seed for prompt in prompts for seed in prompt.seeds)

        def came(index, completion):
            if self.came == self.after:
                raise KeyboardInterrupt
            self.came += 1
            on_completion(index, completion)

        return self.inner.sample(prompts, on_completion=came, **how)


def drawn(rows):
    """Tokens and ends; the last digits of a log-probability follow what a completion was drawn beside."""
    return [[(one.token_ids, one.text, one.finish_reason) for one in row] for row in rows]


@pytest.fixture
def inner(model_of, tokenizer):
    return LocalSampler(model_of("llama"), tokenizer)


@pytest.mark.parametrize("after", [0, 1, 7, 17])
def test_what_was_drawn_before_a_stop_is_not_drawn_again(inner, tmp_path, after):
    at_once = inner.sample(PROMPTS, **HOW)
    journal = Journal(Interrupted(inner, after), tmp_path / "j")
    with pytest.raises(KeyboardInterrupt):
        journal.sample(PROMPTS, **HOW)
    journal.close()
    said, told, rest = [], [], Interrupted(inner)
    journal = Journal(rest, tmp_path / "j", say=said.append)
    found = journal.sample(PROMPTS, on_completion=lambda index, one: told.append((index, one.token_ids)), **HOW)
    assert drawn(found) == drawn(at_once)
    assert rest.asked.total() == 18 - after
    assert bool(said) == bool(after)
    assert Counter(told) == Counter((i, one.token_ids) for i, row in enumerate(at_once) for one in row)
    journal.end()
    assert not (tmp_path / "j").exists()


def test_other_limits_temperatures_stops_seeds_and_prompts_are_drawn(inner, tmp_path):
    counted = Interrupted(inner)
    journal = Journal(counted, tmp_path / "j")
    journal.sample(PROMPTS[:1], **HOW)
    near = [
        (PROMPTS[0], {**HOW, "max_new_tokens": 11}),
        (PROMPTS[0], {**HOW, "temperature": 0.5}),
        (PROMPTS[0], {**HOW, "stop": ("x",)}),
        (Prompt(PROMPTS[0].token_ids, (7,)), HOW),
        (Prompt((*PROMPTS[0].token_ids, 3), (0,)), HOW),
        (Prompt(PROMPTS[0].token_ids, (0,), limit=5), HOW),
    ]
    for prompt, how in near:
        before = counted.asked.total()
        journal.sample([prompt], **how)
        assert counted.asked.total() == before + len(prompt.seeds), (prompt, how)
    before = counted.asked.total()
    journal.sample([PROMPTS[0], Prompt(PROMPTS[0].token_ids, (0,), limit=50)], **HOW)
    assert counted.asked.total() == before


def test_a_sampler_that_tells_nothing_before_its_end_is_written_down_then(inner, tmp_path):
    class Silent:
        def sample(self, prompts, *, on_completion=None, **how):
            return inner.sample(prompts, **how)

    Journal(Silent(), tmp_path / "j").sample(PROMPTS, **HOW)
    again = Interrupted(inner)
    Journal(again, tmp_path / "j").sample(PROMPTS, **HOW)
    assert not again.asked


def test_lines_that_are_no_completions_are_left_out(inner, tmp_path):
    journal = Journal(inner, tmp_path / "j")
    found = journal.sample(PROMPTS[:1], **HOW)
    journal.close()
    lines = (tmp_path / "j").read_text().splitlines()
    foreign = ["[1]", '{"key": 3}', '{"key": "k", "token_ids": ["a"]}', "\x00", lines[-1][: len(lines[-1]) // 2]]
    (tmp_path / "j").write_text("\n".join([*lines[:-1], *foreign]))
    again = Interrupted(inner)
    assert Journal(again, tmp_path / "j").sample(PROMPTS[:1], **HOW)[0][:2] == found[0][:2]
    assert again.asked.total() == 1, "of the half line"


def test_a_journal_of_something_else_is_refused_and_left_as_it_is(inner, tmp_path):
    Journal(inner, tmp_path / "j", "one").sample(PROMPTS[:1], **HOW)
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(UsageError, match="other weights, questions or settings"):
        Journal(inner, tmp_path / "j", "two")
    assert (tmp_path / "j").read_bytes() == before


def test_what_is_forgotten_is_drawn_again(inner, tmp_path):
    journal = Journal(inner, tmp_path / "j", "one")
    journal.sample(PROMPTS[:1], **HOW)
    journal.forget()
    assert json.loads((tmp_path / "j").read_text()) == {"about": "one"}
    journal.sample(PROMPTS[1:2], **HOW)
    journal.close()
    counted = Interrupted(inner)
    Journal(counted, tmp_path / "j", "one").sample(PROMPTS[:2], **HOW)
    assert set(counted.asked) == set(PROMPTS[0].seeds)


def test_completions_compare_by_what_was_drawn():
    assert Completion((1,), "a", -1.0, "stop", seed=3) == Completion((1,), "a", -1.0, "stop")
