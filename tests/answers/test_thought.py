from __future__ import annotations

import pytest

from aurify.answers import Grader, Verdict
from aurify.answers.reading import Unreadable
from aurify.answers.thought import opened_thought, reply, thought_tokens, with_thought
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
        ("<mm:think>3</mm:think>4", "4"),
        ("<think:opensource>3</think:opensource>4", "4"),
        ("<think:other>3</think:other>4", "<think:other>3</think:other>4"),
        ("<|begin_of_thought|>3<|end_of_thought|><|begin_of_solution|>4<|end_of_solution|>", "4"),
        ("<|begin_of_thought|>3<|begin_of_solution|>4", "4"),  # closed by what follows it
        ("<|begin_of_thoughts|>4", "<|begin_of_thoughts|>4"),
        ("<|thought_start|>3<|thought_end|>4", "4"),
        ("3<|thought_end|>4", "4"),
        ("<|inner_prefix|>3<|inner_suffix|>4", "4"),
        ("Here are my reasoning steps:\n3\n[BEGIN FINAL RESPONSE]4[END FINAL RESPONSE]\n", "4"),
        ("Here are my reasoning steps: 4", "Here are my reasoning steps: 4"),
        ("Yes.\nHere are my reasoning steps:\n4", "Yes.\nHere are my reasoning steps:\n4"),
        ("[begin final response]4", "[begin final response]4"),
        ("Here is my thought process:\n3\nHere is my response:4", "4"),
        ("Here's my thought process:\n4", "Here's my thought process:\n4"),
        ("3\nHere is my response:4", "3\nHere is my response:4"),
        ("<think>3</think><answer>so <|begin_of_box|>4<|end_of_box|>.</answer>", "so \\boxed{4}."),
        ("<|begin_of_box|>\\boxed{4}<|end_of_box|>", "\\boxed{4}"),
        ("<|begin_of_box|>{4<|end_of_box|>", "{4"),
        ('<|begin_of_box|>{"answer": 4}<|end_of_box|>', '{"answer": 4}'),
        ("<|begin_of_box|>a\nb<|end_of_box|>", "a\nb"),
        ("<|begin_of_box|>3 <|begin_of_box|>4<|end_of_box|>", "3 \\boxed{4}"),
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
        "<mm:think>The answer is 4.",
        "<think:opensource>The answer is 4.",
        "<|begin_of_thought|>The answer is 4.",
        "<|thought_start|>The answer is 4.",
        "<|inner_prefix|>The answer is 4.",
        "Here are my reasoning steps:\nThe answer is 4.",
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


@pytest.mark.parametrize(("kind", "answer"), [("number", "4"), ("choice", "(B)"), ("text", "Paris"), ("math", "4")])
@pytest.mark.parametrize("said", ["So the answer is {}.", "It is so.\nSo the answer is {}", "{}"])
def test_a_box_of_tokens_states_an_answer(kind: str, answer: str, said: str) -> None:
    question = Question(id="q", text="Which?\n(A) three\n(B) four", answer=answer, answer_type=kind)
    box = said.format(f"<|begin_of_box|>{answer.strip('()')}<|end_of_box|>")
    with Grader() as grader:
        for text in (box, f"<think>hm</think>{box}", f"<think>hm</think><answer>{box}</answer>"):
            assert grader.grade(text, question).right
        assert not grader.grade(f"<think>{box}", question).right


def test_special_tokens_that_a_text_must_keep() -> None:
    tags = {"<|begin_of_thought|>", "<|end_of_thought|>", "<|thought_end|>", "<|inner_prefix|>", "</mm:think>"}
    assert thought_tokens({*tags, "<|im_end|>", "<|end|>", "<|thought|>", "<|end_of_text|>"}) == tags


def test_a_prompt_that_opens_a_thought() -> None:
    apriel = "<|end|>\n<|begin_assistant|>\nHere are my reasoning steps:\n"
    assert opened_thought(apriel) == "Here are my reasoning steps:\n"
    assert opened_thought("Question<think>\n") == "<think>\n"
    assert opened_thought("Question<think>\n\n</think>\n\n") == opened_thought("Question") == ""


def test_a_thought_that_was_sent_apart() -> None:
    assert reply(with_thought("2 + 2, hm", "4")) == "\n\n4"
    with pytest.raises(Unreadable):
        reply(with_thought("2 + 2, hm", "", closed=False))
