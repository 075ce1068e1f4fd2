"""The finished model: a Hugging Face or PEFT folder with a card that says how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aurify import __version__
from aurify.files import atomic_folder
from aurify.statistics import Accuracy
from aurify.training.settings import TrainSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def export_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    settings: TrainSettings,
    *,
    before: Accuracy | None,
    after: Accuracy | None,
) -> None:
    """Write the folder anew; it loads with ``from_pretrained``, or with PEFT where an adapter was trained."""
    with atomic_folder(folder) as partial:
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        (partial / "README.md").write_text(_card(settings, before, after), encoding="utf-8")


def _card(settings: TrainSettings, before: Accuracy | None, after: Accuracy | None) -> str:
    measured = "Nothing was held out to measure it on."
    if before is not None and after is not None:
        measured = f"Greedy accuracy on held-out questions:\n\n- before: {before}\n- after: {after}"
    return f"""---
library_name: transformers
tags: [reasoning, chain-of-thought, aurify, {settings.method}]
---

# {Path(settings.model).name}, tuned by {settings.method}

Made by aurify {__version__} from `{settings.model}`, on the questions of `{settings.data}`, with no rationales given.

{measured}

## How it was made

```toml
{settings.to_toml().strip()}
```

Save these lines as `config.toml` and run `aurify train --config config.toml` to make it again.
"""
