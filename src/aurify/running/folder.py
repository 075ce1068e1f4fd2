"""The folder of a run: what lies where, and whether a run may start or go on in it."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from pydantic.fields import FieldInfo
from typing_extensions import Self

from aurify.errors import AurifyError, UsageError
from aurify.files import sweep, write_atomically
from aurify.lock import is_unused
from aurify.parsing import parse_json, read_toml
from aurify.questions.fingerprint import Fingerprint, changes
from aurify.registry import may_change
from aurify.settings import as_written
from aurify.toml import tomllib

FREE_ON_RESUME = {
    "resume",
    "out",
    "token_budget",
    "fit",
    "track",
    "save_every",
    "profile",
    "gradient_checkpointing",
    "fsdp",
    "stalled_after",
}
"""Settings that a resumed run may change, since they do not change its result. Entries of registries have more."""


PLACES = ("model", "data", "eval_data", "few_shot", "memory_from", "from")
"""Settings that name what is read. A run may find it in another place, since what is there is compared."""


class Recorded(Protocol):
    """Settings that a folder's config.toml records."""

    def to_toml(self) -> str: ...


class RunSettings(Recorded, Protocol):
    """What the settings of every run say: ``TrainSettings``, ``DistillSettings``."""

    @property
    def method(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def answers(self) -> str | None: ...
    @property
    def out(self) -> str: ...
    @property
    def resume(self) -> bool: ...
    @property
    def stalled_after(self) -> int: ...
    @property
    def track(self) -> list[Any]: ...
    def model_dump(self) -> dict[str, Any]: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self: ...


RunSettingsT = TypeVar("RunSettingsT", bound=RunSettings)


class Difference(NamedTuple):
    """A setting that a run had and that is another now."""

    key: str
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.key} was {self.before!r} and is now {self.now!r}"


def free_folder(path: Path) -> Path:
    """The path itself, or with -2, -3, ... at its end, so that nothing stands there."""
    candidates = (path if number == 1 else path.with_name(f"{path.name}-{number}") for number in itertools.count(1))
    return next(candidate for candidate in candidates if not candidate.exists())


@contextmanager
def named_folder(settings: RunSettingsT) -> Iterator[RunSettingsT]:
    """The settings with a folder as ``out``: where none is given, one in ``runs`` that is nobody else's.

    It is made at once, so that two runs that begin together do not choose the same, and is gone again where nothing
    came of the run. Of several processes none makes it: they must choose alike.
    """
    if settings.out:
        yield settings
        return
    stem = Path(settings.data.removeprefix("hf:").replace(":", "-")).name.partition(".")[0]
    name = "-".join(filter(None, [re.sub(r"[^\w-]+", "-", part).strip("-") for part in (settings.method, stem)]))
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        yield settings.model_copy(update={"out": str(free_folder(Path("runs") / name))})
        return
    while True:
        path = free_folder(Path("runs") / name)
        with suppress(FileExistsError):  # another was faster
            path.mkdir(parents=True)
            break
    try:
        yield settings.model_copy(update={"out": str(path)})
    finally:
        with suppress(OSError):
            path.rmdir()


def difference(config: Path, settings: Recorded, free: Collection[str] = FREE_ON_RESUME) -> Difference | None:
    """The first setting, by name, that is not as in the config.toml of a folder, but for those that are ``free``.

    Raises:
        AurifyError: the file cannot be read.
    """
    before = as_written(type(settings), read_toml(config))
    now = tomllib.loads(settings.to_toml())
    if now.get("dtype") == "auto":  # which stands for the one that the run began with
        now["dtype"] = before.get("dtype", "auto")
    fields: Mapping[str, FieldInfo] = getattr(type(settings), "model_fields", {})
    own = {name for name, field in fields.items() if may_change(field)}
    for key in sorted((before.keys() | now.keys()) - {*free, *own}):
        if before.get(key) != now.get(key):
            return Difference(key, before.get(key), now.get(key))
    return None


def elsewhere(read: Path, settings: Recorded) -> set[str]:
    """Those of ``PLACES`` that name a file or a folder, where ``read``, if it is there, keeps what stood in the old."""
    if not read.exists():
        return set()
    now = tomllib.loads(settings.to_toml())
    return {key for key in PLACES if (place := str(now.get(key, ""))) and _stands(place)}


def _stands(place: str) -> bool:
    try:
        return Path(place).exists()
    except (OSError, ValueError):  # a text that is no path, such as worked examples
        return False


class RunFolder:
    """Names of the files of a run of ``aurify COMMAND``."""

    def __init__(self, path: str | Path, *, command: str = "train") -> None:
        self.path = Path(path)
        self.config = self.path / "config.toml"
        self.metrics = self.path / "metrics.jsonl"
        self.rationales = self.path / "rationales"
        self.held_out = self.path / "held_out"
        self.checkpoints = self.path / "checkpoints"
        self.model = self.path / "model"
        self.best = self.path / "best"
        """The model at its best evaluation (``aurify.running.best``)."""
        self.questions = self.path / "questions.jsonl"
        """The questions of the run (``aurify.running.asked``)."""
        self.read = self.path / "read.json"
        """The fingerprint of what the run read (``aurify.questions.fingerprint``)."""
        self.resume_command = shlex.join(["aurify", command, "--config", str(self.config), "--resume"])
        """What goes on with the run."""

    def go_on(self) -> str:
        """What goes on with the run, or begins it where it has left nothing."""
        return self.resume_command if self.config.exists() else "the same again"

    def recorded(self, key: str) -> Any:
        """A setting of the run that was begun here; None where there is no run or its settings cannot be read."""
        try:
            return read_toml(self.config).get(key)
        except AurifyError:
            return None

    def refuse_others(self, settings: RunSettings, read: Fingerprint | None = None) -> None:
        """Refuse, without touching what the folder holds, where it is not this run's to write.

        Args:
            read: of what the run has read; a run is gone on with on nothing else.

        Raises:
            UsageError: it holds a run already and ``resume`` is not set, or settings or data differ from that run's.
        """
        if settings.resume and self.config.exists():
            if found := difference(self.config, settings, {*FREE_ON_RESUME, *elsewhere(self.read, settings)}):
                own = f"a run goes on with its own settings: {self.resume_command}"
                ended = f"this run has ended: begin another from it by --model {self.model}, with an --out of its own"
                raise UsageError(f"--resume: {found}; {ended if self.model.is_dir() else own}")
            self._same(read)
        elif not is_unused(self.path):
            raise UsageError(
                f"--out {self.path}: already there and not empty: choose another folder, or --resume the run in it"
            )

    def claim(self, settings: RunSettings, read: Fingerprint | None = None) -> None:
        """Make the folder, whose lock is held, ready for this run, which ``refuse_others`` has let in."""
        self.path.mkdir(parents=True, exist_ok=True)
        for folder in (self.path, self.checkpoints, self.rationales, self.held_out):
            sweep(folder)
        write_atomically(self.config, settings.to_toml())
        if read is not None:
            write_atomically(self.read, json.dumps(read, ensure_ascii=False) + "\n")

    def _same(self, read: Fingerprint | None) -> None:
        """Refuse where what is read is not what the run began with."""
        if read is None or not self.read.exists():
            return
        try:
            before = parse_json(self.read.read_text(encoding="utf-8"))
            found = changes(before, read)
        except (ValueError, AttributeError, TypeError):
            raise AurifyError(f"{self.read}: cannot be read; the run cannot be resumed") from None
        if found:
            raise UsageError(
                f"--resume: the data is not what the run began with ({found}): bring it back, or begin another run"
            )
