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
    assert first_rationales.none([QUESTION], 1) == [None]


def starter(right_of: int):
    def start(questions, step):
        return [
            Rationale(
                "q",
                (1,),
                "",
                None,
                Verdict.RIGHT if i < right_of else Verdict.WRONG,
                "",
                "self",
                "m",
                step,
                0,
                0,
                "stop",
                0.0,
            )
            for i, _ in enumerate(questions)
        ]

    return start


def test_the_guide_is_chosen_when_it_helps():
    questions = [Question(str(i), "", "1", "number") for i in range(50)]
    for guide, plain, follows in ((20, 5, True), (5, 20, False), (0, 0, False), (5, 5, True)):
        choice = first_rationales.choose(questions, starter(guide), starter(plain), seed=0)
        assert choice.guide is follows
        assert f"{guide} of 32" in choice.reason
