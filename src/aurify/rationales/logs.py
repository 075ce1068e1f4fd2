"""Rows of other programs' logs and of teachers' files, brought into one form: a question with a list of ``samples``.

Each form is an entry of ``LOGS``: whether a row is of it, and the row as a question's fields with ``samples``, objects
of ``text``, ``correct`` (the file's own label, where it has one), ``finish_reason`` and ``model``. What a row of none
of these forms holds is read as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aurify.questions.fields import Fields, structure
from aurify.questions.forms.form import ANSWER_FIELDS, QUESTION_FIELDS
from aurify.questions.rows import BadRow, Row, RowError
from aurify.questions.turns import is_turns, read_turns
from aurify.rationales.prompt_text import question_within

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

_RIGHT = {"true", "right", "correct", "yes", "1", "1.0"}
_WRONG = {"false", "wrong", "incorrect", "no", "0", "0.0", "-1", "-1.0", "unparsable", "truncated", "timeout"}
_ENDED = ("finish_reason", "stop_reason", "done_reason", "finishreason")
"""How servers call it: OpenAI and vLLM, Anthropic, Ollama, Gemini."""
_CUT = frozenset(
    ("length", "content_filter", "max_tokens", "max_output_tokens", "model_length", "model_context_window")
)
_TRUNCATED = ("truncated", "is_truncated")
_FINISHED = ("finish_reasons", "finish_reason")
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
        RowError: the row is of such a form, and its samples are no texts.
    """
    row = Fields(fields)
    found = next((log for log in LOGS.values() if log.fits(row)), None)
    return fields if found is None else found.read(row)


def unwrapped_rows(rows: Iterable[Row | BadRow]) -> list[Row | BadRow]:
    """``unwrapped`` of every row. lm-eval tells a sample once a filter: such rows become one, right if any is right."""
    found: list[Row | BadRow] = []
    told: dict[tuple[str, str], Any] = {}
    for row in rows:
        if isinstance(row, BadRow):
            found.append(row)
            continue
        try:
            fields = unwrapped(row.fields)
        except RowError as error:
            found.append(BadRow(row.path, row.line, str(error)))
            continue
        if fields.get("filter") is not None and "doc_id" in fields:
            key = str(fields["doc_id"]), str([sample["text"] for sample in fields["samples"]])
            samples = told.setdefault(key, fields["samples"])
            if samples is not fields["samples"]:
                for sample, again in zip(samples, fields["samples"], strict=True):
                    sample["correct"] = sample["correct"] or again["correct"]
                continue
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
    """Whether a sample was cut: at the token limit, or in mid-thought."""
    if any(str(given.get(name) or "").lower() in _CUT for name in _ENDED):
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
        samples.append(given)
    dropped = {name, *LABEL_FIELDS, *_FINISHED, "is_reasoning_complete"}
    kept = {key: value for key, value in fields.original.items() if str(key).lower() not in dropped}
    return {**kept, "samples": samples}


def _has_parallel(fields: Fields) -> bool:
    name = listed_field(fields)
    beside = [*LABEL_FIELDS, *_FINISHED, "is_reasoning_complete"]
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


def _lm_eval(fields: Fields) -> dict[str, Any]:
    """lm-eval's ``--log_samples``: the document, what was generated, and the metrics."""
    rows = fields["resps"] if isinstance(fields["resps"], list) else [fields["resps"]]
    texts = [text for row in rows for text in (row if isinstance(row, list) else [row])]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise RowError("'resps' holds no generated text (a task that compares likelihoods has none)")
    metrics = {name: fields.get(name) for name in ("exact_match", "acc", "accuracy", "math_verify", "pass@1")}
    label = next((value for value in metrics.values() if value is not None), None)
    samples = [{"text": text, "correct": label if len(texts) == 1 else None} for text in texts]
    document = Fields(fields["doc"])
    asks, answers = document.filled(QUESTION_FIELDS), document.filled(ANSWER_FIELDS)
    if asks and (answers or {"solution", "choices", "options"} & set(document)):
        question = dict(document.original)
    else:
        question = {"question": question_within(_first_text(fields.get("arguments"))), "answer": fields.get("target")}
    return {**question, "doc_id": fields.get("doc_id"), "filter": fields.get("filter"), "samples": samples}


def _verl(fields: Fields) -> dict[str, Any]:
    """verl's dumps of rollouts and validation: ``input``, ``output``, ``gts``, ``score``."""
    label = next((fields[name] for name in ("acc", "score", "reward") if fields.get(name) is not None), None)
    sample = {"text": fields["output"], "correct": label}
    kept = _without(fields, lambda name: name in ("input", "output", "gts", "acc", "score", "reward"))
    return {**kept, "question": question_within(str(fields["input"])), "answer": fields.get("gts"), "samples": [sample]}


def _trl(fields: Fields) -> dict[str, Any]:
    """TRL's logged completions: ``prompt``, ``completion``, a column for each reward function."""
    prompt, completion = structure(fields["prompt"]), structure(fields["completion"])
    text = read_turns([{"role": "user", "content": "-"}, *completion], "completion").assistant if is_turns(
        completion) else completion  # fmt: skip
    rewards = [name for name in fields if _REWARD.search(name) and not _MANNER.search(name)]
    telling = [name for name in rewards if _TELLS.search(name)] or (rewards if len(rewards) == 1 else [])
    telling = telling or [name for name in ("label",) if isinstance(fields.get(name), bool)]  # of KTO
    sample = {"text": text, "correct": fields[telling[0]] if telling else None}
    asked = read_turns(prompt, "prompt").user if is_turns(prompt) else question_within(str(prompt))
    kept = _without(fields, lambda name: name in ("prompt", "completion", "label", *rewards))
    return {"question": asked, **kept, "samples": [sample]}


def _preference(fields: Fields) -> dict[str, Any]:
    """TRL's rows for DPO: ``chosen`` and ``rejected``, with the ``prompt`` beside them or as their first turns."""
    prompt, samples, asked = structure(fields.get("prompt")), [], ""
    for name, right in (("chosen", True), ("rejected", False)):
        reply = structure(fields[name])
        if is_turns(reply):
            before = [] if prompt else [turn for turn in reply if Fields(turn).get("role") != "assistant"]
            turns = read_turns(reply if before else [{"role": "user", "content": "-"}, *reply], name)
            asked, reply = turns.user if before else asked, turns.assistant
        samples.append({"text": reply, "correct": right})
    if prompt:
        asked = read_turns(prompt, "prompt").user if is_turns(prompt) else question_within(str(prompt))
    kept = _without(fields, lambda name: name in ("prompt", "chosen", "rejected"))
    return {"question": asked, **kept, "samples": samples}


def _response(fields: Fields) -> Fields | None:
    """The reply of an OpenAI-compatible server: the row itself, or what it holds as ``response`` (and its ``body``)."""
    for reply in (fields.original, structure(fields.get("response")), structure(fields.get("result"))):
        body = structure(reply.get("body")) if isinstance(reply, Mapping) and reply.get("body") else reply
        choices = body.get("choices") if isinstance(body, Mapping) else None
        if isinstance(choices, Sequence) and choices and all(
            isinstance(one, Mapping) and ("message" in one or {"text", "finish_reason"} <= set(one)) for one in choices
        ):  # fmt: skip
            return Fields(body)
    return None


def _openai(fields: Fields) -> dict[str, Any]:
    """Replies of an OpenAI-compatible server, as they came or as lines of a batch."""
    reply = _response(fields)
    assert reply is not None
    samples = []
    for choice in map(Fields, reply["choices"]):
        message = Fields(choice.get("message") or {})
        thought, text = message.get("reasoning_content", message.get("reasoning")), choice.get("text", "")
        text = message.get("content", text) or ""
        text = f"<think>\n{thought}\n</think>\n\n{text}" if isinstance(thought, str) and thought else text
        sample = {"text": text, "finish_reason": choice.get("finish_reason"), "model": reply.get("model") or ""}
        samples.append(sample)
    asked = Fields(next((one for name in ("request", "body", "input") if isinstance(
        one := structure(fields.get(name)), Mapping)), {}))  # fmt: skip
    asked = Fields(structure(asked["body"])) if isinstance(structure(asked.get("body")), Mapping) else asked
    turns = next((row["messages"] for row in (fields, asked) if is_turns(row.get("messages"))), None)
    kept = _without(fields, lambda name: name in ("choices", "response", "request", "result", "model", "messages"))
    if fields.get("custom_id") or fields.get("object") in ("chat.completion", "text_completion"):
        kept.pop("id", None)  # the reply's, and no question's
    question = {"question": read_turns(turns, "messages").user} if turns is not None else {}
    return {**kept, **question, "samples": samples}


def _first_text(value: Any) -> str:
    """The first text within lm-eval's ``arguments``: a prompt."""
    while isinstance(value, (Mapping, list)) and value:
        value = next(iter(value.values())) if isinstance(value, Mapping) else value[0]
    return value if isinstance(value, str) else ""


def _without(fields: Fields, dropped: Callable[[str], bool]) -> dict[str, Any]:
    return {name: value for name, value in fields.original.items() if not dropped(str(name).lower())}


LOGS: dict[str, Log] = {
    log.word: log
    for log in (
        Log("lm-eval", lambda row: {"doc", "resps"} <= set(row) and isinstance(row["doc"], Mapping), _lm_eval),
        Log("openai", lambda row: _response(row) is not None, _openai),
        Log("verl", lambda row: {"input", "output"} <= set(row) and bool({"gts", "score"} & set(row)), _verl),
        Log("trl", lambda row: {"prompt", "completion"} <= set(row), _trl),
        Log("preference", lambda row: {"chosen", "rejected"} <= set(row), _preference),
        Log("lists", _has_parallel, _parallel),
        Log(
            "trajectories",
            lambda row: any((_TRAJECTORY.fullmatch(name) or _NUMBERED.fullmatch(name)) and row[name] for name in row),
            _trajectories,
        ),
    )
}
"""By their words, in the order in which they are tried."""
