"""What tools of evaluation log: the question, the gold answer, the label and the model come out right."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flat_samples import flat, flat_file

from aurify.errors import AurifyError
from aurify.rationales import read_rationales


def test_lm_evals_samples(tmp_path: Path) -> None:
    row = {
        "doc_id": 0, "doc": {"question": "2+2?", "answer": "Count.\n#### 4"}, "target": "4", "resps": [["It is 4."]],
        "arguments": {"gen_args_0": {"arg_0": "Question: 2+2?\nAnswer:", "arg_1": {}}}, "exact_match": 0.0,
        "filter": "strict-match", "filtered_resps": ["[invalid]"],
    }  # fmt: skip
    again = {**row, "filter": "flexible-extract", "filtered_resps": ["4"], "exact_match": 1.0}
    assert flat(tmp_path, row, again) == [("2+2?", "4", "It is 4.", True, False, "")]
    other = {**row, "doc": {"text": "2+2?"}}
    assert flat(tmp_path, other) == [("2+2?", "4", "It is 4.", False, False, "")]
    likelihoods = {**row, "resps": [[[-1.5, False]]]}
    with pytest.raises(AurifyError, match=r"rows.jsonl:1: 'resps' holds no generated text"):
        flat(tmp_path, likelihoods)


def inspect_sample(text: Any, score: str = "C", **more: Any) -> dict[str, Any]:
    """A sample as inspect writes it."""
    message = {"id": "m2", "role": "assistant", "content": text, "source": "generate", "model": "gpt-4o"}
    return {
        "id": 1, "epoch": 1, "input": "2+2?", "target": "4", "metadata": {}, "store": {}, "events": [],
        "messages": [{"role": "user", "content": "2+2?", "source": "input"}, message],
        "output": {"model": "gpt-4o", "completion": "unread", "usage": {"input_tokens": 5},
                   "choices": [{"message": message, "stop_reason": "stop"}]},
        "scores": {"match": {"value": score, "answer": "4", "explanation": "It is"}}, **more,
    }  # fmt: skip


def test_inspects_logs(tmp_path: Path) -> None:
    thought = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "It is 4."}]
    samples = [
        inspect_sample("It is 4."),
        inspect_sample("It is 5.", "I", epoch=2),
        inspect_sample(thought, id=2, target=["4"], input=[{"role": "user", "content": "2 and 2?"}]),
        inspect_sample("It is B.", "P", id=3, input="Which?", choices=["3", "4"], target="B"),
    ]
    expected = [
        ("2+2?", "4", "It is 4.", True, False, "gpt-4o"), ("2+2?", "4", "It is 5.", False, False, "gpt-4o"),
        ("2 and 2?", "4", "<think>\nhm\n</think>\n\nIt is 4.", True, False, "gpt-4o"),
        ("Which?\nOptions:\n(A) 3\n(B) 4", "(B)", "It is B.", None, False, "gpt-4o"),
    ]  # fmt: skip
    log = {"version": 2, "status": "success", "eval": {"model": "openai/gpt-4o"}, "samples": samples}
    (tmp_path / "log.json").write_text(json.dumps(log))
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("header.json", "{}")
        for number, sample in enumerate(samples):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))
    for name in ("log.json", "log.eval"):
        assert flat_file(tmp_path / name) == expected
        assert [one.question_id for one in read_rationales(tmp_path / name)] == ["1", "1", "2", "3"]
    failed = inspect_sample("", output={"model": "gpt-4o", "choices": []}, error={"message": "it timed out"})
    (tmp_path / "log.json").write_text(json.dumps({**log, "samples": [failed]}))
    with pytest.raises(AurifyError, match=r"log.json:1: no output in it: 'it timed out'"):
        flat_file(tmp_path / "log.json")


def test_inspects_redacted_thoughts(tmp_path: Path) -> None:
    thought = {"type": "reasoning", "reasoning": "gAAAAB==", "signature": "s", "redacted": True, "summary": "hm"}
    parts = [thought, {**thought, "summary": None}, {**thought, "reasoning": "oh", "redacted": False}]
    samples = [inspect_sample([part, {"type": "text", "text": "4"}]) for part in parts]
    assert [one[2] for one in flat(tmp_path, *samples)] == [
        "<think>\nhm\n</think>\n\n4", "4", "<think>\noh\n</think>\n\n4",
    ]  # fmt: skip


def test_lightevals_details(tmp_path: Path) -> None:
    doc = {"query": "Question: 2+2?\nAnswer:", "choices": [" 4"], "gold_index": [0], "task_name": "gsm8k", "id": "0"}
    new = {"doc": doc, "metric": {"extractive_match": 1.0}, "model_response": {"text": ["It is 4."], "logprobs": []}}
    old = {"full_prompt": "Question: 2+3?\nAnswer:", "predictions": ["It is 6."], "gold": ["5"], "example": "2+3?",
           "metrics": {"qem": 0}, "specifics": {}}  # fmt: skip
    several = {**new, "model_response": {"text": ["4", "5"]}, "metric": {"pass@k": 1.0}}
    assert flat(tmp_path, new, old, several) == [
        ("2+2?", "4", "It is 4.", True, False, ""), ("2+2?", "4", "4", None, False, ""),
        ("2+2?", "4", "5", None, False, ""), ("2+3?", "5", "It is 6.", False, False, ""),
    ]  # fmt: skip
    with pytest.raises(AurifyError, match=r"rows.jsonl:1: no generated text"):
        flat(tmp_path, {**new, "model_response": {"text": [], "logprobs": [-1.0]}})


def test_opencompass(tmp_path: Path) -> None:
    prompt = [{"role": "HUMAN", "prompt": "1+1?"}, {"role": "BOT", "prompt": "2"}, {"role": "HUMAN", "prompt": "2+2?"}]
    predictions = {
        "0": {"origin_prompt": prompt, "prediction": "It is 4.", "gold": "4"},
        "1": {"origin_prompt": "Q: 2+3?\nA:", "prediction": ["5", "6"], "gold": 5},
    }
    (tmp_path / "gsm8k.json").write_text(json.dumps(predictions, indent=4))
    assert flat_file(tmp_path / "gsm8k.json") == [
        ("2+2?", "4", "It is 4.", None, False, ""), ("2+3?", "5", "5", None, False, ""),
        ("2+3?", "5", "6", None, False, ""),
    ]  # fmt: skip
    details = {"type": "GEN", "0": {"prompt": prompt, "origin_prediction": "It is 4.", "predictions": "4",
                                    "references": "4", "correct": True}}  # fmt: skip
    (tmp_path / "results.json").write_text(json.dumps({"accuracy": 100.0, "details": details}))
    assert flat_file(tmp_path / "results.json") == [("2+2?", "4", "It is 4.", True, False, "")]
