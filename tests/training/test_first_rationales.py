from __future__ import annotations

from aurify.answers import Grader, Verdict
from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.training import first_rationales

QUESTION = Question("q", "How many?", "7", "number", rationale="3 and 4 make 7. So the answer is 7.")


def start(texts):
    with Grader() as grader:
        return written(texts, grader).first([QUESTION], 4)[0]


def written(texts, grader):
    return first_rationales.Given(
        lambda question: texts, lambda text: [len(text), 0], grader, source="teacher", model="t"
    )


def test_the_first_right_one_is_taken_and_judged_by_our_own_grader():
    found = start(["So the answer is 6.", "Aha. So the answer is 7.", "So the answer is 7."])
    assert (found.text, found.verdict, found.source, found.step) == (
        "Aha. So the answer is 7.",
        Verdict.RIGHT,
        "teacher",
        4,
    )
    assert found.token_ids == (len(found.text), 0)


def test_all_right_ones_are_given_to_who_learns_from_them():
    with Grader() as grader:
        (row,) = written(["So the answer is 7.", "So the answer is 6.", "Aha: 7."], grader).all([QUESTION], 4)
    assert [one.sample_index for one in row] == [0]
    with Grader() as grader:
        (row,) = written(["So the answer is 7.", "The answer is 6.", "The answer is 7."], grader).all([QUESTION], 4)
    assert [one.sample_index for one in row] == [0, 2]


def test_without_a_right_one_the_memory_stays_empty():
    assert start(["So the answer is 6."]) is None
    assert start([]) is None
    assert first_rationales.Empty().first([QUESTION], 1, []) == [None]
    assert first_rationales.Empty().request([QUESTION]) is None


class Answers:
    """A drawing whose first request is right so often, and its second so often."""

    def __init__(self, *right: int) -> None:
        self.right = right

    def draw_all(self, requests, *, step):
        return [
            [[drawn(request.source, step, Verdict.RIGHT if i < right else Verdict.WRONG)] for i, _ in enumerate(rows)]
            for request, right in zip(requests, self.right, strict=True)
            for rows in [request.questions]
        ]


def drawn(source, step, verdict):
    return Rationale("q", (1,), "", None, verdict, "", source, "m", step, 0, 0, "stop", 0.0)


def prompts(questions, *, hinted):
    """Token ids without a tokenizer."""
    return [(1, 2, int(hinted))] * len(questions)


def test_the_guide_is_chosen_where_it_helps_and_the_model_is_seldom_right_without_it():
    questions = [Question(str(i), "", "1", "number") for i in range(50)]
    cases = (
        (30, 3, True),
        (30, 4, False),
        (5, 20, False),
        (0, 0, False),
        (3, 3, False),
        (15, 14, False),
        (3, 0, True),
        (2, 0, False),
    )
    for guide, plain, follows in cases:
        choice = first_rationales.choose_guide(questions, Answers(guide, plain), prompts, seed=0)
        assert choice.guide is follows
        assert f"{guide} of 32" in choice.reason


def test_a_starter_that_draws_asks_for_it_and_takes_what_comes():
    starter = first_rationales.Drawn(prompts, "few-shot", stop=("Q:",))
    request = starter.request([QUESTION])
    assert (request.prompts, request.source, request.samples, request.stop) == ([(1, 2, 0)], "few-shot", 1, ("Q:",))
    rationale = drawn("few-shot", 3, Verdict.WRONG)
    assert starter.first([QUESTION], 3, [[rationale]]) == [rationale]
