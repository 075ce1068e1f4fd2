"""Comparison: trainings run side by side, and finished runs, files of verdicts or models told apart or not."""
