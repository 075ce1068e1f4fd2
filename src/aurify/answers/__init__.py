"""Answers: what a rationale states as its answer, whether that equals the gold answer, and why.

Numbers, choices and texts are compared in this process, without ``eval`` and in bounded time; mathematics and the
user's own function in worker processes that are killed when they outrun their time or memory.
"""

from aurify.answers.answer_type import AnswerType, Judging
from aurify.answers.custom import load_custom
from aurify.answers.grader import Grader
from aurify.answers.groups import group_answers
from aurify.answers.options import LETTERS, options, with_options, without_options
from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP, answer_type
from aurify.answers.verdict import Grade, Verdict

__all__ = [
    "ANSWERS_HELP",
    "ANSWER_TYPES",
    "LETTERS",
    "AnswerType",
    "Grade",
    "Grader",
    "Judging",
    "Verdict",
    "answer_type",
    "group_answers",
    "load_custom",
    "options",
    "with_options",
    "without_options",
]
