from __future__ import annotations

from collections.abc import Callable

from aurify.questions import LoadedQuestions

Load = Callable[..., LoadedQuestions]

USER = {"role": "user", "content": "What is half of 9?"}


def test_the_users_turn_is_the_question(load: Load) -> None:
    rows = [
        {"messages": [USER], "ground_truth": "4.5", "dataset": "gsm8k"},
        {"prompt": [{"role": "system", "content": "Be brief."}, USER], "answer": 4.5},
        {"prompt": [USER], "solution": "Half of 9 is \\boxed{\\frac{9}{2}}."},
        {
            "conversations": [
                {"from": "human", "value": USER["content"]},
                {"from": "gpt", "value": "9/2. The answer is 4.5."},
            ]
        },
        {"system": "Be brief.", "conversations": [USER, {"role": "assistant", "content": "Hm.\n#### 4.5"}]},
    ]
    found = load(*rows)
    assert found.skipped == []
    bare, told_first = "What is half of 9?", "Be brief.\n\nWhat is half of 9?"
    assert [one.text for one in found] == [bare, told_first, bare, bare, told_first]
    assert [one.answer for one in found] == ["4.5", "4.5", "\\frac{9}{2}", "4.5", "4.5"]
    assert [one.rationale for one in found] == [
        None, None, "Half of 9 is \\boxed{\\frac{9}{2}}.", "9/2. The answer is 4.5.", "Hm.\nSo the answer is 4.5.",
    ]  # fmt: skip


def test_several_user_turns_and_unstated_answers_are_refused(load: Load) -> None:
    hm = {"role": "assistant", "content": "Well, let me see. " * 10}
    found = load({"messages": [USER, hm, USER], "answer": 1}, {"messages": [USER, hm]}, {"messages": [USER]})
    assert len(found) == 0
    reasons = [reason for _, reason in found.skipped]
    assert "2 user turns: expected one question" in reasons[0]
    assert "no answer" in reasons[1]
    assert "no answer: expected a field named answer" in reasons[2]


def test_a_question_in_a_field_comes_before_a_conversation(load: Load) -> None:
    (found,) = load({"problem": "q", "messages": [USER, USER], "answer": 7})
    assert found.text == "q"
    (found,) = load({"prompt": "[user] is a word", "answer": 7})
    assert found.text == "[user] is a word"
