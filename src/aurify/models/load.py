"""Load a causal language model and its tokenizer: a folder, a hub name, an adapter, or the nugget."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aurify.errors import AurifyError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


_NAT = "nat.json"
"""The file by which a folder that ``aurify distill nat`` wrote is known."""
_NUGGET = "/aurify/nugget/model"
"""How the embedded model's folder ends, in any installation."""


class LoadedModel(NamedTuple):
    """A model in evaluation mode, and its tokenizer, which has a pad token."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def resolve_name(name: str) -> str:
    """The folder or hub name that a ``--model`` word stands for; ``nugget`` is the embedded model.

    An adapter of the nugget names it by the place of the installation that trained it, which may be gone: it is then
    this installation's own.
    """
    gone = name.replace("\\", "/").endswith(_NUGGET) and not Path(name).exists()
    if name == "nugget" or gone:
        from aurify import nugget

        return str(nugget.path())
    return name


def load_model(
    name: str, *, dtype: str = "float32", device: str | torch.device = "cpu", trainable: bool = False
) -> LoadedModel:
    """Load what ``name`` stands for. Weights are read from safetensors only: no pickle is ever loaded.

    Args:
        name: a Hugging Face folder or hub name, a folder with a PEFT adapter or a NAT model (its base is loaded too),
            or "nugget".
        dtype: "float32", "bfloat16" or "float16".
        device: where the weights go.
        trainable: whether a loaded adapter is to be trained further.

    Raises:
        AurifyError: there is no such model, or its files cannot be read.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    from aurify.models.vocabulary import limit_ids

    disable_progress_bar()
    path = resolve_name(name)
    if (Path(path) / _NAT).is_file():
        return _load_nat(name, path, dtype, device)
    adapter = _adapter_config(path)
    base = resolve_name(adapter["base_model_name_or_path"]) if adapter else path
    if Path(path).exists() and not adapter and not (Path(path) / "config.json").is_file():
        raise AurifyError(f"--model {name}: neither config.json nor adapter_config.json there: not a model folder")
    try:
        tokenizer = AutoTokenizer.from_pretrained(path if _has_tokenizer(path) else base)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, dtype), use_safetensors=True)
        if adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, path, is_trainable=trainable, use_safetensors=True)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise AurifyError(f"--model {name}: cannot be loaded: {_first_line(error)}") from error
    if tokenizer.eos_token_id is None:
        raise AurifyError(f"--model {name}: its tokenizer has no EOS token, so no rationale could ever end")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    limit_ids(model, tokenizer)
    return LoadedModel(model.to(device).eval(), tokenizer)


def _load_nat(name: str, path: str, dtype: str, device: str | torch.device) -> LoadedModel:
    """A model with two adapters and an integration unit (``distillation/``), in mode "both"."""
    from transformers import AutoTokenizer

    from aurify.models.nat.storage import load_nat, read_config

    base, config = read_config(path)
    loaded = load_model(base, dtype=dtype)
    model = load_nat(loaded.model, path, config)
    tokenizer = loaded.tokenizer
    if _has_tokenizer(path):
        try:
            tokenizer = AutoTokenizer.from_pretrained(path)
        except (OSError, ValueError, KeyError) as error:
            raise AurifyError(f"--model {name}: cannot be loaded: {_first_line(error)}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return LoadedModel(model.to(device).eval(), tokenizer)


def _adapter_config(path: str) -> dict[str, Any] | None:
    file = Path(path) / "adapter_config.json"
    if not file.is_file():
        return None
    try:
        config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return config if config["base_model_name_or_path"] else None
    except (ValueError, KeyError) as error:
        raise AurifyError(f"{file}: not a PEFT adapter configuration: {_first_line(error)}") from error


def _has_tokenizer(path: str) -> bool:
    folder = Path(path)
    return not folder.is_dir() or any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json"))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0]
