"""Evaluation: how good a model is on questions with known answers, and which of several is better."""

from aurify.evaluation.scores import Outcome, Score, score

__all__ = ["Outcome", "Score", "score"]
