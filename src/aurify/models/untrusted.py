"""A model's folder is somebody else's: nothing in it is run, unpickled, asked about or shown raw, and nothing made up.

Every loader of transformers and PEFT is called here and nowhere else.
"""

from __future__ import annotations

import json
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from aurify.errors import AurifyError
from aurify.parsing import parse_json
from aurify.text import first_line, printable

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_RUNS_CODE = ("megatron_config", "tokenizer_kwargs")
"""Entries of an adapter's configuration by which PEFT imports a module or loads another tokenizer."""
_UNUSED = "pooler"
"""Weights that an encoder need not come with: nothing here looks at a pooled state of its own."""
_NAMED = 3
_ONE_AT_A_TIME = threading.RLock()
"""Held while these libraries load: they change themselves meanwhile, which two threads at once would leave changed."""
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
"""What may be a name of the Hugging Face hub; any other name is a folder's."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Whatever reading somebody else's files raises, as one line that begins with ``what``.

    Raises:
        AurifyError: anything went wrong inside.
    """
    try:
        with quiet():
            yield
    except AurifyError:
        raise
    except Exception as error:  # damaged files make these libraries raise anything at all
        raise AurifyError(f"{what}: {first_line(error)}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what libraries in Rust raise
            raise
        raise AurifyError(f"{what}: {first_line(error)}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """No reports of the libraries, which show names from the files as they are, and no questions on the terminal.

    Of several threads one goes on, and the others wait.
    """
    from transformers import dynamic_module_utils
    from transformers.utils import logging

    with _ONE_AT_A_TIME:
        before, patience = logging.get_verbosity(), dynamic_module_utils.TIME_OUT_REMOTE_CODE
        logging.set_verbosity_error()
        dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0  # refuse where it would ask
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            logging.set_verbosity(before)
            dynamic_module_utils.TIME_OUT_REMOTE_CODE = patience


def pretrained(kind: Any, place: str, **more: Any) -> Any:
    """``kind.from_pretrained`` of one of transformers' Auto classes.

    Raises:
        ValueError: there is no such folder, or it holds code of its own that would be needed; others as they come.
    """
    config = Path(place) / "config.json"
    if config.is_file():
        _refuse_kernels(_json(config))
    if not Path(place).exists() and not _HUB_NAME.fullmatch(place):
        raise ValueError("there is no such folder")
    try:
        with quiet():
            return kind.from_pretrained(place, trust_remote_code=False, **more)
    except ValueError as error:
        if "custom code" not in str(error):
            raise
        raise ValueError(
            "it needs code of its own (auto_map in its configuration), and aurify runs none: take a model of a kind "
            "that transformers knows by itself"
        ) from None


def pretrained_weights(kind: Any, place: str, say: Callable[[str], None] = lambda text: None, **more: Any) -> Any:
    """A whole model from safetensors, every weight of it from the file.

    Args:
        say: is told of tensors in the file that belong to no weight.

    Raises:
        ValueError: only pickled weights are there, or some are missing, of another shape or not finite; other errors
            as they come.
    """
    _refuse_pickles(Path(place), "model.safetensors")
    more = {"use_safetensors": True, "output_loading_info": True, "ignore_mismatched_sizes": True, **more}
    model, found = pretrained(kind, place, **more)
    refuse_missing([name for name in found["missing_keys"] if _UNUSED not in name])
    if other := sorted(str(entry[0]) for entry in found["mismatched_keys"]):
        raise ValueError(f"the shapes of {named(other)} are not what its configuration says")
    if odd := [name for name, value in model.named_parameters() if not _finite(value)]:
        raise ValueError(f"values of {named(odd)} are not finite: its file is damaged, or its training diverged")
    if left := sorted(found["unexpected_keys"]):
        say(f"{place}: left out, since they belong to no weight of the model: {named(left)}")
    return model


def pretrained_adapter(model: Any, folder: str, *, trainable: bool = False) -> Any:
    """A PEFT adapter of a folder on its base, every weight of it from the file.

    Raises:
        ValueError: as ``pretrained_weights``, or its configuration asks for code to be run; others as they come.
    """
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    path = Path(folder)
    config = _json(path / "adapter_config.json")
    if asked := [name for name in _RUNS_CODE if config.get(name)]:
        raise ValueError(f"adapter_config.json: {asked[0]} would run code, and aurify runs none")
    _refuse_pickles(path, "adapter_model.safetensors")
    with quiet():
        adapted = PeftModel.from_pretrained(model, folder, is_trainable=trainable, use_safetensors=True)
    with safe_open(str(path / "adapter_model.safetensors"), "pt") as file:
        held = set(file.keys())
    own = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    refuse_missing(sorted(own.keys() - held))
    if odd := [name for name, value in own.items() if not _finite(value)]:
        raise ValueError(f"values of {named(odd)} are not finite: its file is damaged, or its training diverged")
    return adapted


def refuse_missing(names: Sequence[str]) -> None:
    """Raises ValueError where weights are missing, which the libraries would fill with random ones."""
    if names:
        raise ValueError(f"its file lacks {named(sorted(names))}; random weights would stand in for them")


def _finite(value: Any) -> bool:
    """Whether all of a tensor is; its sum, which one pass makes, tells unless it overflows."""
    return not value.is_floating_point() or bool(value.sum(dtype=torch.float32).isfinite()) or bool(
        value.isfinite().all()
    )  # fmt: skip


def named(names: Sequence[str]) -> str:
    """How many tensors, and the first by name."""
    shown = ", ".join(printable(name, 100) for name in names[:_NAMED])
    return f"{len(names)} tensor{'s' * (len(names) > 1)} ({shown}{', ...' if len(names) > _NAMED else ''})"


def _json(file: Path) -> Mapping[str, Any]:
    content = parse_json(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{file.name}: expected an object with names, not {type(content).__name__}")
    return content


def _refuse_kernels(config: Any) -> None:
    """An implementation of attention is a word; ``owner/name`` would be fetched from the hub and run."""
    if not isinstance(config, dict):
        return
    for name, value in config.items():
        if "implementation" in name and "/" in json.dumps(value):
            raise ValueError(f"config.json: {name} would fetch and run code, and aurify runs none")
        _refuse_kernels(value)


def _refuse_pickles(folder: Path, wanted: str) -> None:
    if not folder.is_dir() or (folder / wanted).is_file() or (folder / f"{wanted}.index.json").is_file():
        return
    if found := sorted(file.name for file in folder.iterdir() if file.suffix in PICKLES):
        raise ValueError(
            f"no {wanted}, and {printable(found[0], 100)} is not read: a pickle can run code; save the weights as "
            "safetensors"
        )
    raise ValueError(f"no {wanted} there")
