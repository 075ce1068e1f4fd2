"""How a sampler is chosen: ``--sampler`` names a factory, whose fields are its settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from aurify.clock import Clock
from aurify.sampling.protocol import Sampler


@dataclass(frozen=True)
class Occasion:
    """For what a sampler is made."""

    model: str
    """The ``--model`` that is sampled, or from which what is trained was loaded."""
    dtype: str = "float32"
    """Of its weights."""
    trained_in: str | None = None
    """The ``--dtype`` of the run that trains it, whose log-probabilities its own may be compared with; None: none."""
    folder: Path | None = None
    """The run's, for what a sampler writes down of itself."""
    once: Callable[[Callable[[], Any]], Any] = lambda start: start()
    """Calls its argument in one process of a run, and gives its result to all."""
    clock: Clock = field(default_factory=Clock)
    """Is told the seconds and tokens of "prefill" and "decode"."""
    progress: Callable[[int, int], None] | None = None
    """Is called with (completions done, completions asked)."""
    say: Callable[[str], None] = lambda text: None
    """Is given lines for the user."""


class SamplerFactory(ABC):
    """Makes the sampler that ``--sampler`` names.

    A factory is a frozen dataclass. The first line of its docstring stands in the help; its fields made by
    ``aurify.registry.setting`` are flags of ``aurify train``, ``distill``, ``sample`` and ``evaluate``;
    ``__post_init__`` refuses, with a ``UsageError``, values that mean nothing for it.
    """

    exact: ClassVar[bool] = False
    """Whether its draws are exact samples of the model in hand, at temperature 1."""
    follows: ClassVar[tuple[str, ...]] = ("full", "lora", "prompt", "adapters")
    """What may be trained while it samples: kinds of ``--tuning``, and the switched adapters of ``distill``."""

    apart: ClassVar[bool] = False
    """Whether it draws outside this process, from weights that it was given, so that the model may work meanwhile."""

    @abstractmethod
    def of_model(self, model: Any, tokenizer: Any, occasion: Occasion) -> AbstractContextManager[Sampler]:
        """A sampler of a model in this process, as its weights are at each call; what it holds is freed at the end.

        One with a copy of the weights is besides ``Publishing``: it is told when they have changed.
        """

    @contextmanager
    def of_name(self, occasion: Occasion) -> Iterator[tuple[Sampler, Any]]:
        """A sampler of the ``--model`` as it stands, and its tokenizer; unless overridden, the model is loaded here.

        Raises:
            AurifyError: it cannot be loaded.
        """
        from aurify.models import load_model
        from aurify.models.device import best_device, device_line

        if line := device_line(device := best_device()):
            occasion.say(line)
        loaded = load_model(occasion.model, dtype=occasion.dtype, device=device, say=occasion.say)
        with self.of_model(loaded.model, loaded.tokenizer, occasion) as sampler:
            yield sampler, loaded.tokenizer

    def declaration(self, occasion: Occasion) -> str:
        """What a run says once of samples that are not exact ones of the model; else nothing."""
        return "" if self.exact else f"{type(self).__name__} does not declare its samples exact ones of the model"
