"""Statistics: accuracies with their intervals, pass rates, paired comparison. Pure functions of arrays."""

from aurify.statistics.accuracy import Accuracy
from aurify.statistics.intervals import bootstrap_means

__all__ = ["Accuracy", "bootstrap_means"]
