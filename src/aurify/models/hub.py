"""What a repository of the Hugging Face hub holds beside a whole model: an adapter, a NAT model, the form of a prompt.

A whole model is left to transformers, by its name. An adapter or a NAT model becomes a folder on this machine, in the
hub's own cache: what is checked before an adapter is loaded is checked in a folder.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from aurify.models.untrusted import quiet, reading

PARTS = ("adapter_config.json", "nat.json")
"""Files by which a repository is known whose weights belong onto those of another."""
_TAKEN = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
_LEFT = ("rationales/*", "run/*", "checkpoint*")
"""Of such a repository: what ``aurify export --push`` put beside the model, and what other trainers do."""


@lru_cache
def hub_file(name: str, file: str) -> Path | None:
    """A small file of the repository OWNER/NAME, on this machine.

    None where ``name`` is no such name, or stands for a folder here, and where the repository has no such file or
    cannot be read: whoever loads the model itself says why.
    """
    if name.count("/") != 1 or Path(name).exists() or name.lower().endswith(".gguf"):
        return None
    from transformers.utils import cached_file

    try:
        with quiet():
            found = cached_file(
                name, file, _raise_exceptions_for_gated_repo=False, _raise_exceptions_for_missing_entries=False,
                _raise_exceptions_for_connection_errors=False,
            )  # fmt: skip
    except Exception:  # of the hub's client, which has many; the model's own loader meets the same
        return None
    return None if found is None else Path(found)


@lru_cache
def hub_parts(name: str) -> str | None:
    """The folder on this machine with the adapter or the NAT model of the repository OWNER/NAME; None: it holds none.

    Raises:
        AurifyError: it does, and its files cannot be had.
    """
    if not any(hub_file(name, file) for file in PARTS):
        return None
    from huggingface_hub import snapshot_download

    with reading(f"--model {name}: its adapter cannot be had"):
        return str(snapshot_download(name, allow_patterns=list(_TAKEN), ignore_patterns=list(_LEFT)))
