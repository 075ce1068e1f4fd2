"""Rows of other programs' logs and of teachers' files, brought into one form: a question with a list of ``samples``.

Each form is an entry of ``LOGS``: whether a row is of it, and the row as a question's fields with ``samples``, objects
of ``text``, ``correct`` (the file's own label, where it has one), ``finish_reason`` and ``model``. What a row of none
of these forms holds is read as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aurify.questions.fields import Fields, structure
from aurify.questions.forms.form import ANSWER_FIELDS
from aurify.questions.rows import BadRow, Row, RowError
from aurify.questions.turns import is_turns, read_turns
from aurify.rationales.endings import ending
from aurify.rationales.evaluation_logs import (
    is_inspect,
    is_lighteval,
    is_lm_eval,
    is_opencompass,
    read_inspect,
    read_lighteval,
    read_lm_eval,
    read_opencompass,
)
from aurify.rationales.filtered_samples import FilteredSamples
from aurify.rationales.prompt_text import question_within
from aurify.rationales.server_replies import holds_reply, read_reply

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

_RIGHT = {"true", "right", "correct", "yes", "1", "1.0"}
_WRONG = {"false", "wrong", "incorrect", "no", "0", "0.0", "-1", "-1.0", "unparsable", "truncated", "timeout"}
_ENDED = ("finish_reason", "stop_reason", "done_reason", "finishreason")
"""How servers call it: OpenAI and vLLM, Anthropic, Ollama, Gemini."""
_TRUNCATED = ("truncated", "is_truncated")
_FINISHED = ("finish_reasons", "finish_reason")
_MODELS = ("models", "model_names", "generation_models", "model_name", "generation_model")
_REWARD = re.compile(r"reward|accura|correct", re.IGNORECASE)
_TELLS = re.compile(r"accura|correct|solution|answer|math", re.IGNORECASE)
_MANNER = re.compile(r"format|length|tag|repet|cosine|think|xml|std|advantage", re.IGNORECASE)
_OPENED = (("<think>", "</think>"), ("<|begin_of_thought|>", "<|end_of_thought|>"))
_TRAJECTORY = re.compile(r"(?:(?P<model>\w+)_)?thinking_trajector(?:y|ies)")
_NUMBERED = re.compile(r"(?P<model>\w+?)_solution_\d+")


@dataclass(frozen=True)
class Log:
    """One form of rows with samples."""

    word: str
    fits: Callable[[Fields], bool]
    read: Callable[[Fields], dict[str, Any]]


def unwrapped(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row as a question's fields with ``samples``; as it stands where it is of no form of ``LOGS``.

    Raises:
        RowError: the row is of such a form, and its samples are no texts, or its parts are not what the form says.
    """
    row = Fields(fields)
    found = next((log for log in LOGS.values() if log.fits(row)), None)
    try:
        return fields if found is None else found.read(row)
    except (AttributeError, LookupError, TypeError):
        assert found is not None
        raise RowError(f"it looks like a row of {found.word}, but is of a shape that is not known") from None


def unwrapped_rows(rows: Iterable[Row | BadRow]) -> list[Row | BadRow]:
    """``unwrapped`` of every row. lm-eval tells a sample once a filter: such rows become one, right if any is right."""
    found: list[Row | BadRow] = []
    told = FilteredSamples()
    for row in rows:
        if isinstance(row, BadRow):
            found.append(row)
            continue
        try:
            fields = unwrapped(row.fields)
        except RowError as error:
            found.append(BadRow(row.path, row.line, str(error)))
            continue
        if not is_lm_eval(Fields(row.fields)) or told.is_new(row.path, fields):
            found.append(replace(row, fields=dict(fields)))
    return found


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


def is_cut(text: str, given: Mapping[str, Any]) -> bool:
    """Whether a sample was cut: at the token limit, by a filter, by the server's own trouble, or in mid-thought."""
    if any(ending(given.get(name)) in ("length", "content_filter", "error") for name in _ENDED):
        return True
    if any(given.get(name) is True for name in _TRUNCATED) or given.get("is_reasoning_complete") is False:
        return True
    return any(text.count(opening) > text.count(closing) for opening, closing in _OPENED)


def listed_field(fields: Mapping[str, Any]) -> str | None:
    """The field with a list of samples."""
    return next((name for name in LIST_FIELDS if isinstance(fields.get(name), list) and fields[name]), None)


def _parallel(fields: Fields) -> dict[str, Any]:
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
    return {**_without(fields, lambda key: key == name or key in told), "samples": samples}


def _has_parallel(fields: Fields) -> bool:
    name = listed_field(fields)
    beside = [*LABEL_FIELDS, *_FINISHED, *_MODELS, "is_reasoning_complete"]
    return name is not None and any(isinstance(fields.get(key), list) for key in beside)


def _trajectories(fields: Fields) -> dict[str, Any]:
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
    return {**_without(fields, lambda name: bool(_TRAJECTORY.fullmatch(name) or _NUMBERED.fullmatch(name)
                                                 or name.endswith(("attempt", "_grade", "_grade_reason")))),
            "samples": samples}  # fmt: skip


def _verl(fields: Fields) -> dict[str, Any]:
    """verl's dumps of rollouts and validation: ``input``, ``output``, ``gts``, ``score``."""
    label = next((fields[name] for name in ("acc", "score", "reward") if fields.get(name) is not None), None)
    sample = {"text": fields["output"], "correct": label}
    kept = _without(fields, lambda name: name in ("input", "output", "gts", "acc", "score", "reward"))
    gold = {} if fields.get("gts") is None else {"answer": fields["gts"]}
    return {**kept, "question": question_within(str(fields["input"])), **gold, "samples": [sample]}


def _trl(fields: Fields) -> dict[str, Any]:
    """TRL's logged completions: ``prompt``, ``completion``, a column for each reward function."""
    prompt, completion = structure(fields["prompt"]), structure(fields["completion"])
    text = read_turns([{"role": "user", "content": "-"}, *completion], "completion").assistant if is_turns(
        completion) else completion  # fmt: skip
    rewards = [name for name in fields if _REWARD.search(name) and not _MANNER.search(name)]
    telling = [name for name in rewards if _TELLS.search(name)] or (rewards if len(rewards) == 1 else [])
    telling = telling or [name for name in ("label",) if isinstance(fields.get(name), bool)]  # of KTO
    labels = {label_of({"correct": fields[name]}) for name in telling if fields[name] is not None}
    sample = {"text": text, "correct": labels.pop() if len(labels) == 1 else None}  # what the scorers agree on
    asked = read_turns(prompt, "prompt").user if is_turns(prompt) else question_within(str(prompt))
    kept = _without(fields, lambda name: name in ("prompt", "completion", "label", *rewards))
    return {"question": asked, **kept, "samples": [sample]}


def _preference(fields: Fields) -> dict[str, Any]:
    """TRL's rows for DPO: ``chosen`` and ``rejected``, the ``prompt`` beside them, as their first turns, or both."""
    prompt, samples, asked = structure(fields.get("prompt")), [], ""
    for name, right in (("chosen", True), ("rejected", False)):
        reply = structure(fields[name])
        if is_turns(reply):
            whole = any(map(_asks, reply))
            turns = read_turns(reply if whole else [{"role": "user", "content": "-"}, *reply], name)
            asked, reply = turns.user if whole else asked, turns.assistant
        samples.append({"text": reply, "correct": right})
    if prompt:
        asked = read_turns(prompt, "prompt").user if is_turns(prompt) else question_within(str(prompt))
    kept = _without(fields, lambda name: name in ("prompt", "chosen", "rejected"))
    return {"question": asked, **kept, "samples": samples}


def _spoken(fields: Fields) -> str | None:
    """The field with turns of which the last are a sample, where no other field holds one."""
    if listed_field(fields) or any(isinstance(fields.get(name), str) for name in SAMPLE_FIELDS if name != "solution"):
        return None
    spoken = (name for name in ("messages", "conversations", "conversation") if is_turns(fields.get(name)))
    return next((name for name in spoken if _replies(structure(fields[name])[-1])), None)


def _replies(turn: Mapping[str, Any]) -> bool:
    return _role(turn) in ("assistant", "gpt", "model")


def _asks(turn: Mapping[str, Any]) -> bool:
    return _role(turn) in ("user", "human", "prompter")


def _role(turn: Mapping[str, Any]) -> str:
    return str(Fields(turn).get("role", Fields(turn).get("from"))).lower()


def _conversation(fields: Fields) -> dict[str, Any]:
    """``messages`` and ShareGPT's ``conversations``, as Axolotl has them: the assistant's turn is a sample."""
    name = _spoken(fields)
    assert name is not None
    turns = read_turns(fields[name], name)
    own = {told: fields[told] for told in (*_ENDED, *_TRUNCATED) if told in fields}
    sample = {"text": turns.assistant, **own, "correct": _row_label(fields)}
    return {**_without(fields, lambda other: other == name), "question": turns.user, "samples": [sample]}


def _server(fields: Fields) -> dict[str, Any]:
    """A server's reply; what the row calls it is the label of a single sample."""
    row = read_reply(fields)
    if len(row["samples"]) == 1:
        row["samples"][0]["correct"] = _row_label(fields)
    return row


def _row_label(fields: Fields) -> bool | None:
    """What a row calls its one sample; text in ``label`` without another answer beside it is the gold one."""
    gold = isinstance(fields.get("label"), str) and fields.filled(ANSWER_FIELDS) is None
    return label_of({name: value for name, value in fields.items() if not (gold and name == "label")})


def _without(fields: Fields, dropped: Callable[[str], bool]) -> dict[str, Any]:
    return {name: value for name, value in fields.original.items() if not dropped(str(name).lower())}


LOGS: dict[str, Log] = {
    log.word: log
    for log in (
        Log("lm-eval", is_lm_eval, read_lm_eval),
        Log("inspect", is_inspect, read_inspect),
        Log("lighteval", is_lighteval, read_lighteval),
        Log("opencompass", is_opencompass, read_opencompass),
        Log("server", holds_reply, _server),
        Log("verl", lambda row: {"input", "output"} <= set(row) and bool({"gts", "score"} & set(row)), _verl),
        Log("trl", lambda row: {"prompt", "completion"} <= set(row), _trl),
        Log("preference", lambda row: {"chosen", "rejected"} <= set(row), _preference),
        Log("lists", _has_parallel, _parallel),
        Log(
            "trajectories",
            lambda row: any((_TRAJECTORY.fullmatch(name) or _NUMBERED.fullmatch(name)) and row[name] for name in row),
            _trajectories,
        ),
        Log("conversation", lambda row: _spoken(row) is not None, _conversation),
    )
}
"""By their words, in the order in which they are tried."""
