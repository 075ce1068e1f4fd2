"""Files of teachers' samples: lists side by side, a thought and an attempt a teacher, conversations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aurify.questions.fields import Fields, structure
from aurify.questions.turns import is_turns, read_turns, role_of
from aurify.rationales.sample_fields import (
    ENDING_FIELDS,
    LABEL_FIELDS,
    SAMPLE_FIELDS,
    TRUNCATED_FIELDS,
    fields_without,
    label_of,
    listed_field,
    row_label,
)

_FINISHED = ("finish_reasons", "finish_reason")
_MODELS = ("models", "model_names", "generation_models", "model_name", "generation_model")
_TRAJECTORY = re.compile(r"(?:(?P<model>\w+)_)?thinking_trajector(?:y|ies)")
_NUMBERED = re.compile(r"(?P<model>\w+?)_solution_\d+")


def has_lists(fields: Fields) -> bool:
    """Samples in a list, and something of each in a list beside it."""
    name = listed_field(fields)
    beside = [*LABEL_FIELDS, *_FINISHED, *_MODELS, "is_reasoning_complete"]
    return name is not None and any(isinstance(fields.get(key), list) for key in beside)


def read_lists(fields: Fields) -> dict[str, Any]:
    """Lists side by side: ``generations``, ``correctness_math_verify``, ``is_reasoning_complete`` (OpenR1)."""
    name = listed_field(fields)
    assert name is not None
    texts = fields[name]
    lists = {key: value for key, value in fields.items() if isinstance(value, list) and len(value) == len(texts)}
    samples = []
    for place, sample in enumerate(texts):
        given: dict[str, Any] = dict(sample) if isinstance(sample, Mapping) else {"text": sample}
        labels = {key: values[place] for key, values in lists.items() if key in LABEL_FIELDS}
        label = label_of(labels)
        if label is not None:
            given.setdefault("correct", label)
        finished = next((lists[key][place] for key in _FINISHED if key in lists), None)
        if lists.get("is_reasoning_complete", [True] * len(texts))[place] is False:
            finished = "length"
        if finished is not None:
            given.setdefault("finish_reason", finished)
        written_by = next((lists[key][place] for key in _MODELS if key in lists), None)
        if isinstance(written_by, str):
            given.setdefault("model", written_by)
        samples.append(given)
    told = {key for key in (*LABEL_FIELDS, *_FINISHED, "is_reasoning_complete") if isinstance(fields.get(key), list)}
    return {**fields_without(fields, lambda key: key == name or key in told), "samples": samples}


def has_trajectories(row: Fields) -> bool:
    """A thought or a solution in a field that names its teacher, or numbers it."""
    return any((_TRAJECTORY.fullmatch(name) or _NUMBERED.fullmatch(name)) and row[name] for name in row)


def read_trajectories(fields: Fields) -> dict[str, Any]:
    """s1K: a thought and an attempt for each teacher; DeepMath: ``r1_solution_1`` and its like."""
    samples = []
    for name, value in fields.items():
        found = _TRAJECTORY.fullmatch(name)
        if found and value:
            model = found["model"] or ""
            prefix = f"{model}_" if model else ""
            attempt = fields.get(f"{prefix}attempt") or ""
            thoughts = value if isinstance(value, list) else [value]
            grade = {"correct": fields.get(f"{prefix}grade")}
            samples += [{"text": f"<think>\n{one}\n</think>\n\n{attempt}", "model": model, **grade} for one in thoughts]
        elif (numbered := _NUMBERED.fullmatch(name)) and isinstance(value, str) and value.strip():
            samples.append({"text": value, "model": numbered["model"]})
    return {**fields_without(fields, lambda name: bool(_TRAJECTORY.fullmatch(name) or _NUMBERED.fullmatch(name)
                                                 or name.endswith(("attempt", "_grade", "_grade_reason")))),
            "samples": samples}  # fmt: skip


def is_conversation(row: Fields) -> bool:
    """Turns of which the last are a sample."""
    return _spoken(row) is not None


def read_conversation(fields: Fields) -> dict[str, Any]:
    """``messages`` and ShareGPT's ``conversations``, as Axolotl has them: the assistant's turn is a sample."""
    name = _spoken(fields)
    assert name is not None
    turns = read_turns(fields[name], name)
    own = {told: fields[told] for told in (*ENDING_FIELDS, *TRUNCATED_FIELDS) if told in fields}
    sample = {"text": turns.assistant, **own, "correct": row_label(fields)}
    return {**fields_without(fields, lambda other: other == name), "question": turns.user, "samples": [sample]}


def _spoken(fields: Fields) -> str | None:
    """The field with turns of which the last are a sample, where no other field holds one."""
    if listed_field(fields) or any(isinstance(fields.get(name), str) for name in SAMPLE_FIELDS if name != "solution"):
        return None
    spoken = (name for name in ("messages", "conversations", "conversation") if is_turns(fields.get(name)))
    return next((name for name in spoken if role_of(structure(fields[name])[-1]) == "assistant"), None)
