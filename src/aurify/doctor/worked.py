"""Worked examples made of a model's own right rationales, to see whether showing them helps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aurify.answers.reading import Unreadable
from aurify.answers.thought import reply
from aurify.errors import AurifyError
from aurify.questions import Question
from aurify.questions.few_shot import parse_few_shot
from aurify.rationales import Rationale

EXAMPLES_SHOWN = 4
"""Examples put before a question."""

_STATED = re.compile(r"\b(?:so,? )?the (?:final )?answer is:?\s*[^\n]+", re.IGNORECASE)


def worked_examples(questions: Sequence[Question], rows: Sequence[Sequence[Rationale]]) -> dict[str, str]:
    """Up to ``EXAMPLES_SHOWN`` + 1 examples as text, by question id: of each question its shortest right rationale.

    A rationale is taken up to the end of the line that states the answer, and only where it reads as an example then.
    """
    found: dict[str, str] = {}
    for question, row in zip(questions, rows, strict=True):
        right = sorted((one for one in row if one.right), key=lambda one: len(one.token_ids))
        texts = [text for one in right if (text := _example(question, one.text)) is not None]
        if texts:
            found[question.id] = texts[0]
    shortest = sorted(found, key=lambda id: len(found[id]))[: EXAMPLES_SHOWN + 1]
    return {id: text for id, text in found.items() if id in shortest}


def shown_to(question: Question, examples: Mapping[str, str]) -> str:
    """The examples that this question is shown: never its own."""
    return "\n\n".join([text for id, text in examples.items() if id != question.id][:EXAMPLES_SHOWN]) + "\n"


def _example(question: Question, rationale: str) -> str | None:
    """The question and the reply to it, without the thought before it, which a template writes in its own way."""
    try:
        rationale = reply(rationale)
    except Unreadable:
        return None
    stated = list(_STATED.finditer(rationale))
    if not stated:
        return None
    text = f"Q: {question.text.strip()}\nA: {rationale[: stated[0].end()].strip()}"
    try:
        (example,) = parse_few_shot(text).examples
    except (AurifyError, ValueError):
        return None
    return text if example.question == question.text.strip() else None
