"""Statistics: accuracies with their intervals, accuracy of k samples, paired comparison. Pure functions of arrays."""

from aurify.statistics.accuracy import Accuracy
from aurify.statistics.intervals import bootstrap_means
from aurify.statistics.samples import majority, majority_at_k, pass_at_k

__all__ = ["Accuracy", "bootstrap_means", "majority", "majority_at_k", "pass_at_k"]
