"""Replies of servers in logs and batches: text, thought, end and model, and the question where the request is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flat_samples import flat

from aurify.errors import AurifyError
from aurify.rationales import read_rationales

THOUGHT = "<think>\nhm\n</think>\n\n4"


@pytest.fixture
def data(tmp_path: Path) -> str:
    (tmp_path / "q.jsonl").write_text('{"id": "x", "question": "2+2?", "answer": "4"}\n')
    return str(tmp_path / "q.jsonl")


def test_openais_choices(tmp_path: Path) -> None:
    def reply(*choices: dict[str, Any]) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": list(choices)}

    def choice(text: str, ended: str = "stop", **more: str) -> dict[str, Any]:
        return {"index": 0, "message": {"role": "assistant", "content": text, **more}, "finish_reason": ended}

    data = tmp_path / "q.jsonl"
    data.write_text('{"id": "x", "question": "2+2?", "answer": "4"}\n')
    batch = {
        "id": "b1",
        "custom_id": "x",
        "response": {"status_code": 200, "body": reply(choice("4"), choice("5", "length"))},
    }
    asked = {"messages": [{"role": "user", "content": "2+2?"}], **reply(choice("4", reasoning_content="hm"))}
    text = {"custom_id": "x", **reply({"text": " 4", "index": 0, "finish_reason": "stop"})}
    assert flat(tmp_path, batch, asked, text, data=str(data)) == [
        ("2+2?", "4", "4", None, False, "m"), ("2+2?", "4", "5", None, True, "m"),
        ("2+2?", "4", "<think>\nhm\n</think>\n\n4", None, False, "m"), ("2+2?", "4", " 4", None, False, "m"),
    ]  # fmt: skip


def test_mistrals_parts(tmp_path: Path, data: str) -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "4"}]
    body = {"model": "magistral", "choices": [{"message": {"content": parts}, "finish_reason": "model_length"}]}
    row = {"custom_id": "x", "response": {"status_code": 200, "body": body}, "error": None}
    assert flat(tmp_path, row, data=data) == [("2+2?", "4", THOUGHT, None, True, "magistral")]


def test_openais_responses(tmp_path: Path, data: str) -> None:
    body = {
        "object": "response", "id": "resp_1", "model": "gpt-5", "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "4"}]},
        ],
    }  # fmt: skip
    batch = {"id": "b1", "custom_id": "x", "response": {"status_code": 200, "body": body}, "error": None}
    assert flat(tmp_path, batch, data=data) == [("2+2?", "4", THOUGHT, None, True, "gpt-5")]


def test_anthropics_batches(tmp_path: Path, data: str) -> None:
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "4"}],
    }  # fmt: skip
    row = {"custom_id": "x", "result": {"type": "succeeded", "message": message}}
    assert flat(tmp_path, row, data=data) == [("2+2?", "4", THOUGHT, None, False, "claude")]


def test_an_id_alone_makes_no_batch(tmp_path: Path) -> None:
    row = {"custom_id": "x", "question": "2+2?", "answer": "4", "response": "It is 4.", "error": None}
    assert flat(tmp_path, row) == [("2+2?", "4", "It is 4.", None, False, "")]


def test_geminis_candidates(tmp_path: Path) -> None:
    parts = [{"text": "hm", "thought": True}, {"text": "4"}]
    reply = {"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "MAX_TOKENS"}],
             "modelVersion": "gemini"}  # fmt: skip
    row = {"question": "2+2?", "answer": "4", "response": reply}
    assert flat(tmp_path, row) == [("2+2?", "4", THOUGHT, None, True, "gemini")]


def choice(text: str) -> dict[str, Any]:
    return {"model": "m", "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def said(*texts: str) -> list[dict[str, str]]:
    """Turns of user and assistant, one after the other."""
    return [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(texts)]


FEW_SHOT = said("1+1?", "2", "2+2?")


def test_a_rows_own_question_is_what_it_asks_however_the_request_words_it(tmp_path: Path, data: str) -> None:
    rows = [{"question": "2+2?", "answer": "4", "messages": said(wording), "response": choice("4")}
            for wording in ("Think step by step. 2+2?", "Solve: 2+2?")]  # fmt: skip
    few = {"question": "2+2?", "answer": "4", "messages": FEW_SHOT, "response": choice("4")}
    expected = [("2+2?", "4", "4", None, False, "m")]
    assert flat(tmp_path, *rows, few) == expected * 3
    assert flat(tmp_path, *rows, few, data=data) == expected * 3
    assert len({one.question_id for one in read_rationales(tmp_path / "rows.jsonl")}) == 1
    batch = {"custom_id": "x", "request": {"body": {"messages": FEW_SHOT}}, "response": {"body": choice("4")}}
    assert flat(tmp_path, batch, data=data) == expected, "its id tells"
    asked = {"request": {"messages": said("2+2?")}, "question": None, "response": choice("4")}
    assert flat(tmp_path, asked, data=data) == expected
    with pytest.raises(AurifyError, match=r"rows.jsonl:1: 'messages' holds 2 user turns"):
        flat(tmp_path, {"messages": FEW_SHOT, "response": choice("4")}, data=data)


@pytest.mark.parametrize(
    ("more", "label"),
    [
        ({"correct": True}, True), ({"is_correct": 0}, False), ({"reward": 0.5}, None), ({"label": "1"}, True),
        ({"label": "1", "answer": None}, None), ({}, None),
    ],
)  # fmt: skip
def test_a_rows_label_is_of_its_single_sample(tmp_path: Path, more: dict[str, Any], label: bool | None) -> None:
    row = {"question": "3-2?", "answer": "1", "response": choice("1"), **more}
    assert flat(tmp_path, row) == [("3-2?", "1", "1", label, False, "m")]
    del row["response"]
    assert flat(tmp_path, {**row, "messages": said("3-2?", "1")})[0][:4] == ("3-2?", "1", "1", label)
    several = {**row, "response": {"choices": [*choice("1")["choices"], *choice("2")["choices"]]}}
    assert [one[3] for one in flat(tmp_path, several)] == [None, None]


def test_geminis_batches(tmp_path: Path, data: str) -> None:
    reply = {"candidates": [{"content": {"parts": [{"text": "4"}], "role": "model"}, "finishReason": "STOP"}]}
    contents = [{"role": "user", "parts": [{"text": "2+2?"}]}]
    few = [{"parts": [{"text": "1+1?"}]}, {"role": "model", "parts": [{"text": "2"}]}, *contents]
    rows: list[dict[str, Any]] = [
        {"key": "x", "response": reply},
        {"key": "x", "request": {"contents": few}, "response": reply},
        {"request": {"contents": contents}, "response": reply, "status": ""},
        {"request": {"contents": {"parts": [{"text": "2+2?"}]}}, "response": reply},
        {"request": {"contents": "2+2?"}, "response": reply},
        {"key": "other", "question": "2+2?", "response": reply},
    ]
    for row in rows:
        assert flat(tmp_path, row, data=data) == [("2+2?", "4", "4", None, False, "")], row
    with pytest.raises(AurifyError, match="none of the 1 rows is on a question"):
        flat(tmp_path, {"key": "y", "response": reply}, data=data)
    with pytest.raises(AurifyError, match=r"rows.jsonl:1: no reply in it, but 'quota'"):
        flat(tmp_path, {"key": "x", "error": {"code": 8, "message": "quota"}}, data=data)
    ours = {"key": "x", "question": "2+2?", "answer": "4", "response": "It is 4.", "error": {"code": 0}}
    assert [one[2] for one in flat(tmp_path, ours)] == ["It is 4."]


def test_thoughts_that_are_told_whole(tmp_path: Path) -> None:
    whole = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    short = {**whole, "summary": [{"type": "summary_text", "text": "short"}]}
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "4"}]}
    rows = [{"question": "2+2?", "answer": "4", "response": {"object": "response", "output": [one, message]}}
            for one in (whole, short, {"type": "reasoning", "summary": []})]  # fmt: skip
    assert [one[2] for one in flat(tmp_path, *rows)] == [THOUGHT, THOUGHT.replace("hm", "short"), "4"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"custom_id": "x", "response": None, "error": {"code": "batch_expired", "message": "too late"}}, "too late"),
        ({"custom_id": "x", "response": {"status_code": 400, "body": {"error": {"message": "too long"}}},
          "error": None}, "too long"),
        ({"custom_id": "x", "result": {"type": "errored", "error": {"type": "error", "error": {"message": "bad"}}}},
         "bad"),
        ({"custom_id": "x", "result": {"type": "expired"}}, "expired"),
    ],
)  # fmt: skip
def test_a_line_of_a_batch_without_a_reply(row: dict[str, Any], told: str, tmp_path: Path, data: str) -> None:
    with pytest.raises(AurifyError, match=rf"rows.jsonl:1: no reply in it, but '{told}' \(--skip-bad"):
        flat(tmp_path, row, data=data)
    good = {"custom_id": "x", "response": {"body": {"choices": [{"text": "4", "finish_reason": "stop"}]}}}
    assert [one[2] for one in flat(tmp_path, row, good, data=data, skip_bad=True)] == ["4"]
