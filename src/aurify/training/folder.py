"""The folder of a run: what lies where, and whether a run may start or go on in it."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import Any, Protocol

from aurify.errors import AurifyError, UsageError
from aurify.files import write_atomically
from aurify.training.settings import TrainSettings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FREE_ON_RESUME = {
    "resume",
    "out",
    "token_budget",
    "track",
    "save_every",
    "vllm_url",
    "profile",
    "gradient_checkpointing",
}
"""Settings that a resumed run may change, since they do not change its result."""


def free_folder(path: Path) -> Path:
    """The path itself, or with -2, -3, ... at its end, so that nothing stands there."""
    candidates = (path if number == 1 else path.with_name(f"{path.name}-{number}") for number in itertools.count(1))
    return next(candidate for candidate in candidates if not candidate.exists())


def default_folder(method: str, data: str) -> str:
    """Where a run of a method on some data lies if nobody says where: a free folder in ``runs``."""
    stem = Path(data.removeprefix("hf:").replace(":", "-")).name.partition(".")[0]
    name = "-".join(filter(None, [method, re.sub(r"[^\w-]+", "-", stem).strip("-")]))
    return str(free_folder(Path("runs") / name))


def name_folder(settings: TrainSettings) -> TrainSettings:
    """The settings with a free folder as ``out``, where none is given."""
    if settings.out:
        return settings
    return settings.model_copy(update={"out": default_folder(settings.method, settings.data)})


class Resumable(Protocol):
    """Settings of a run that can be resumed: ``TrainSettings``, ``DistillSettings``."""

    @property
    def resume(self) -> bool: ...

    def to_toml(self) -> str: ...


class RunFolder:
    """Names of the files of a run."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.toml"
        self.metrics = self.path / "metrics.jsonl"
        self.rationales = self.path / "rationales"
        self.held_out = self.path / "held_out"
        self.checkpoints = self.path / "checkpoints"
        self.model = self.path / "model"

    def claim(self, settings: Resumable, *, command: str = "train") -> None:
        """Make the folder ready for this run of ``command``, or refuse without touching what it holds.

        Raises:
            UsageError: it holds a run already and ``resume`` is not set, or the settings differ from that run's.
        """
        if settings.resume and self.config.exists():
            self._compare(settings, command)
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UsageError(
                f"--out {self.path}: already there and not empty: choose another folder, or --resume the run in it"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.config, settings.to_toml())

    def _compare(self, settings: Resumable, command: str) -> None:
        try:
            before: dict[str, Any] = tomllib.loads(self.config.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise AurifyError(f"{self.config}: cannot be read: {error}; the run cannot be resumed") from None
        now = tomllib.loads(settings.to_toml())
        for key in sorted((before.keys() | now.keys()) - FREE_ON_RESUME):
            if before.get(key) != now.get(key):
                raise UsageError(
                    f"--resume: {key} was {before.get(key)!r} and is now {now.get(key)!r}; "
                    f"a run goes on with its own settings: aurify {command} --config {self.config} --resume"
                )
