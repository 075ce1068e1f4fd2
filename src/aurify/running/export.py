"""The finished model: a folder that transformers or PEFT loads, with a card that says how it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aurify import __version__
from aurify.files import atomic_folder
from aurify.running.folder import RunSettings
from aurify.statistics import Accuracy

if TYPE_CHECKING:
    from aurify.models.prompting import PromptForm


class Accuracies(NamedTuple):
    """Greedy accuracy on held-out questions before and after a run; None where nothing was held out."""

    before: Accuracy | None
    after: Accuracy | None


def accuracies(lines: Iterable[Mapping[str, Any]]) -> Accuracies:
    """Those of the first and the last evaluation in the lines of a metrics.jsonl."""
    found = list(accuracy_by_step(lines).values())
    return Accuracies(found[0], found[-1]) if found else Accuracies(None, None)


def accuracy_by_step(lines: Iterable[Mapping[str, Any]]) -> dict[int, Accuracy]:
    """That of every evaluation in the lines of a metrics.jsonl, in their order."""
    measured = {line["step"]: line["held_out"] for line in lines if "held_out" in line}
    return {step: Accuracy(one["right"], one["n"], one["low"], one["high"]) for step, one in measured.items()}


def export(folder: Path, save: Callable[[Path], None], tokenizer: Any, form: PromptForm, card: str) -> None:
    """Write a model's folder; ``save`` writes the model itself, ``form`` is how it was asked."""
    from aurify.models.lora import order_adapters  # a report reads accuracies, and torch takes seconds

    with atomic_folder(folder) as partial:
        save(partial)
        order_adapters(partial)
        tokenizer.save_pretrained(partial)
        form.save(partial)
        (partial / "README.md").write_text(card, encoding="utf-8")


def model_card(
    settings: RunSettings,
    command: str,
    *,
    library: str,
    base: str,
    made: str,
    measured: Accuracies,
    base_line: str = "",
) -> str:
    """The text of the card.

    Args:
        base: the name of the model that was tuned.
        made: from what, as sentences that follow "Made by aurify".
        base_line: a line more for the head of the card.
    """
    told = "Nothing was held out to measure it on."
    if measured.before is not None and measured.after is not None:
        told = f"Greedy accuracy on held-out questions:\n\n- before: {measured.before}\n- after: {measured.after}"
    return f"""---
library_name: {library}
{base_line}tags: [reasoning, chain-of-thought, aurify, {settings.method}]
---

# {Path(base).name}, tuned by {settings.method}

Made by aurify {__version__} {made}

{told}

## How it was made

```toml
{settings.to_toml().strip()}
```

Save these lines as `config.toml` and run `aurify {command} --config config.toml` to make it again.
"""
