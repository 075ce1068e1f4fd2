"""Replies of servers in logs and batches: text, thought, end and model, and the question where the request is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flat_samples import flat

from aurify.errors import AurifyError

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
