from __future__ import annotations

from copy import deepcopy

import pytest

from aurify.answers import Grader
from aurify.answers.verdict import Verdict
from aurify.distillation.examples import Example, choose, sound_ids, token_ids
from aurify.distillation.likelihood import contrasting, summary
from aurify.questions import PromptTemplate, Question
from aurify.rationales import Rationale
from aurify.rationales.judging import TableJudge

PLAIN = PromptTemplate.named("plain")
QUESTIONS = [Question("a", "How many?", "4", "number"), Question("b", "How much?", "5", "number")]


def rationale(text: str, question: str = "a", verdict: Verdict | None = None, **more: object) -> Rationale:
    facts = {"token_ids": (), "predicted": None, "reason": "", "source": "teacher", "model": "", "step": 0}
    facts |= {"sample_index": 0, "seed": 0, "finish_reason": "stop", "logprob": None, **more}
    return Rationale(question_id=question, text=text, verdict=verdict, **facts)  # type: ignore[arg-type]  # of mixed types


def test_rationales_find_their_question_by_id_or_text_and_unjudged_ones_are_judged():
    rows = [
        rationale("The answer is 4."), rationale("The answer is 5.", "How much?"), rationale("The answer is 6."),
        rationale("I do not know."), rationale("x", "unknown"), rationale("The answer is 9.", verdict=Verdict.RIGHT),
        rationale("The answer is 4.", finish_reason="length"),
    ]  # fmt: skip
    with Grader() as grader:
        found = TableJudge(QUESTIONS, grader).judged(rows)
    assert [(row.question_id, str(row.verdict)) for row in found] == [
        ("a", "right"), ("b", "right"), ("a", "wrong"), ("a", "unparsable"), ("a", "right"), ("a", "truncated"),
    ]  # fmt: skip


def test_what_is_learned_from(base):
    right, wrong = Verdict.RIGHT, Verdict.WRONG
    rows = [
        rationale("four", verdict=right), rationale("four", verdict=right), rationale("five", verdict=wrong),
        rationale("", verdict=Verdict.UNPARSABLE), rationale("long " * 50, verdict=wrong),
        rationale("of held-out", "b", verdict=right), rationale("what", verdict=Verdict.TIMEOUT),
    ]  # fmt: skip
    prompts = {"a": (1, 2)}
    found = choose(rows, prompts, base.tokenizer, PLAIN, repeats="once", max_tokens=40)
    assert [len(found.right()), len(found.wrong())] == [1, 1]
    assert found.left_out == {
        "repeated": 1, "unparsable": 1, "too long": 1, "of other questions": 1, "timeout": 1
    }  # fmt: skip
    everything = choose(rows, prompts, base.tokenizer, PLAIN, max_tokens=40, repeats="once", negatives="all")
    assert len(everything.wrong()) == 3, "as in the paper: whatever is not right"
    kept = choose(rows, prompts, base.tokenizer, PLAIN, max_tokens=40)
    assert len(kept.right()) == 2, "as often as they were drawn, which is their likelihood"
    assert "repeated" not in kept.left_out


def test_prefixes_end_before_the_first_false_equation_and_have_no_end(base):
    right, wrong = Verdict.RIGHT, Verdict.WRONG
    whole, cut = "1 + 1 = 2. So 2 + 2 = 5. Then 1 = 2", "1 + 1 = 2. So"
    rows = [
        rationale("1 + 1 = 3", verdict=right), rationale(whole, verdict=wrong), rationale("just five", verdict=wrong),
        rationale("1 + 1 = 5", verdict=wrong), rationale(whole, verdict=Verdict.UNPARSABLE),
    ]  # fmt: skip
    found = choose(rows, {"a": (1, 2)}, base.tokenizer, PLAIN, prefixes=True)
    plain = choose(rows, {"a": (1, 2)}, base.tokenizer, PLAIN)
    assert found.right() == plain.right(), "whole, whatever they hold"
    assert [one.token_ids for one in found.wrong()] == [tuple(base.tokenizer(cut)["input_ids"])]
    assert found.left_out == {"without a false equation": 1, "empty": 1, "unparsable": 1}
    assert len(choose(rows, {"a": (1, 2)}, base.tokenizer, PLAIN, prefixes=True, negatives="all").wrong()) == 2


def test_a_cut_thought_stays_a_thought(base):
    tokenizer = deepcopy(base.tokenizer)
    tokenizer.chat_template = "{{ messages[0].content }}{% if add_generation_prompt %}<think>\n{% endif %}"
    thinking = PromptTemplate.named("chat", tokenizer)

    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer(text)["input_ids"])

    for opening in ("", "<think>\n"):
        assert sound_ids(f"{opening}So 1 + 1 = 3\n</think>\n\n3", tokenizer, thinking) == ids("So")
        assert sound_ids(f"{opening}1 + 1 = 3\n</think>\n\n3", tokenizer, thinking) == ()
    assert sound_ids("So 1 + 1 = 3", tokenizer, thinking) == ids("\n</think>\n\nSo"), "no thought"
    assert sound_ids("<think>\nSo 1 + 1 = 3", tokenizer, thinking) == ids("So"), "a thought that was cut"
    assert sound_ids("So 1 + 1 = 2", tokenizer, thinking) is None


def test_tokens_are_the_sampled_ones_or_the_text_with_an_end(base):
    eos = base.tokenizer.eos_token_id
    text = tuple(base.tokenizer("hi")["input_ids"])
    sampled = rationale("hi", token_ids=(*text, eos))
    assert token_ids(sampled, base.tokenizer, PLAIN) == (*text, eos)
    assert token_ids(rationale("hi"), base.tokenizer, PLAIN) == (*text, eos)
    assert token_ids(rationale("hi", token_ids=(3, 4, 5)), base.tokenizer, PLAIN) == (*text, eos), (
        "of another tokenizer"
    )
    assert token_ids(rationale("hi", token_ids=(10**6,)), base.tokenizer, PLAIN) == (*text, eos)
    assert token_ids(rationale("hi", finish_reason="length"), base.tokenizer, PLAIN) == text, "it did not end"
    assert eos not in token_ids(rationale("<eos>"), base.tokenizer, PLAIN)[:-1], (
        "a text is never read as a special token"
    )


def test_held_out_likelihood_prefers_right_over_wrong():
    right, wrong = Example("a", (1,), True), [Example("a", (2,), False), Example("a", (3,), False)]
    lone = Example("b", (4,), True)
    examples = contrasting([right, *wrong, Example("a", (5,), False), lone])
    assert examples == [right, *wrong], "two of a side, of questions that have both"
    found = summary(examples, [-1.0, -2.0, -1.0])
    assert found == {"questions": 1.0, "preferred": 0.75, "right": -1.0, "wrong": pytest.approx(-1.5)}


def test_a_thought_that_the_prompt_opened_is_not_learned_twice(base):
    """A sampled rationale's text begins with the tag, which its tokens do not hold."""
    base.tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'] }}<eos>{% endfor %}{% if add_generation_prompt %}<think>\n{% endif %}"
    )
    template = PromptTemplate.named("chat", base.tokenizer)
    ids = (*base.tokenizer("2 and 2</think>4")["input_ids"], base.tokenizer.eos_token_id)
    drawn = rationale("<think>\n2 and 2</think>4", token_ids=ids)
    assert token_ids(drawn, base.tokenizer, template) == ids
    assert token_ids(rationale(drawn.text), base.tokenizer, template) == ids


def test_a_sound_prefix_of_a_thought_in_another_familys_tags(base):
    base.tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'] }}<eos>{% endfor %}{% if add_generation_prompt %}[THINK]{% endif %}"
    )
    template = PromptTemplate.named("chat", base.tokenizer)

    def ids(text):
        return tuple(base.tokenizer(text, add_special_tokens=False)["input_ids"])

    assert sound_ids("[THINK]So 1 + 1 = 3\n[/THINK]3", base.tokenizer, template) == ids("So")
    assert sound_ids("So 1 + 1 = 3\n[/THINK]3", base.tokenizer, template) == ids("So"), "the prompt opened it"
    assert sound_ids("So 1 + 1 = 3", base.tokenizer, template) == (*ids("[/THINK]"), *ids("So")), "no thought"
