"""The model as it was at the best evaluation of a run, beside the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from aurify.running.context import RunContext
from aurify.running.export import Accuracies, accuracy_by_step
from aurify.running.metrics import MetricsLog
from aurify.statistics import Accuracy

Export = Callable[[Path, Accuracies], None]
"""Writes the model as it stands into a folder, with a card that tells accuracies."""


class BestModel:
    """Writes the model into the run's folder ``best`` whenever an evaluation is above all before it.

    Step 0, the model before training, counts among these. Of equal ones the first is the best.
    """

    def __init__(self, context: RunContext, export: Export) -> None:
        self._context, self._export = context, export

    def look(self, step: int) -> None:
        """After a step, in the main process, while its weights are whole: where it was evaluated, and is the best."""
        found = self._found()
        if step and best_step(found) == step:
            self._export(self._context.folder.best, Accuracies(found.get(0), found[step]))

    def told(self) -> str:
        """What a user should know of it at the end."""
        found = self._found()
        best, looks = best_step(found), len(found) - (0 in found)
        if not best:
            return f"best: none of {looks} evaluations was above the one before training"
        return (
            f"best: {self._context.folder.best}, step {best}: {found[best]}; chosen among {looks} by the questions "
            "that it is measured on, which flatters it: measure it on others"
        )

    def _found(self) -> dict[int, Accuracy]:
        return accuracy_by_step(MetricsLog(self._context.folder.metrics).read())


def best_step(found: Mapping[int, Accuracy]) -> int:
    """The first of the steps with the highest accuracy; 0 where nothing was measured."""
    return max(found, key=lambda step: (found[step].value, -step), default=0)
