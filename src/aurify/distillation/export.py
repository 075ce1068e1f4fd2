"""The finished student: a NAT folder, or a plain LoRA that PEFT alone loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aurify.distillation.base import Prepared, student_adapter
from aurify.distillation.settings import DistillSettings
from aurify.models.nat.storage import save_adapter, save_nat
from aurify.models.prompting import PromptForm
from aurify.running.export import Accuracies, export, model_card


def export_student(
    prepared: Prepared, tokenizer: Any, folder: Path, settings: DistillSettings, form: PromptForm, measured: Accuracies
) -> None:
    """Write the folder, in the place of one that stood there."""

    def save(partial: Path) -> None:
        if prepared.nat is not None:
            save_nat(prepared.model, partial, prepared.nat, base=prepared.base)
        else:
            save_adapter(prepared.model, partial, student_adapter(settings))

    use = (
        "Load it with `aurify.load(FOLDER)`; `neg/` and `pos/` are LoRA adapters that PEFT loads by themselves."
        if prepared.nat is not None
        else "A plain LoRA adapter: PEFT loads it, and it can be merged into its base."
    )
    card = model_card(
        settings, "distill", library="peft", base=prepared.base, measured=measured,
        made=f"from right and wrong rationales (`{settings.from_}`) on the questions of `{settings.data}`.\n{use}",
        base_line=f"base_model: {prepared.base}\n",
    )  # fmt: skip
    export(folder, save, tokenizer, form, card)
