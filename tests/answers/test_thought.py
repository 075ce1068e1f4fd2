from __future__ import annotations

import pytest

from aurify.answers import Grader, Verdict
from aurify.answers.reading import Unreadable
from aurify.answers.thought import opened_thought, reply, with_thought
from aurify.questions import Question


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The answer is 4.", "The answer is 4."),
        ("<think>\nthe answer is 3\n</think>\n\n4", "\n\n4"),
        ("the answer is 3\n</think>\n4", "\n4"),  # the template wrote the opening tag
        ("<think>a</think> 3 <THINK>b</THINK> 4", " 4"),
        ("<thinking>a</thinking><answer>\n4\n</answer> done", "\n4\n"),
        ("<answer>3</answer> or rather <answer>4</answer>", "4"),
        ("<answer>4</answer><answer> </answer>", "4"),
        ("so <answer>4", "4"),
        ("x < think > y", "x < think > y"),
        ("<thinker>3", "<thinker>3"),
        ("[THINK]3[/THINK]4", "4"),
        ("[think]3", "[think]3"),
        ("<|START_THINKING|>3<|END_THINKING|>4", "4"),
        ("<seed:think>3</seed:think>4", "4"),
        ("◁think▷3◁/think▷4", "4"),
        ("<|channel>thought\n3<channel|>4", "4"),
        ("<|channel|>analysis<|message|>3<|end|><|start|>assistant<|channel|>final<|message|>4", "4"),
        ("<|channel|>final <|constrain|>json<|message|>4", "4"),
        ("<|channel|>4", "<|channel|>4"),
    ],
)
def test_what_follows_the_thought(text: str, said: str) -> None:
    assert reply(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "<think>4",
        "<think>a</think> 4 <think> or",
        "<reasoning>\nThe answer is 4.",
        "[THINK]4",
        "<|channel|>analysis<|message|>The answer is 4.",
    ],
)
def test_a_thought_that_is_never_closed_states_nothing(text: str) -> None:
    with pytest.raises(Unreadable, match="never closed"):
        reply(text)
    question = Question(id="q", text="2 + 2?", answer="4", answer_type="number")
    with Grader() as grader:
        grade = grader.grade(text, question)
        assert (grade.verdict, grade.reason, grade.predicted) == (
            Verdict.UNPARSABLE, "the thought is never closed", None,
        )  # fmt: skip
        cut = grader.grade(text, question, truncated=True)
        assert (cut.verdict, cut.reason) == (
            Verdict.TRUNCATED, "cut at the token limit, before its thought was closed",
        )  # fmt: skip
        assert grader.grade("<think>4</think> 4", question, truncated=True).reason == "cut at the token limit"


@pytest.mark.parametrize("kind", ["number", "choice", "text", "math"])
def test_only_the_reply_is_judged_whatever_the_type(kind: str) -> None:
    right, wrong = ("(B)", "(A)") if kind == "choice" else ("4", "3")
    question = Question(id="q", text="Which?\n(A) three\n(B) four", answer=right, answer_type=kind)
    thought = f"<think>The answer is {wrong}. \\boxed{{{wrong}}}</think>\n"
    with Grader() as grader:
        assert grader.grade(f"{thought}The answer is {right}.", question).right
        assert grader.grade(f"{thought}<answer>{right}</answer>", question).right
        assert grader.grade(f"{thought}\\boxed{{{wrong}}}", question).verdict is Verdict.WRONG
        assert grader.grade(f"{thought}So it goes, and it goes on.\nAnd on.", question).predicted != wrong


def test_a_prompt_that_opens_a_thought() -> None:
    assert opened_thought("Question<think>\n") == "<think>\n"
    assert opened_thought("Question<think>\n\n</think>\n\n") == opened_thought("Question") == ""


def test_a_thought_that_was_sent_apart() -> None:
    assert reply(with_thought("2 + 2, hm", "4")) == "\n\n4"
    with pytest.raises(Unreadable):
        reply(with_thought("2 + 2, hm", "", closed=False))
