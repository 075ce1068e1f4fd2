"""What files call the samples of a question, and what they say of each: its label, its end, its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aurify.questions.fields import Fields
from aurify.questions.forms.form import ANSWER_FIELDS
from aurify.rationales.endings import ending

LIST_FIELDS = (
    "samples", "rationales", "solutions", "completions", "responses", "outputs", "generations", "generated_answer",
    "predictions",
)  # fmt: skip
"""What holds a question's samples: a list of texts or of objects."""

SAMPLE_FIELDS = (
    "rationale", "solution", "text", "completion", "response", "output", "content", "generated_answer", "generation",
)  # fmt: skip
"""What holds the text of one sample, in an object of its own."""

LABEL_FIELDS = (
    "correct", "is_correct", "label", "labels", "verdict", "correctness", "correctness_math_verify",
    "correctness_llama", "acc", "accuracy", "reward", "rewards", "score", "scores",
)  # fmt: skip
"""What the file thinks of a sample, or a list of that in the order of the samples; the surest first."""

MODEL_FIELDS = ("model", "model_name", "generation_model")
"""What names who wrote a row's samples; the second is distilabel's."""

ENDING_FIELDS = ("finish_reason", "stop_reason", "done_reason", "finishreason")
"""How servers call it: OpenAI and vLLM, Anthropic, Ollama, Gemini."""
TRUNCATED_FIELDS = ("truncated", "is_truncated")

_RIGHT = {"true", "right", "correct", "yes", "1", "1.0"}
_WRONG = {"false", "wrong", "incorrect", "no", "0", "0.0", "-1", "-1.0", "unparsable", "truncated", "timeout"}
_OPENED = (("<think>", "</think>"), ("<|begin_of_thought|>", "<|end_of_thought|>"))


def listed_field(fields: Mapping[str, Any]) -> str | None:
    """The field with a list of samples."""
    return next((name for name in LIST_FIELDS if isinstance(fields.get(name), list) and fields[name]), None)


def label_of(given: Mapping[str, Any]) -> bool | None:
    """What the file calls a sample: right, wrong, or nothing (no label, or a reward that is neither 0 nor 1)."""
    for name in LABEL_FIELDS:
        value = given.get(name)
        if value is None or isinstance(value, (list, dict)):
            continue
        word = str(value).strip().lower()
        if word in _RIGHT or word in _WRONG:
            return word in _RIGHT
    return None


def row_label(fields: Fields) -> bool | None:
    """What a row calls its one sample; text in ``label`` without another answer beside it is the gold one."""
    gold = isinstance(fields.get("label"), str) and fields.filled(ANSWER_FIELDS) is None
    return label_of({name: value for name, value in fields.items() if not (gold and name == "label")})


def is_cut(text: str, given: Mapping[str, Any]) -> bool:
    """Whether a sample was cut: at the token limit, by a filter, by the server's own trouble, or in mid-thought."""
    if any(ending(given.get(name)) in ("length", "content_filter", "error") for name in ENDING_FIELDS):
        return True
    if any(given.get(name) is True for name in TRUNCATED_FIELDS) or given.get("is_reasoning_complete") is False:
        return True
    return any(text.count(opening) > text.count(closing) for opening, closing in _OPENED)


def fields_without(fields: Fields, dropped: Callable[[str], bool]) -> dict[str, Any]:
    """The row as it stands, but for the fields whose names, in lower case, are ``dropped``."""
    return {name: value for name, value in fields.original.items() if not dropped(str(name).lower())}
