"""Logs of other programs and files of teachers become questions with samples, labels and truncations kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flat_samples import flat

from aurify.errors import AurifyError
from aurify.rationales import read_rationales
from aurify.rationales.reading import from_files


def test_parallel_lists(tmp_path: Path) -> None:
    whole, wrong, cut = (
        "<think>\nhm\n</think>\n\\boxed{4}",
        "<think>\nhm\n</think>\n\\boxed{5}",
        "<think>\nhm \\boxed{4}",
    )
    row = {
        "problem": "2+2?", "solution": "It is \\boxed{4}.", "answer": "4", "uuid": "u1", "messages": [],
        "generations": [whole, wrong, cut, whole], "correctness_math_verify": [True, False, False, None],
        "correctness_llama": [None, None, None, True], "is_reasoning_complete": [True, True, False, True],
        "finish_reasons": ["stop", "stop", "length", "length"], "correctness_count": 2,
    }  # fmt: skip
    assert flat(tmp_path, row) == [
        ("2+2?", "4", whole, True, False, ""),
        ("2+2?", "4", wrong, False, False, ""),
        ("2+2?", "4", cut, False, True, ""),
        ("2+2?", "4", whole, True, True, ""),
    ]
    rows = read_rationales(tmp_path / "rows.jsonl")
    assert [one.finish_reason for one in rows] == ["stop", "stop", "length", "length"]
    assert {one.question_id for one in rows} == {"u1"}


def test_a_thought_that_is_never_closed_is_cut_whatever_the_file_says(tmp_path: Path) -> None:
    row = {"question": "2+2?", "answer": "4", "response": "<think>\nIt is \\boxed{4}, so", "finish_reason": "stop"}
    assert [one[3:5] for one in flat(tmp_path, row)] == [(None, True)]
    row["response"] = "The tag <think> opens a thought, </think> closes it. The answer is 4."
    assert [one[3:5] for one in flat(tmp_path, row)] == [(None, False)]


@pytest.mark.parametrize(
    ("field", "value", "cut"),
    [
        ("finish_reason", "length", True), ("finish_reason", "stop", False), ("stop_reason", "max_tokens", True),
        ("stop_reason", "end_turn", False), ("done_reason", "length", True), ("finishReason", "MAX_TOKENS", True),
        ("finishReason", "STOP", False), ("truncated", True, True), ("truncated", False, False),
        ("is_reasoning_complete", False, True), ("is_reasoning_complete", True, False),
    ],
)  # fmt: skip
def test_how_servers_say_that_a_text_was_cut(tmp_path: Path, field: str, value: Any, cut: bool) -> None:
    row = {"question": "2+2?", "answer": "4", "response": "The answer is 4.", field: value}
    assert [one[4] for one in flat(tmp_path, row)] == [cut]
    assert [one.finish_reason == "length" for one in read_rationales(tmp_path / "rows.jsonl")] == [cut]


def test_lists_of_another_length_are_no_labels(tmp_path: Path) -> None:
    row = {"question": "2+2?", "answer": "4", "samples": ["a", "b"], "labels": ["x", "y", "z"], "rewards": [1.0, 0.25]}
    assert [one[3] for one in flat(tmp_path, row)] == [True, None]


def test_gold_answers_beside_lists_of_labels(tmp_path: Path) -> None:
    labelled = {"prompt": "2+2?", "label": "4", "completions": ["4", "5"], "rewards": [1, 0]}
    optional = {"question": "2+2?", "options": ["3", "5", "4"], "label": 2, "samples": ["(C)", "(A)"],
                "is_correct": [True, False]}  # fmt: skip
    assert flat(tmp_path, labelled) == [("2+2?", "4", "4", True, False, ""), ("2+2?", "4", "5", False, False, "")]
    assert [one[1:4] for one in flat(tmp_path, optional)] == [("(C)", "(C)", True), ("(C)", "(A)", False)]
    with pytest.raises(AurifyError, match="no answer"):
        flat(tmp_path, {**labelled, "label": ["4", "5"]})


def test_s1k_and_deepmath(tmp_path: Path) -> None:
    s1k = {
        "question": "2+2?", "solution": "4", "cot_type": "math",
        "deepseek_thinking_trajectory": "hm", "deepseek_attempt": "\\boxed{4}", "deepseek_grade": "Yes",
        "gemini_thinking_trajectory": "oh", "gemini_attempt": "5", "gemini_grade": "No",
    }  # fmt: skip
    assert flat(tmp_path, s1k) == [
        ("2+2?", "4", "<think>\nhm\n</think>\n\n\\boxed{4}", True, False, "deepseek"),
        ("2+2?", "4", "<think>\noh\n</think>\n\n5", False, False, "gemini"),
    ]
    deepmath = {"question": "2+2?", "final_answer": "4", "r1_solution_1": "So 4.", "r1_solution_2": "Thus 4."}
    assert [one[2] for one in flat(tmp_path, deepmath)] == ["So 4.", "Thus 4."]


def test_verls_dumps(tmp_path: Path) -> None:
    prompt = "system\nYou are Qwen.\nuser\n2+2?\nassistant\n"
    rows = [{"input": prompt, "output": text, "gts": "4", "score": score, "step": 3}
            for text, score in [("#### 4", 1.0), ("#### 5", 0.0), ("four", 0.1)]]  # fmt: skip
    assert flat(tmp_path, *rows) == [
        ("2+2?", "4", "#### 4", True, False, ""), ("2+2?", "4", "#### 5", False, False, ""),
        ("2+2?", "4", "four", None, False, ""),
    ]  # fmt: skip
    own = {"input": "2+2?", "output": "4", "score": 1, "answer": "4"}
    assert flat(tmp_path, own, {**own, "gts": None}) == [("2+2?", "4", "4", True, False, "")] * 2
    assert flat(tmp_path, {**own, "gts": "5"})[0][1] == "5"
    with pytest.raises(AurifyError, match="no answer"):
        flat(tmp_path, {"input": "2+2?", "output": "4", "score": 1})
    alpaca = {"instruction": "Add.", "input": "2 and 2", "output": "4"}
    with pytest.raises(AurifyError, match="no answer"):
        flat(tmp_path, alpaca)


def test_trls_completions(tmp_path: Path) -> None:
    data = tmp_path / "q.jsonl"
    data.write_text('{"id": "x", "question": "2+2?", "answer": "4"}\n')
    chat = [{"role": "user", "content": "2+2?"}]
    rows = [
        {"step": 1, "prompt": "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n", "completion": "4",
         "accuracy_reward": 1.0, "format_reward": 0.0, "advantage": 0.7},
        {"step": 1, "prompt": chat, "completion": [{"role": "assistant", "content": "5"}], "format_reward": 1.0},
    ]  # fmt: skip
    assert flat(tmp_path, *rows, data=str(data)) == [
        ("2+2?", "4", "4", True, False, ""), ("2+2?", "4", "5", None, False, ""),
    ]  # fmt: skip
    assert [one.step for one in read_rationales(tmp_path / "rows.jsonl")] == [1, 1]


@pytest.mark.parametrize(
    ("rewards", "label"),
    [
        ({"accuracy_reward": 0.0, "correctness_reward": 1.0}, None),
        ({"accuracy_reward": 1.0, "correctness_reward": 1.0}, True),
        ({"accuracy_reward": None, "correctness_reward": 0.0}, False),
        ({"accuracy_reward": 1.0, "correctness_reward": 0.4}, None),
        ({"accuracy_reward": 1.0, "format_reward": 0.0}, True),
    ],
)
def test_trls_scorers_tell_a_label_where_they_agree(
    tmp_path: Path, rewards: dict[str, float | None], label: bool | None
) -> None:
    assert flat(tmp_path, {"prompt": "2+2?", "answer": "4", "completion": "4", **rewards})[0][3] is label


def test_preferences(tmp_path: Path) -> None:
    def said(*turns: tuple[str, str]) -> list[dict[str, str]]:
        return [{"role": role, "content": text} for role, text in turns]

    asked, system = ("user", "2+2?"), ("system", "Count.")
    right, wrong = ("assistant", "It is 4."), ("assistant", "It is 5.")
    for row in (
        {"prompt": "2+2?", "chosen": "It is 4.", "rejected": "It is 5."},
        {"prompt": said(asked), "chosen": said(right), "rejected": said(wrong)},
        {"prompt": "2+2?", "chosen": said(asked, right), "rejected": said(asked, wrong)},
        {"prompt": "2+2?", "chosen": said(system, right), "rejected": said(wrong)},
        {"chosen": said(system, asked, right), "rejected": said(system, asked, wrong)},
    ):
        assert flat(tmp_path, {**row, "answer": "4"}) == [
            ("2+2?", "4", "It is 4.", True, False, ""), ("2+2?", "4", "It is 5.", False, False, ""),
        ]  # fmt: skip
    with pytest.raises(AurifyError, match="'chosen' holds 2 user turns"):
        flat(tmp_path, {"answer": "4", "chosen": said(asked, right, asked, right), "rejected": said(wrong)})


def test_the_same_fields_whatever_their_case(tmp_path: Path) -> None:
    row = {"Question": "2+2?", "Answer": "4", "Response": "4", "Correct": "Yes", "Model": "m"}
    assert flat(tmp_path, row) == [("2+2?", "4", "4", True, False, "m")]
    assert [one.text for one in read_rationales(tmp_path / "rows.jsonl")] == ["4"]


def test_options_of_another_file_are_no_hindrance(tmp_path: Path) -> None:
    data = tmp_path / "q.jsonl"
    data.write_text('{"question": "How many?", "choices": ["four", "five"], "answer": 1}\n')
    found = flat(tmp_path, {"question": "How many?", "response": "The answer is (B)."}, data=str(data))
    assert [one[:3] for one in found] == [
        ("How many?\nOptions:\n(A) four\n(B) five", "(B)", "The answer is (B).")
    ]  # fmt: skip


def test_conversations_hold_a_sample(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Count."}, {"role": "user", "content": "2+2?"},
            {"role": "assistant", "content": "It is 4."}]  # fmt: skip
    shared = [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "It is 5."}]
    rows = [{"messages": chat, "answer": "4"}, {"conversations": shared, "answer": "4", "label": False}]
    assert flat(tmp_path, *rows) == [
        ("2+2?", "4", "It is 4.", None, False, ""), ("2+2?", "4", "It is 5.", False, False, ""),
    ]  # fmt: skip
    beside = {"messages": chat, "question": "2+2?", "answer": "4", "response": "Four: 4."}
    assert [one[2] for one in flat(tmp_path, beside)] == ["Four: 4."]
    twice = {"messages": [*chat, *chat], "answer": "4"}
    with pytest.raises(AurifyError, match=r"rows.jsonl:1: 'messages' holds 2 user turns"):
        flat(tmp_path, twice)


def test_distilabel(tmp_path: Path) -> None:
    one = {"instruction": "2+2?", "generation": "It is 4.", "model_name": "m", "distilabel_metadata": {}, "answer": "4"}
    several = {"instruction": "2+3?", "generations": ["5", "6"], "generation_models": ["m", "n"], "ratings": [5, 1],
               "answer": "5"}  # fmt: skip
    assert flat(tmp_path, one, several) == [
        ("2+2?", "4", "It is 4.", None, False, "m"), ("2+3?", "5", "5", None, False, "m"),
        ("2+3?", "5", "6", None, False, "n"),
    ]  # fmt: skip


TURNS = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]
MESSAGE = {"role": "assistant", "content": [{"type": "text", "text": "4"}], "reasoning_details": [{"text": "hm"}]}
ROWS: list[dict[str, Any]] = [
    {"doc": {"question": "2+2?", "answer": "4"}, "resps": [["4"]], "doc_id": 0, "exact_match": 1,
     "arguments": {"a": ["2+2?"]}},
    {"id": 1, "input": TURNS[:1], "target": ["4"], "scores": {"match": {"value": "C"}},
     "output": {"choices": [{"message": MESSAGE, "stop_reason": "stop"}], "model": "m"}},
    {"doc": {"query": "2+2?", "choices": ["4"], "gold_index": [0]}, "model_response": {"text": ["4"]}, "metric": {}},
    {"full_prompt": "2+2?", "predictions": ["4"], "gold": ["4"], "metrics": {"em": 1}},
    {"origin_prompt": [{"role": "HUMAN", "prompt": "2+2?"}], "prediction": "4", "gold": "4"},
    {"custom_id": "x", "response": {"body": {"choices": [{"message": MESSAGE, "finish_reason": "stop"}], "model": "m"}},
     "request": {"body": {"messages": TURNS[:1]}}},
    {"custom_id": "x", "result": {"message": {**MESSAGE, "stop_reason": "end_turn"}}, "error": None},
    {"key": "x", "request": {"contents": [{"role": "user", "parts": [{"text": "2+2?"}]}]},
     "response": {"candidates": [{"content": {"parts": [{"text": "4"}]}, "finishReason": "STOP"}]}},
    {"id": "x", "response": {"output": [{"type": "reasoning", "summary": [{"text": "hm"}]},
                                        {"type": "message", "content": [{"text": "4"}]}]}},
    {"input": "2+2?", "output": "4", "gts": "4", "score": 1},
    {"prompt": TURNS[:1], "completion": TURNS[1:], "accuracy_reward": 1.0},
    {"prompt": TURNS[:1], "chosen": TURNS[1:], "rejected": TURNS[1:]},
    {"question": "2+2?", "answer": "4", "generations": ["4"], "correctness": [True], "finish_reasons": ["stop"]},
    {"question": "2+2?", "r1_thinking_trajectory": ["hm"], "r1_attempt": "4", "r1_grade": "Yes"},
    {"messages": TURNS, "answer": "4"},
]  # fmt: skip
ODD: list[Any] = [None, 5, True, "x", "", [], {}, [None], [5], ["x"], [[]], [{}], {"x": None}]


def altered(value: Any) -> Iterator[Any]:
    """The value with each of its parts left out or odd, one at a time."""
    yield from ODD
    parts = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    for place, part in parts:
        yield type(value)(x for x in parts if x[0] != place) if isinstance(value, dict) else value[:place]
        for other in altered(part):
            copy = value.copy()
            copy[place] = other
            yield copy


@pytest.mark.parametrize("row", ROWS)
def test_a_row_with_odd_parts_is_read_or_bad(tmp_path: Path, row: dict[str, Any]) -> None:
    data = tmp_path / "q.jsonl"
    data.write_text('{"id": "x", "question": "2+2?", "answer": "4"}\n')
    odd = [one for one in altered(row) if isinstance(one, dict)]
    kept = {"id": "x", "question": "2+2?", "samples": ["kept"]}
    assert "kept" in [one[2] for one in flat(tmp_path, *odd, kept, data=str(data), skip_bad=True)]
    assert from_files(tmp_path / "rows.jsonl", skip_bad=True).rationales[-1].text == "kept"
