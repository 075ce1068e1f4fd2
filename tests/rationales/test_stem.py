"""A rationale that goes on from a stem is what its prompt alone could have been completed to."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytest
import torch

from aurify.answers import Grader
from aurify.models import load_model
from aurify.models.logprobs import sequence_logprobs
from aurify.questions import Question
from aurify.rationales import Drawing
from aurify.rationales.draw import Request
from aurify.rationales.stem import with_stem
from aurify.sampling import Completion, LocalSampler


class Letters:
    """A tokenizer whose token i is the i-th letter; 0 ends, and is no text."""

    all_special_tokens: ClassVar = ()
    all_special_ids: ClassVar = ()

    def __len__(self) -> int:
        return 27

    def decode(self, ids: list[int], **_: Any) -> str:
        return "".join(chr(96 + i) for i in ids if i)


def drawn(*ids: int, finish: Any = "stop") -> Completion:
    logprobs = tuple(-float(i) for i in ids)
    return Completion(ids, Letters().decode(list(ids)), math.fsum(logprobs), finish, logprobs)


@pytest.mark.parametrize(
    ("stem", "more", "limit", "stop", "ids", "text", "finish", "logprob"),
    [
        ((1, 2), drawn(3, 0), 9, (), (1, 2, 3, 0), "abc", "stop", -3),
        ((1, 2), drawn(3, 4, finish="length"), 4, (), (1, 2, 3, 4), "abcd", "length", -7),
        ((1, 2), drawn(3, 4, 0), 4, (), (1, 2, 3, 4), "abcd", "length", -7),
        ((1, 2), drawn(3, 4, 0), 9, ("bc",), (1, 2, 3), "a", "stop", -3),
        ((1, 2), drawn(3, 4, 0), 9, ("d",), (1, 2, 3, 4), "abc", "stop", -7),
        ((1, 2), drawn(3, 4, 0), 3, ("d",), (1, 2, 3), "abc", "length", -3),
        ((1, 2), drawn(3, 0), 9, ("b",), (1, 2, 3), "a", "stop", -3),
        ((1, 2), drawn(3, 0), 4, (), (1, 2, 3, 0), "abc", "stop", -3),
        ((1, 2), drawn(3, 4, finish="length"), 4, ("d",), (1, 2, 3, 4), "abc", "stop", -7),
    ],
    ids=[
        "end",
        "limit",
        "past the limit",
        "stop across the cut",
        "stop after it",
        "limit before the stop",
        "foreign",
        "end at the limit",
        "stop at the limit",
    ],
)
def test_what_stem_and_end_make_together(stem, more, limit, stop, ids, text, finish, logprob):
    whole = with_stem(Letters(), stem, more, max_new_tokens=limit, stop=stop)
    assert (whole.token_ids, whole.text, whole.finish_reason, whole.logprob) == (ids, text, finish, logprob)


def test_a_log_probability_that_is_not_known_is_not_made_up():
    bare = Completion((3, 4, 0), "cd", -7.0, "stop")
    assert math.isnan(with_stem(Letters(), (1, 2), bare, max_new_tokens=9, stop=("c",)).logprob)
    assert with_stem(Letters(), (1, 2), bare, max_new_tokens=9, stop=()).logprob == -7


@pytest.mark.parametrize("fused", [True, False])
def test_draws_go_on_from_their_stems_within_the_limit(tiny_model_dir, fused):
    loaded = load_model(str(tiny_model_dir))
    asked = [Question(id=f"q{i}", text="?", answer="1", answer_type="number") for i in range(8)]
    prompts, stems = [(3, 4, 5 + i) for i in range(8)], [tuple(range(5, 5 + i)) for i in range(8)]
    with Grader() as grader:
        sampler = LocalSampler(loaded.model, loaded.tokenizer, fused=fused)
        drawing = Drawing(sampler, grader, "m", seed=0, max_new_tokens=9, tokenizer=loaded.tokenizer)
        ends = Request(asked, prompts, samples=2, move="suffix", stems=stems)
        rows, plain = drawing.draw_all([ends, Request(asked, prompts, samples=2)], step=1)
        again = drawing.draw_all([Request(asked, prompts, samples=2)], step=1)[0]
    ids = [[[sample.token_ids for sample in row] for row in found] for found in (plain, again)]
    assert ids[0] == ids[1], "whole rationales are the same beside others that go on"
    for prompt, stem, row in zip(prompts, stems, rows, strict=True):
        for sample in row:
            assert sample.token_ids[: len(stem)] == stem
            assert len(stem) < len(sample.token_ids) <= 9
            assert (sample.move, sample.cut, sample.drawn_tokens) == (
                "suffix",
                len(stem),
                len(sample.token_ids[sample.cut :]),
            )
            assert sample.finish_reason == "stop" or len(sample.token_ids) == 9
            with torch.no_grad():
                (logprob,) = sequence_logprobs(
                    loaded.model, [(prompt + stem, sample.token_ids[sample.cut :])],
                    pad_token_id=loaded.tokenizer.pad_token_id,
                ).tolist()  # fmt: skip
            assert sample.logprob == pytest.approx(logprob, abs=1e-4)
