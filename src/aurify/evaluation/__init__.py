"""Evaluation: how good a model is on questions with known answers, and how sure one can be of it."""

from aurify.evaluation.accuracy import Accuracy
from aurify.evaluation.intervals import wilson

__all__ = ["Accuracy", "wilson"]
