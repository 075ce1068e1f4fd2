"""The model that a student's adapters go onto, and the teacher that may be it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from aurify.distillation.settings import DistillSettings
from aurify.errors import UsageError
from aurify.files import atomic_folder
from aurify.models import LoadedModel, load_model
from aurify.models.load import absolute, resolve_name
from aurify.models.lora import ADAPTER, add_lora, equal_ranks
from aurify.models.nat.model import BASE, NatConfig, add_nat
from aurify.models.nat.storage import is_nat, read_config
from aurify.models.nat.unit import BOTH
from aurify.models.quantized import check_trainable


class Prepared(NamedTuple):
    """A PEFT model with the adapters that a method trains."""

    model: Any
    base: str
    """The name by which the finished adapters know their base model."""
    nat: NatConfig | None
    """The form of the NAT model that is trained; None where a plain LoRA is."""
    start_mode: str
    """The adapters of the model that was given."""


def check_model(settings: DistillSettings) -> None:
    """Do nothing where the method can begin from the model that ``--model`` names.

    Raises:
        UsageError: nce without a NAT model, or a NAT model as a student's base.
    """
    nat = is_nat(resolve_name(settings.model))
    if settings.method == "nce" and not nat:
        raise UsageError(f"--model {settings.model}: nce learns from a NAT model: make one with aurify distill nat")
    if nat and not settings.samples_first:
        raise UsageError(
            f"--model {settings.model}: a NAT model is no base for {settings.method}: give the model that it was "
            "made from, or distil it with nce"
        )


def load_given(
    settings: DistillSettings, device: Any, folder: Path, say: Callable[[str], None]
) -> tuple[LoadedModel, str]:
    """The model that ``--model`` names, and its base's name.

    The adapter of a student that is one already is merged into its base, which is written to ``folder``.

    Raises:
        UsageError: a soft prompt, or weights that no gradient passes.
        AurifyError: it cannot be loaded.
    """
    name = absolute(settings.model)
    nat = is_nat(resolve_name(name))
    loaded = load_model(name, dtype=settings.dtype, device=device, say=say)
    check_trainable(loaded.model, settings.model)
    if nat:
        return loaded, read_config(resolve_name(name))[0]
    config = getattr(loaded.model, "active_peft_config", None)
    if config is None:
        return loaded, resolve_name(name)
    if config.is_prompt_learning:
        raise UsageError(f"--model {settings.model}: a soft prompt, onto which no adapter can be put: train with lora")
    if settings.samples_first:
        return loaded, str(config.base_model_name_or_path)
    if not (folder / "config.json").is_file():
        with atomic_folder(folder) as partial:
            loaded.model.merge_and_unload().save_pretrained(partial)
            loaded.tokenizer.save_pretrained(partial)
    base = absolute(str(folder))
    return load_model(base, dtype=settings.dtype, device=device), base


def student_adapter(settings: DistillSettings) -> str:
    """The name of the plain LoRA that is trained; beside it the model that samples first may have one of its own."""
    return "student" if settings.samples_first else ADAPTER


def prepare_student(loaded: LoadedModel, base: str, settings: DistillSettings) -> Prepared:
    """Put the adapters of the method onto the model."""
    plain: dict[str, Any] = {
        "rank": settings.lora_rank, "alpha": settings.lora_alpha, "targets": settings.lora_targets,
        "seed": settings.seed,
    }  # fmt: skip
    if settings.samples_first:
        kind = getattr(loaded.model, "active_peft_config", None)
        start = BASE if kind is None else BOTH if is_nat(resolve_name(absolute(settings.model))) else ADAPTER
        return Prepared(add_lora(loaded.model, adapter=student_adapter(settings), **plain), base, None, start)
    if settings.method == "nat" and settings.variant not in ("wide-lora", "sequential"):
        config = NatConfig(
            settings.lora_rank, settings.lora_alpha, tuple(settings.lora_targets), settings.unit_width,
            {"linear-value": "linear", "fixed": "fixed"}.get(settings.variant, "bottleneck"),
            settings.variant != "no-offset",
        )  # fmt: skip
        return Prepared(add_nat(loaded.model, config, seed=settings.seed), base, config, BASE)
    if settings.variant == "wide-lora":
        plain["ranks"] = equal_ranks(
            loaded.model, settings.lora_targets, rank=settings.lora_rank, width=settings.unit_width
        )
    return Prepared(add_lora(loaded.model, **plain), base, None, BASE)
