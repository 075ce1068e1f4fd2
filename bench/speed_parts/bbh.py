"""The task of parts c and d: BBH's object counting, its split, and greedy accuracy on the held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

TASK = "object_counting.json"


def read_split(data: str | Path, seed: int) -> tuple[list[Any], list[Any]]:
    """(train, held out): 60 % and 40 % of the real rows, by seed, as `aurify train` splits them."""
    from aurify.questions import load_questions, split_questions

    return split_questions(list(load_questions(str(Path(data) / TASK))), 0.4, seed)


def held_out_accuracy(model: Any, tokenizer: Any, questions: Sequence[Any], grader: Any, max_new_tokens: int) -> float:
    """The share of questions whose greedy rationale is right; one that is cut at the limit is wrong."""
    from aurify.questions import PromptTemplate
    from aurify.sampling import LocalSampler, Prompt

    template = PromptTemplate.named("plain", tokenizer)
    prompts = [Prompt(template.encode(tokenizer, question), (0,)) for question in questions]
    drawn = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=max_new_tokens, temperature=0.0)
    items = [
        (row[0].text, question, row[0].finish_reason == "length")
        for row, question in zip(drawn, questions, strict=True)
    ]
    return sum(grade.right for grade in grader.grade_all(items)) / len(questions)
