"""Load a causal language model and its tokenizer: a folder, a hub name, a GGUF file, an adapter, or the nugget."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aurify.errors import AurifyError, UsageError
from aurify.models.beside_text import by_either_class, said_of_parts
from aurify.models.eos import named_eos
from aurify.models.gguf import gguf_source, load_gguf
from aurify.models.heap import keep_blocks_apart
from aurify.models.hub import hub_parts
from aurify.models.positions import positions_in
from aurify.models.quantized import Quantize, check_trainable, keep_differentiable, quantization
from aurify.models.untrusted import pretrained, pretrained_adapter, pretrained_weights, reading
from aurify.parsing import parse_json
from aurify.questions.chat import know_eos
from aurify.questions.fingerprint import of_files
from aurify.text import first_line

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


_NAT = "nat.json"
"""The file by which a folder that ``aurify distill nat`` wrote is known."""
_DTYPES = ("float32", "bfloat16", "float16")
_NUGGET = "/aurify/nugget/model"
"""How the embedded model's folder ends, in any installation."""


class LoadedModel(NamedTuple):
    """A model in evaluation mode, and its tokenizer, which has a pad token."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def resolve_name(name: str) -> str:
    """The folder or hub name that a ``--model`` word stands for; ``nugget`` is the embedded model.

    An adapter of the nugget names it by the place of the installation that trained it, which may be gone: it is then
    this installation's own. An adapter or a NAT model of the hub stands for its files on this machine.

    Raises:
        AurifyError: these cannot be had.
    """
    gone = name.replace("\\", "/").endswith(_NUGGET) and not Path(name).exists()
    if name == "nugget" or gone:
        from aurify import nugget

        return str(nugget.path())
    return hub_parts(name) or name


def absolute(name: str) -> str:
    """A folder's or a file's name from the root on, so that it is found from anywhere; any other word as it is."""
    return str(Path(name).resolve()) if name != "nugget" and Path(name).exists() else name


def load_model(
    name: str | os.PathLike[str],
    *,
    dtype: str | torch.dtype = "float32",
    device: str | torch.device = "cpu",
    trainable: bool = False,
    quantize: Quantize | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> LoadedModel:
    """Load what ``name`` stands for. Weights are read from safetensors or GGUF only: no pickle is ever loaded.

    Args:
        name: a Hugging Face folder or hub name, a GGUF file (``FILE.gguf``, or ``hub/name:file.gguf``), a folder with
            a PEFT adapter or a NAT model (its base is loaded too), or "nugget".
        dtype: "float32", "bfloat16" or "float16", or torch's own.
        device: where the weights go.
        trainable: whether a loaded adapter is to be trained further.
        quantize: "4bit" quantises the base's linear layers as it is loaded.
        say: is told what a user should know of it.

    Raises:
        UsageError: another dtype, or no device of this machine.
        AurifyError: there is no such model, or its files cannot be read.
    """
    from transformers.utils.logging import disable_progress_bar

    from aurify.models.vocabulary import limit_ids

    disable_progress_bar()
    name, dtype = os.fspath(name), str(dtype).removeprefix("torch.")
    if dtype not in _DTYPES:
        raise UsageError(f"dtype {dtype}: known: {', '.join(_DTYPES)}")
    path = absolute(resolve_name(name))  # which an adapter records as its base
    if (Path(path) / _NAT).is_file():
        if quantize:
            raise UsageError(f"--quantize {quantize}: not for a model that aurify distill nat made")
        return _load_nat(name, path, dtype, device, say)
    adapter = _adapter_config(path)
    base = absolute(resolve_name(adapter["base_model_name_or_path"])) if adapter else path
    folder = Path(path).exists() and not adapter and gguf_source(path) is None
    if folder and not (Path(path) / "config.json").is_file():
        raise AurifyError(f"--model {name}: neither config.json nor adapter_config.json there: not a model folder")
    its = f"its base {base} " if adapter else ""
    with reading(f"--model {name}: {its}cannot be loaded"):
        tokenizer = _tokenizer(path, base)
        model = _base_model(base, dtype, say, quantize)
    if trainable:
        check_trainable(model, base)
    if adapter:
        with reading(f"--model {name}: cannot be loaded"):
            model = pretrained_adapter(model, path, trainable=trainable)
    if tokenizer.eos_token_id is None:
        raise AurifyError(f"--model {name}: its tokenizer has no EOS token, so no rationale could ever end")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    know_eos(tokenizer, named_eos([getattr(model, "generation_config", None), model.config, tokenizer]))
    limit_ids(model, tokenizer)
    model = _moved(model, device).eval()
    if trainable:
        keep_blocks_apart(model)
    return LoadedModel(model, tokenizer)


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of what ``name`` stands for; no weights are loaded.

    Raises:
        AurifyError: it cannot be loaded.
    """
    with reading(f"--model {name}: its tokenizer cannot be loaded"):
        tokenizer = _tokenizer(resolve_name(name), base_name(name))
    if tokenizer.chat_template:
        know_eos(tokenizer, eos_of(name, tokenizer))
    return tokenizer


def model_hashes(name: str) -> dict[str, str]:
    """The hashes of a model's files, and of its base's, as a run records them (``questions.fingerprint``)."""
    return of_files([resolve_name(name), base_name(name)])


def positions_of(name: str) -> int | None:
    """The most tokens that the model takes, prompt and completion, where its configuration can be read and says it."""
    from transformers import AutoConfig

    with suppress(AurifyError), reading(name):
        base = base_name(name)
        if gguf_source(base) is None:  # of such a file it is not read without the weights
            return positions_in(pretrained(AutoConfig, base))
    return None


def base_name(name: str) -> str:
    """The folder, hub name or GGUF file with the whole weights under what ``name`` stands for.

    Raises:
        AurifyError: the description of an adapter or a NAT model cannot be read.
    """
    path = resolve_name(name)
    if (Path(path) / _NAT).is_file():
        from aurify.models.nat.storage import read_config

        return resolve_name(read_config(path)[0])
    adapter = _adapter_config(path)
    return resolve_name(adapter["base_model_name_or_path"]) if adapter else path


def eos_of(name: str, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The EOS ids that the configurations of what ``name`` stands for name, and the tokenizer's."""
    from transformers import AutoConfig, GenerationConfig

    base, holders = base_name(name), [tokenizer]
    if gguf_source(base) is None:  # such a file says it to its tokenizer
        with suppress(AurifyError), reading(name):
            holders.append(pretrained(AutoConfig, base))
        with suppress(AurifyError), reading(name):
            holders.append(GenerationConfig.from_pretrained(base))
    return named_eos(holders)


def _tokenizer(path: str, base: str) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    source = None if _has_tokenizer(path) else gguf_source(base)
    if source is not None:
        tokenizer = pretrained(AutoTokenizer, source.pop("pretrained_model_name_or_path"), **source)
    else:
        tokenizer = pretrained(AutoTokenizer, path if _has_tokenizer(path) else base)
    # Who asks for more than the model's positions is told so by us.
    tokenizer.deprecation_warnings["sequence-length-is-longer-than-the-specified-maximum"] = True
    return tokenizer


def _base_model(base: str, dtype: str, say: Callable[[str], None], quantize: Quantize | None) -> PreTrainedModel:
    import torch
    from transformers import AutoConfig

    if gguf_source(base) is not None:
        if quantize:
            raise UsageError(f"--quantize {quantize}: a GGUF file's weights are unpacked; name the original model")
        return load_gguf(base, dtype, say)
    kind = getattr(torch, dtype)
    more = quantization(quantize, kind) if quantize else {}
    model: PreTrainedModel = by_either_class(lambda auto: pretrained_weights(auto, base, say, dtype=kind, **more))
    keep_differentiable(model)
    if quantize and model.device.type == "cpu":
        say("4 bits on a CPU are slower than bfloat16 and save no memory: they are for GPUs")
    if line := said_of_parts(model, pretrained(AutoConfig, base)):
        say(line)
    return model


def _load_nat(name: str, path: str, dtype: str, device: str | torch.device, say: Callable[[str], None]) -> LoadedModel:
    """A model with two adapters and an integration unit (``distillation/``), in mode "both"."""
    from transformers import AutoTokenizer

    from aurify.models.nat.storage import load_nat, read_config

    base, config = read_config(path)
    loaded = load_model(base, dtype=dtype, say=say)
    model = load_nat(loaded.model, path, config)
    tokenizer = loaded.tokenizer
    if _has_tokenizer(path):
        with reading(f"--model {name}: cannot be loaded"):
            tokenizer = pretrained(AutoTokenizer, path)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return LoadedModel(_moved(model, device).eval(), tokenizer)


def _moved(model: Any, device: str | torch.device) -> Any:
    try:
        return model.to(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch's, of a device that is not there
        if "out of memory" in str(error):
            raise
        raise UsageError(f"device {device}: {first_line(error)}") from error


def _adapter_config(path: str) -> dict[str, Any] | None:
    file = Path(path) / "adapter_config.json"
    if not file.is_file():
        return None
    try:
        config: dict[str, Any] = parse_json(file.read_text(encoding="utf-8"))
        base = config["base_model_name_or_path"]
        if not isinstance(base, str | None):
            raise ValueError(f"base_model_name_or_path is {type(base).__name__}")
        return config if base else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AurifyError(f"{file}: not a PEFT adapter configuration: {first_line(error)}") from error


def _has_tokenizer(path: str) -> bool:
    folder = Path(path)
    if gguf_source(path) is not None:
        return False
    return not folder.is_dir() or any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json"))
