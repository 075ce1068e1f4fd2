"""What every command with ``--sampler`` says of it, checks and does."""

from __future__ import annotations

from typing import Protocol

from aurify.errors import UsageError
from aurify.sampling import SAMPLERS, Occasion, SamplerFactory

SAMPLER_HELP = "Who draws: local (this process), vllm (a server), or module:Class of your own."

_NAMES = {"full": "full weights", "lora": "LoRA adapters", "prompt": "soft prompts", "adapters": "switched adapters"}


class NamesSampler(Protocol):
    """Settings that say who samples."""

    @property
    def sampler(self) -> str: ...


def build_sampler(settings: NamesSampler) -> SamplerFactory:
    """The factory that the settings name.

    Raises:
        UsageError: it refuses its settings.
    """
    return SAMPLERS.build(settings.sampler, settings)


def declared_sampler(settings: NamesSampler, occasion: Occasion) -> SamplerFactory:
    """``build_sampler``; what it declares of its samples is said."""
    factory = build_sampler(settings)
    if told := factory.declaration(occasion):
        occasion.say(told)
    return factory


def check_sampler(settings: NamesSampler, trained: str | None = None) -> None:
    """Refuse a sampler that refuses its settings, or that cannot follow what is ``trained`` (a kind of tuning).

    Raises:
        ValueError: so it is; one line says why.
    """
    try:
        factory = build_sampler(settings)
    except UsageError as error:
        raise ValueError(str(error)) from None
    if trained and trained not in factory.follows:
        known = " and ".join(_NAMES[kind] for kind in factory.follows)
        raise ValueError(
            f"--sampler {settings.sampler}: it can follow {known} while they are trained, and not {_NAMES[trained]}: "
            "take --sampler local"
        )
