"""A look at a model on some questions before hours are spent: what it gets right, what keeps it from it, what to do."""

from aurify.doctor.trial import Trial

__all__ = ["Trial"]
