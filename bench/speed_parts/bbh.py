"""The questions of parts c, d and f: BBH's object counting or a file, their split, and greedy accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TASK = "object_counting.json"


def questions_of(plan: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """(train, held out): 60 % and 40 % of the real rows, by seed, as `aurify train` splits them."""
    from aurify.questions import load_questions, split_questions

    data = Path(plan["data"])
    return split_questions(list(load_questions(str(data / TASK if data.is_dir() else data))), 0.4, plan["seed"])


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
