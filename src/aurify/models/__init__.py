"""Models: loading, the kinds of tuning, log-probabilities; what sampling, training and evaluation share."""

from aurify.models.load import LoadedModel, load_model
from aurify.models.tuning import Tuned, prepare, trainable_parameters

__all__ = ["LoadedModel", "Tuned", "load_model", "prepare", "trainable_parameters"]
