"""The finished model: a NAT folder, or a plain LoRA that PEFT alone loads, with a card that says how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aurify import __version__
from aurify.distillation.base import Prepared
from aurify.distillation.settings import DistillSettings
from aurify.files import atomic_folder
from aurify.models.lora import STUDENT
from aurify.models.nat.storage import save_adapter, save_nat
from aurify.statistics import Accuracy


def export_student(
    prepared: Prepared,
    tokenizer: Any,
    folder: Path,
    settings: DistillSettings,
    *,
    before: Accuracy | None,
    after: Accuracy | None,
) -> None:
    """Write the folder anew."""
    with atomic_folder(folder) as partial:
        if prepared.nat is not None:
            save_nat(prepared.model, partial, prepared.nat, base=prepared.base)
        else:
            save_adapter(prepared.model, partial, "student" if settings.samples_first else STUDENT)
        tokenizer.save_pretrained(partial)
        (partial / "README.md").write_text(_card(settings, prepared, before, after), encoding="utf-8")


def _card(
    settings: DistillSettings, prepared: Prepared, before: Accuracy | None, after: Accuracy | None
) -> str:  # fmt: skip
    name = Path(prepared.base).name
    measured = "Nothing was held out to measure it on."
    if before is not None and after is not None:
        measured = f"Greedy accuracy on held-out questions:\n\n- before: {before}\n- after: {after}"
    use = (
        "Load it with `aurify.load(FOLDER)`; `neg/` and `pos/` are LoRA adapters that PEFT loads by themselves."
        if prepared.nat is not None
        else "A plain LoRA adapter: PEFT loads it, and it can be merged into its base."
    )
    return f"""---
library_name: peft
base_model: {prepared.base}
tags: [reasoning, chain-of-thought, aurify, {settings.method}]
---

# {name}, tuned by {settings.method}

Made by aurify {__version__} from right and wrong rationales (`{settings.from_}`) on the questions of `{settings.data}`.
{use}

{measured}

## How it was made

```toml
{settings.to_toml().strip()}
```

Save these lines as `config.toml` and run `aurify distill --config config.toml` to make it again.
"""
