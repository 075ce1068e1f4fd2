"""The M-step and all that surrounds it: the loop, checkpoints, the run's folder. The same for every method."""

from aurify.training.settings import TrainSettings

__all__ = ["TrainSettings"]
