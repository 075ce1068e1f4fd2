"""Answers of your own kind, on one page: a comparison that aurify does not have.

    aurify grade rows.jsonl --answers own_answers:same_list        # rows with gold and pred
    aurify train trice --model nugget --data questions.jsonl --answers own_answers:same_list
    python examples/own_answers.py                                 # the same, and why, for a few answers

Here an answer is a list in any order: ``red, green and blue`` is ``Blue, red, green``. aurify reads what a rationale
states as its answer, and hands both texts to the function, in a process of its own that is killed when it takes too
long or too much memory. So the function may be slow, or call a program; it must not need what the process before left
behind. What it raises makes the answer unparsable, with the error as the reason.
"""

from __future__ import annotations

import re

from aurify import Question
from aurify.answers import Grader

GOLD = "red, green and blue"
RATIONALES = (
    "Sorted by wavelength. So the answer is blue, green, red.",
    "There are three of them. So the answer is red, green.",
    "So the answer is red, green, blue and red.",
    "I do not know.",
)


def same_list(pred: str, gold: str) -> tuple[bool, str]:
    """Whether two lists hold the same things, in any order, each once; with the reason that the table will show."""
    # 1. What is no answer of this kind at all is an error, not a wrong answer: the verdict is then "unparsable".
    ours, theirs = items(pred), items(gold)
    if not ours:
        raise ValueError("no list")
    # 2. A reason is worth its line: it is what one reads when a verdict surprises.
    missing, beyond = sorted(theirs - ours), sorted(ours - theirs)
    if missing or beyond:
        told = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(beyond)}"] * bool(beyond)
        return False, " and ".join(told)
    return True, f"the same {len(theirs)} things"


def items(text: str) -> set[str]:
    """The things that a list names."""
    return {one.strip().casefold() for one in re.split(r",|\band\b", text) if one.strip()}


def main() -> None:
    """Judge a few rationales."""
    # 3. ``module:function`` names the comparison wherever aurify asks for answers' types.
    question = Question("colours", "Which colours?", GOLD, "own_answers:same_list")
    with Grader(timeout=5) as grader:
        for text in RATIONALES:
            grade = grader.grade(text, question)
            print(f"{grade.verdict:<11}{grade.reason:<55}{text}")


if __name__ == "__main__":
    main()
