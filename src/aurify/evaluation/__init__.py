"""Evaluation: how good a model is on questions with known answers, and how sure one can be of it."""

from aurify.evaluation.accuracy import Accuracy
from aurify.evaluation.intervals import bootstrap_means, wilson
from aurify.evaluation.metrics import majority, majority_at_k, pass_at_k
from aurify.evaluation.scores import Outcome, Score, score

__all__ = [
    "Accuracy",
    "Outcome",
    "Score",
    "bootstrap_means",
    "majority",
    "majority_at_k",
    "pass_at_k",
    "score",
    "wilson",
]
