"""Rationales as the rows that other trainers learn from: TRL's forms for SFT, DPO and KTO.

    sft    prompt, completion              right rationales alone
    dpo    prompt, chosen, rejected        a right one and a wrong one of the same question
    kto    prompt, completion, label       both kinds, each with its verdict

Prompt and completion are texts where the model is asked plainly, and lists of turns where it is asked in a chat, so a
trainer applies the model's own chat template. Each row also has ``question_id``, ``question`` and ``answer``, which
trainers leave alone and by which ``aurify import`` finds the way back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from aurify.answers.verdict import Verdict
from aurify.questions import PromptTemplate, Question
from aurify.rationales import Rationale, RationaleTable
from aurify.rationales.by_question import whole_questions

TrainerForm = Literal["sft", "dpo", "kto"]


class TrainerRows(NamedTuple):
    """The rows, and how many rationales were left out, by reason."""

    rows: list[dict[str, Any]]
    left_out: Counter[str]


def trainer_rows(
    rationales: Iterable[Rationale], questions: Mapping[str, Question], template: PromptTemplate, form: TrainerForm
) -> TrainerRows:
    """The rows of one form, questions in the order of their first rationale.

    A rationale that repeats another of its question is left out; so is what is neither right nor wrong. For "dpo" the
    n-th right rationale of a question is paired with its n-th wrong one; those left without a partner are counted.

    Args:
        questions: by id.
        template: how the model is asked.
    """
    left_out: Counter[str] = Counter()
    kept: dict[str, dict[str, bool]] = defaultdict(dict)
    for one in rationales:
        if one.question_id not in questions:
            left_out["of other questions"] += 1
        elif one.verdict not in (Verdict.RIGHT, Verdict.WRONG):
            left_out[str(one.verdict)] += 1
        elif one.text in kept[one.question_id]:
            left_out["repeated"] += 1
        else:
            kept[one.question_id][one.text] = one.right
    rows: list[dict[str, Any]] = []
    for name, texts in kept.items():
        question = questions[name]
        common: dict[str, Any] = {"prompt": _prompt(template, question)}
        told = {"question_id": name, "question": question.text, "answer": question.answer}
        right, wrong = ([text for text, is_right in texts.items() if is_right is kind] for kind in (True, False))
        if form == "dpo":
            pairs = list(zip(right, wrong, strict=False))
            rows += [
                {**common, "chosen": _reply(template, good), "rejected": _reply(template, bad), **told}
                for good, bad in pairs
            ]
            left_out["without a partner"] += len(right) + len(wrong) - 2 * len(pairs)
        elif form == "sft":
            rows += [{**common, "completion": _reply(template, text), **told} for text in right]
            left_out["wrong"] += len(wrong)
        else:
            rows += [
                {**common, "completion": _reply(template, text), "label": label, **told}
                for text, label in texts.items()
            ]
    return TrainerRows(rows, +left_out)


def trainer_rows_of_table(
    table: RationaleTable, questions: Mapping[str, Question], template: PromptTemplate, form: TrainerForm
) -> Iterator[TrainerRows]:
    """``trainer_rows`` of a table of any size, some whole questions at a time: together the same rows and counts.

    Raises:
        AurifyError: a part of the table is damaged.
    """
    order: dict[str, None] = {}
    others = 0
    for batch in table.batches(["question_id", "verdict"]):
        for name, verdict in zip(batch["question_id"].to_pylist(), batch["verdict"].to_pylist(), strict=True):
            if name not in questions:
                others += 1
            elif verdict in (Verdict.RIGHT, Verdict.WRONG):
                order.setdefault(name)
    yield TrainerRows([], +Counter({"of other questions": others}))
    for rows in whole_questions(table, lambda name: name if name in questions else None, order, aided=True):
        yield trainer_rows(rows, questions, template, form)


def _prompt(template: PromptTemplate, question: Question) -> str | list[dict[str, str]]:
    return template.messages(question) if template.name == "chat" else template.render(question)


def _reply(template: PromptTemplate, text: str) -> str | list[dict[str, str]]:
    return [{"role": "assistant", "content": text}] if template.name == "chat" else text
