"""What trainers write of samples that they draw or learn from: verl's rollouts, TRL's completions and pairs."""

from __future__ import annotations

import re
from typing import Any

from aurify.questions.fields import Fields, structure
from aurify.questions.turns import is_turns, read_turns, role_of
from aurify.rationales.prompt_text import question_within
from aurify.rationales.sample_fields import fields_without, label_of

_REWARD = re.compile(r"reward|accura|correct", re.IGNORECASE)
_TELLS = re.compile(r"accura|correct|solution|answer|math", re.IGNORECASE)
_MANNER = re.compile(r"format|length|tag|repet|cosine|think|xml|std|advantage", re.IGNORECASE)


def is_verl(row: Fields) -> bool:
    """A line of verl's dumps."""
    return {"input", "output"} <= set(row) and bool({"gts", "score"} & set(row))


def read_verl(fields: Fields) -> dict[str, Any]:
    """verl's dumps of rollouts and validation: ``input``, ``output``, ``gts``, ``score``."""
    label = next((fields[name] for name in ("acc", "score", "reward") if fields.get(name) is not None), None)
    sample = {"text": fields["output"], "correct": label}
    kept = fields_without(fields, lambda name: name in ("input", "output", "gts", "acc", "score", "reward"))
    gold = {} if fields.get("gts") is None else {"answer": fields["gts"]}
    return {**kept, "question": question_within(str(fields["input"])), **gold, "samples": [sample]}


def is_trl(row: Fields) -> bool:
    """A row of TRL's logged completions, or of a data set to learn them from."""
    return {"prompt", "completion"} <= set(row)


def read_trl(fields: Fields) -> dict[str, Any]:
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
    kept = fields_without(fields, lambda name: name in ("prompt", "completion", "label", *rewards))
    return {"question": asked, **kept, "samples": [sample]}


def is_preference(row: Fields) -> bool:
    """A pair for DPO."""
    return {"chosen", "rejected"} <= set(row)


def read_preference(fields: Fields) -> dict[str, Any]:
    """TRL's rows for DPO: ``chosen`` and ``rejected``, the ``prompt`` beside them, as their first turns, or both."""
    prompt, samples, asked = structure(fields.get("prompt")), [], ""
    for name, right in (("chosen", True), ("rejected", False)):
        reply = structure(fields[name])
        if is_turns(reply):
            whole = any(role_of(turn) == "user" for turn in reply)
            turns = read_turns(reply if whole else [{"role": "user", "content": "-"}, *reply], name)
            asked, reply = turns.user if whole else asked, turns.assistant
        samples.append({"text": reply, "correct": right})
    if prompt:
        asked = read_turns(prompt, "prompt").user if is_turns(prompt) else question_within(str(prompt))
    kept = fields_without(fields, lambda name: name in ("prompt", "chosen", "rejected"))
    return {"question": asked, **kept, "samples": samples}
