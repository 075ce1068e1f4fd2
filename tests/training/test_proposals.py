"""What a step draws, and from which prompt: the requests that are made of a sampler, and what comes back for whom."""

from __future__ import annotations

from types import SimpleNamespace

from aurify.answers import Verdict
from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.training.first_rationales import Drawn
from aurify.training.proposals import Proposer, Way

QUESTIONS = [Question(name, f"{name}?", "1", "number") for name in "abcd"]


def drawn(question, source, index, right):
    return Rationale(
        question_id=question, token_ids=(index,), text="", predicted=None,
        verdict=Verdict.RIGHT if right else Verdict.WRONG, reason="", source=source, model="m", step=1,
        sample_index=index, seed=0, finish_reason="stop", logprob=-1.0,
    )  # fmt: skip


class Answering:
    """A drawing that is right at the samples given, of the model by itself; hinted always; it notes what was asked."""

    def __init__(self, **right):
        self.right, self.asked = right, []

    def draw_all(self, requests, *, step):
        self.asked += requests
        return [
            [
                [drawn(q.id, r.source, k, r.source == "guide" or k in self.right.get(q.id, ())) for k in r.indices]
                for q in r.questions
            ]
            for r in requests
        ]


def proposer(drawing, **method):
    plain = {"samples": 1, "given": False, "rationalises": False, "greedy": False, "remembers": False}
    return Proposer(SimpleNamespace(**{**plain, **method}), drawing, prompts)


def prompts(questions, *, hinted=False):
    return [(int(hinted),)] * len(questions)


def test_only_a_question_without_a_right_proposal_gets_a_hinted_try():
    drawing = Answering(a=(0, 1, 2), b=(2,), d=(1,))
    rows = proposer(drawing, samples=3, rationalises=True, greedy=True)(QUESTIONS, 1)
    plain, hinted = drawing.asked
    assert [question.id for question in hinted.questions] == ["c"]
    assert (plain.prompts, hinted.prompts) == ([(0,)] * 4, [(1,)])
    assert {plain.temperature, hinted.temperature} == {0.0}
    assert [[sample.source for sample in one.proposals] for one in rows] == [
        ["self"] * 3, ["self"] * 3, ["self"] * 3 + ["guide"] * 3, ["self"] * 3,
    ]  # fmt: skip


def test_each_question_gets_what_was_drawn_for_it_in_its_own_way():
    ways = {"a": Way("suffix", (7, 8)), "c": Way("guide"), "d": Way("suffix", (9,))}
    drawing = Answering()
    starter = Drawn(lambda questions, *, hinted=False: [(2,)] * len(questions), "few-shot")
    rows = proposer(drawing, remembers=True)(QUESTIONS, 1, starter, {"b"}, ways)
    start, whole, going_on, hinted = drawing.asked
    assert [question.id for question in start.questions] == [question.id for question in whole.questions] == ["b"]
    assert ([question.id for question in going_on.questions], going_on.stems) == (["a", "d"], [(7, 8), (9,)])
    assert (going_on.prompts, going_on.source, going_on.move) == ([(0,)] * 2, "self", "suffix")
    assert ([question.id for question in hinted.questions], hinted.prompts) == (["c"], [(1,)])
    assert (hinted.source, hinted.move, whole.move) == ("guide", "guide", "independent")
    assert {request.temperature for request in drawing.asked} == {1.0}
    assert [one.proposals[0].question_id for one in rows] == ["a", "b", "c", "d"]
    assert [one.first and (one.first.question_id, one.first.source) for one in rows] == [
        None, ("b", "few-shot"), None, None,
    ]  # fmt: skip
