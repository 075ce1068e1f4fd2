"""The dtype of a run: what was said, what it began with, or what suits model and device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from typing_extensions import Self

from aurify.models.precision import settle_dtype
from aurify.running.folder import RunFolder


class _Settings(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def out(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self: ...


_SettingsT = TypeVar("_SettingsT", bound=_Settings)


def with_dtype(settings: _SettingsT, say: Callable[[str], None], *, full: bool = False) -> _SettingsT:
    """The settings with a dtype in the place of "auto"; a run that goes on keeps the one that it began with.

    Args:
        full: whether all weights of the model are trained.
    """
    asked = settings.dtype
    if asked == "auto":
        asked = RunFolder(settings.out).recorded("dtype") or asked
    return settings.model_copy(update={"dtype": settle_dtype(asked, settings.model, full=full, say=say)})
