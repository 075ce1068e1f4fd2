"""A reward function of your own, as TRL has them, on one page: it judges whole rationales, and needs no gold answer.

    aurify grade rows.jsonl --answers own_reward:brief_and_right          # rows with pred, and the columns it reads
    aurify train grpo --model MODEL --data questions.jsonl --answers own_reward:brief_and_right --reward-threshold 0.8
    python examples/own_reward.py                                         # the same, and why, for a few rationales

A function is a reward function where one of its parameters is named ``completions``, or ``solution_str`` as verl's; any
other is a comparison of an answer with the gold one (examples/own_answers.py). It is called in a process of its own,
which is killed when it takes too long or too much memory, with one rationale at a time: lists of one. Right is a reward
of at least ``--reward-threshold`` (0.5). None leaves a sample out: it stays in the table, and nothing counts it or
learns from it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from aurify import Question
from aurify.answers import Grader, answer_type

ROW = {"question": "Name three colours.", "words": ["red", "green", "blue"], "longest": 40}
RATIONALES = (
    "red, green, blue",
    "red, green",
    "There are many colours. Three of them are red, green and blue.",
    "I do not know.",
)


def brief_and_right(completions: list[Any], words: list[list[str]], longest: list[int], **columns: Any) -> list[Any]:
    """The share of the words that a rationale names, less a half where it is long; None where it declines to answer."""
    return [reward(text(one), *of_row) for one, *of_row in zip(completions, words, longest, strict=True)]


def reward(said: str, words: list[str], longest: int) -> float | None:
    # 1. Columns of the question's row come by name. What a row does not hold makes it a bad row, before any work.
    if "do not know" in said:
        return None  # 2. neither right nor wrong
    share = sum(word in said for word in words) / len(words)
    return share - 0.5 * (len(said) > longest)


def text(completion: Any) -> str:
    # 3. Where the file holds its prompts as turns, a completion is a list of turns too, as TRL's trainers have it.
    return str(completion if isinstance(completion, str) else completion[-1]["content"])


def main() -> None:
    """Judge a few rationales."""
    word = "own_reward:brief_and_right"
    question = Question("colours", str(ROW["question"]), "", word, columns=json.dumps(ROW))  # as of a file's row
    with Grader(kind=replace(answer_type(word), reward_threshold=0.8)) as grader:
        for said in RATIONALES:
            grade = grader.grade(said, question)
            print(f"{grade.verdict:<11}{grade.reason:<52}{said}")


if __name__ == "__main__":
    main()
