"""Replies of servers as logs hold them: as they came, within a row, or as lines of a batch.

The forms are those of OpenAI (chat, completions, responses), which vLLM, Mistral and Together write too, of Anthropic
and of Gemini.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aurify.questions.fields import ID_FIELDS, Fields, structure
from aurify.questions.forms.conversations import question_of
from aurify.questions.rows import RowError, show
from aurify.questions.turns import is_turns, read_turns
from aurify.rationales.endings import ending
from aurify.rationales.message import read_message

_DROPPED = {
    "choices", "candidates", "output", "content", "stop_reason", "response", "request", "result", "model", "messages",
    "body", "error", "contents",
}  # fmt: skip
_FAILED = ("error", "response", "result")


class Said(NamedTuple):
    """One sample of a reply: the message in OpenAI's form, and why it ended."""

    message: Mapping[str, Any]
    ended: Any


def holds_reply(fields: Fields) -> bool:
    """Whether a row is a reply, or holds one, or is a line of a batch that got none."""
    if _reply(fields) is not None:
        return True
    return _failed(fields) and ("custom_id" in fields or ("key" in fields and fields.get("response") is None))


def _failed(fields: Fields) -> bool:
    """Whether a line of a batch holds an error, or some other object, where its reply should be."""
    held = [structure(fields.get(name)) for name in _FAILED]
    return not any(isinstance(one, str) for one in held[1:]) and any(isinstance(one, (Mapping, str)) for one in held)


def read_reply(fields: Fields) -> dict[str, Any]:
    """The row with its ``samples``, and the question where the request is told too.

    Raises:
        RowError: there is no reply but an error.
    """
    found = _reply(fields)
    if found is None:
        raise RowError(f"no reply in it, but {_error(fields)}")
    reply, said = found
    model = str(reply.get("model") or reply.get("modelversion") or "")
    samples = []
    for one, ended in said:
        message = read_message(one, cut=ending(ended) == "length")
        samples.append({"text": message.text or message.refusal or "", "finish_reason": ended, "model": model})
    kept = {name: value for name, value in fields.original.items() if str(name).lower() not in _DROPPED}
    if fields.get("custom_id") or reply.original is fields.original:
        kept.pop("id", None)  # the reply's, and no question's
    asked: dict[str, Any] = {}
    if not _asks(kept):
        if isinstance(fields.get("key"), (str, int)) and Fields(kept).filled(ID_FIELDS) is None:
            kept["id"] = fields["key"]  # of Gemini's batches
        asked = _asked(fields, named=Fields(kept).filled(ID_FIELDS) is not None)
    return {**kept, **asked, "samples": samples}


def _asks(kept: Mapping[str, Any]) -> bool:
    """Whether the row tells the question itself, however its request words it."""
    try:
        return bool(question_of(Fields(kept)).whole)
    except RowError:
        return False


def _asked(fields: Fields, *, named: bool) -> dict[str, Any]:
    """The question, where the row holds the request: its ``messages``, or Gemini's ``contents``.

    Raises:
        RowError: the request asks no one question, and the row is not ``named`` by an id.
    """
    told = [structure(fields.get(name)) for name in ("request", "body", "input", "params")]
    requests = [Fields(one) for one in told if isinstance(one, Mapping)]
    requests += [Fields(inner) for one in requests if isinstance(inner := structure(one.get("body")), Mapping)]
    turns = next(filter(is_turns, (_turns(row) for row in (fields, *requests))), None)
    try:
        return {} if turns is None else {"question": read_turns(turns, "messages").user}
    except RowError:
        if named:
            return {}
        raise


def _turns(request: Fields) -> Any:
    """A request's conversation in OpenAI's form."""
    contents = structure(request.get("contents"))
    if contents is None:
        return request.get("messages")
    if isinstance(contents, str):
        return [{"role": "user", "content": contents}]
    listed = [contents] if isinstance(contents, Mapping) else _objects(contents)
    return [{"role": one.get("role") or "user", "content": one.get("parts")} for one in listed]


def _reply(fields: Fields) -> tuple[Fields, list[Said]] | None:
    """The reply of a server within a row, and its samples."""
    for held in (fields.original, structure(fields.get("response")), structure(fields.get("result"))):
        if not isinstance(held, Mapping):
            continue
        inner = (structure(held.get(name)) for name in ("body", "message"))
        for body in (held, *(one for one in inner if isinstance(one, Mapping))):
            for read in (_openai, _responses, _anthropic, _gemini):
                if said := read(body):
                    return Fields(body), said
    return None


def _openai(body: Mapping[str, Any]) -> list[Said]:
    choices = _objects(body.get("choices"))
    if not all("message" in one or {"text", "finish_reason"} <= set(one) for one in choices):
        return []
    return [Said(one.get("message") or {"content": one.get("text")}, one.get("finish_reason")) for one in choices]


def _responses(body: Mapping[str, Any]) -> list[Said]:
    """OpenAI's newer form: items of the output, of which some are thoughts (gpt-oss tells them whole) and some the
    message."""
    items = _objects(body.get("output"))
    if not items or not all("type" in one for one in items):
        return []
    parts = [part for one in items if one["type"] == "message" for part in _objects(one.get("content"))]
    reasoning = [one for one in items if one["type"] == "reasoning"]
    thoughts = [part for one in reasoning for part in _objects(one.get("summary")) or _objects(one.get("content"))]
    details = body.get("incomplete_details")
    ended = details.get("reason") if isinstance(details, Mapping) else None
    return [Said({"content": parts, "reasoning_details": thoughts}, ended or "stop")]


def _anthropic(body: Mapping[str, Any]) -> list[Said]:
    if body.get("role") != "assistant" or not _objects(body.get("content")) or "stop_reason" not in body:
        return []
    return [Said(body, body["stop_reason"])]


def _gemini(body: Mapping[str, Any]) -> list[Said]:
    said = []
    for one in _objects(body.get("candidates")):
        content = one.get("content")
        parts = _objects(content.get("parts")) if isinstance(content, Mapping) else ()
        told = [{"type": "thinking" if part.get("thought") else "text", "text": part.get("text")} for part in parts]
        said.append(Said({"content": told}, one.get("finishReason")))
    return said


def _objects(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a list; none where it is no list, or holds anything else."""
    listed = isinstance(value, Sequence) and all(isinstance(one, Mapping) for one in value)
    return value if listed else ()


def _error(value: Any) -> str:
    """What a line of a batch says went wrong."""
    value = structure(value)
    if isinstance(value, Mapping):
        for name in ("error", "body", "response", "result", "message", "code", "type"):
            if value.get(name):
                return _error(value[name])
        return "nothing"
    return show(value, 120)
