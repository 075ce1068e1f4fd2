"""What tools of evaluation write down of each question: lm-evaluation-harness, inspect, LightEval, OpenCompass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.questions.fields import Fields, structure
from aurify.questions.forms.form import ANSWER_FIELDS, QUESTION_FIELDS
from aurify.questions.rows import RowError, show
from aurify.questions.turns import is_turns, read_turns
from aurify.rationales.endings import ending
from aurify.rationales.message import read_message
from aurify.rationales.prompt_text import question_within

_VALUES = {"C": True, "I": False, "N": False, True: True, False: False}


def is_lm_eval(row: Fields) -> bool:
    """A line of lm-eval's ``--log_samples``."""
    return {"doc", "resps"} <= set(row) and isinstance(row["doc"], Mapping)


def read_lm_eval(fields: Fields) -> dict[str, Any]:
    """The document, what was generated, and the metrics."""
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


def is_inspect(row: Fields) -> bool:
    """A sample of inspect's log."""
    return {"input", "target", "output"} <= set(row) and isinstance(row["output"], Mapping)


def read_inspect(fields: Fields) -> dict[str, Any]:
    """A sample with the model's output, and the scorers' values where they agree."""
    output, asked, target = Fields(fields["output"]), fields["input"], fields["target"]
    choices = output.get("choices") or []
    if not choices:
        raise RowError(f"no output in it: {show(_error(fields.get('error')), 120)}")
    label = _agreed((fields.get("scores") or {}).values())
    samples = []
    for choice in choices:
        ended = choice.get("stop_reason")
        message = read_message(choice.get("message") or {}, cut=ending(ended) == "length")
        samples.append({
            "text": message.text or message.refusal or "", "finish_reason": ended, "model": output.get("model") or "",
            "correct": label if len(choices) == 1 else None,
        })  # fmt: skip
    options = {"choices": fields["choices"]} if fields.get("choices") else {}
    return {
        "id": fields.get("id"),
        "question": read_turns(asked, "input").user if is_turns(asked) else asked,
        "answer": target[0] if isinstance(target, list) and len(target) == 1 else target,
        **options,
        "samples": samples,
    }


def is_lighteval(row: Fields) -> bool:
    """A row of LightEval's details, of today's versions or of those before 0.10."""
    return {"doc", "model_response"} <= set(row) or {"full_prompt", "predictions"} <= set(row)


def read_lighteval(fields: Fields) -> dict[str, Any]:
    """The prompt's question, the gold answers, what was generated, and the metric."""
    if "full_prompt" in fields:
        asked, gold, texts = fields["full_prompt"], fields.get("gold"), structure(fields["predictions"])
        metrics = fields.get("metrics")
    else:
        doc, response = Fields(structure(fields["doc"])), Fields(structure(fields["model_response"]))
        asked, texts, metrics = doc.get("query"), response.get("text"), fields.get("metric")
        choices, places = doc.get("choices") or [], doc.get("gold_index")
        places = places if isinstance(places, Sequence) else [places]
        gold = [choices[place] for place in places if isinstance(place, int) and -1 < place < len(choices)]
    texts = texts if isinstance(texts, list) else [texts]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise RowError("no generated text in it (a task that compares likelihoods has none)")
    gold = structure(gold)
    gold = gold[0] if isinstance(gold, list) and len(gold) == 1 else gold
    metrics = structure(metrics)
    label = _agreed(metrics.values()) if len(texts) == 1 and isinstance(metrics, Mapping) else None
    samples = [{"text": text, "correct": label} for text in texts]
    gold = gold.strip() if isinstance(gold, str) else gold
    return {"question": question_within(str(asked or "")), "answer": gold, "samples": samples}


def is_opencompass(row: Fields) -> bool:
    """An entry of OpenCompass' predictions, or of the details of its results."""
    return {"origin_prompt", "prediction"} <= set(row) or {"origin_prediction", "references"} <= set(row)


def read_opencompass(fields: Fields) -> dict[str, Any]:
    """The last question of the prompt, the gold answer, and the prediction."""
    asked = structure(fields.get("origin_prompt", fields.get("prompt")))
    if isinstance(asked, list):
        turns = [one for one in asked if isinstance(one, Mapping) and str(one.get("role")).upper() == "HUMAN"]
        asked = turns[-1].get("prompt") if turns else ""
    texts = fields.get("prediction", fields.get("origin_prediction"))
    texts = texts if isinstance(texts, list) else [texts]
    label = _agreed([fields.get("correct")]) if len(texts) == 1 else None
    samples = [{"text": text, "correct": label} for text in texts]
    gold = next((fields[name] for name in ("gold", "references", "reference") if fields.get(name) is not None), None)
    return {"question": question_within(str(asked or "")), "answer": gold, "samples": samples}


def _agreed(values: Any) -> bool | None:
    """Right or wrong, where all that judge it say the same."""
    told = [one.get("value") if isinstance(one, Mapping) else one for one in values]
    known = {_VALUES.get(one) for one in told if isinstance(one, (str, bool, int, float))}
    return known.pop() if len(known) == 1 else None


def _error(error: Any) -> str:
    return str(error.get("message") or error) if isinstance(error, Mapping) else str(error or "nobody knows why")


def _first_text(value: Any) -> str:
    """The first text within lm-eval's ``arguments``: a prompt."""
    while isinstance(value, (Mapping, list)) and value:
        value = next(iter(value.values())) if isinstance(value, Mapping) else value[0]
    return value if isinstance(value, str) else ""
