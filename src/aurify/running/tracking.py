"""What a run also tells trackio, TensorBoard or Weights & Biases, through accelerate's trackers.

A tracker is an onlooker: one that cannot start stops a run at its beginning, where nothing is lost, and one that fails
later is left out with a line, while the run and its own ``metrics.jsonl`` go on.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError, UsageError
from aurify.text import first_line

PROJECT = "aurify"
_HINTS = {"wandb": "; log in with wandb login, or keep its log on this machine with WANDB_MODE=offline"}


class Trackers:
    """The trackers of one run, in which it bears the name of its folder."""

    def __init__(self, names: Sequence[str], folder: str | None = None, say: Callable[[str], None] = print) -> None:
        """``names`` are accelerate's.

        Raises:
            UsageError: one is not installed.
        """
        for name in names:
            if importlib.util.find_spec(name) is None:
                raise UsageError(f"--track {name}: not installed: pip install 'aurify[{name}]'")
        self._names, self._folder, self._say = list(dict.fromkeys(names)), folder or ".", say
        self._live: list[Any] = []

    def start(self, config: Mapping[str, Any]) -> None:
        """Tell them what is run.

        Raises:
            AurifyError: one cannot start: nobody is logged in, or there is no network.
        """
        plain = {key: value for key, value in config.items() if isinstance(value, (int, float, str, bool))}
        for name in self._names:
            try:
                self._live.append(self._started(name, plain))
            except Exception as error:  # each tracker has its own
                told = f"--track {name}: it cannot start: {first_line(error)}{_HINTS.get(name, '')}"
                raise AurifyError(told) from None

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Send the numbers of a step."""
        for tracker in list(self._live):
            try:
                tracker.log(dict(values), step=step)
            except Exception as error:
                self._live.remove(tracker)
                self._say(f"--track {tracker.name}: left out from step {step} on: {first_line(error)}")

    def close(self) -> None:
        """Have them write what they still hold."""
        for tracker in self._live:
            try:
                tracker.finish()
            except Exception as error:
                self._say(f"--track {tracker.name}: its log may lack its end: {first_line(error)}")
        self._live = []

    def _started(self, name: str, config: dict[str, Any]) -> Any:
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS

        kind = LOGGER_TYPE_TO_CLASS[name]
        if kind.requires_logging_directory:
            tracker = kind(PROJECT, logging_dir=self._folder)
        else:
            tracker = kind(PROJECT, name=Path(self._folder).resolve().name)
        tracker.start()
        tracker.store_init_configuration(config)
        return tracker
