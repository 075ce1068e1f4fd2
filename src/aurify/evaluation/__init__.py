"""Evaluation: how good a model is on questions with known answers."""

from aurify.evaluation.scores import Outcome, Score, score

__all__ = ["Outcome", "Score", "score"]
