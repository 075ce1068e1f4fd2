"""What of a ``--model`` a server can serve: a folder or hub name with full weights, and a LoRA adapter on top."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from aurify.errors import AurifyError, UsageError
from aurify.models.eos import ending_ids, named_eos
from aurify.models.gguf import gguf_source
from aurify.models.load import absolute, resolve_name
from aurify.models.untrusted import pretrained, reading
from aurify.parsing import parse_json
from aurify.questions.chat import know_eos


class WeightsSource(NamedTuple):
    """Where a model's weights come from, and the LoRA adapter on top of them, if it is one, with its rank."""

    base: str
    adapter: str | None = None
    rank: int = 0


def read_source(name: str) -> WeightsSource:
    """What ``--model name`` stands for.

    Raises:
        UsageError: it is of a kind that vLLM does not serve.
        AurifyError: its adapter configuration cannot be read.
    """
    from aurify.models.nat.storage import is_nat

    path = absolute(resolve_name(name))
    _refuse_gguf(path, name)
    if is_nat(path):
        raise UsageError(
            f"--sampler vllm: --model {name} is a NAT model, whose unit vLLM does not know: leave it out, or serve the "
            "plain LoRA that aurify distill nce makes of it"
        )
    file = Path(path) / "adapter_config.json"
    if not file.is_file():
        return WeightsSource(path)
    try:
        config = parse_json(file.read_text(encoding="utf-8"))
        kind, base = str(config["peft_type"]), str(config["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError):
        raise AurifyError(f"{file}: not a PEFT adapter configuration") from None
    if kind != "LORA":
        raise UsageError(f"--sampler vllm: --model {name} is a {kind} adapter, and vLLM serves LoRA ones: leave it out")
    base = absolute(resolve_name(base))
    _refuse_gguf(base, name)
    return WeightsSource(base, path, largest_rank(config))


def _refuse_gguf(base: str, name: str) -> None:
    if gguf_source(base) is not None:
        raise UsageError(f"--sampler vllm: the weights of --model {name} are in a GGUF file, which vLLM is not given")


def largest_rank(config: dict[str, Any]) -> int:
    """The largest rank of a LoRA configuration's matrices."""
    return max([int(config.get("r", 0)), *map(int, (config.get("rank_pattern") or {}).values())])


def tokenizer_of(source: WeightsSource) -> tuple[Any, frozenset[int]]:
    """The tokenizer, and every id that ends a sample (see ``models.eos``); no weights are loaded.

    Raises AurifyError where they cannot be read.
    """
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    with reading(f"--model {source.adapter or source.base}: cannot be loaded"):
        tokenizer = pretrained(AutoTokenizer, _with_tokenizer(source))
        configs: list[Any] = [pretrained(AutoConfig, source.base)]
    with suppress(OSError):  # a model need not have one
        configs.append(GenerationConfig.from_pretrained(source.base))
    know_eos(tokenizer, named_eos([*configs, tokenizer]))
    return tokenizer, ending_ids(configs, tokenizer)


def _with_tokenizer(source: WeightsSource) -> str:
    names = ("tokenizer.json", "tokenizer_config.json")
    own = source.adapter and any((Path(source.adapter) / name).is_file() for name in names)
    return source.adapter if own and source.adapter else source.base
