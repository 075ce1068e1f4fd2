"""The tuning kinds: which parameters of a model are trained, and the optimiser settings that suit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from aurify.errors import AurifyError, UsageError
from aurify.models.quantized import stored_as

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TuningKind = Literal["full", "lora", "prompt"]

SOFT_PROMPT_LIMIT = 2**20
"""Tokens of a soft prompt for a model that names no limit."""
FULL_TUNING_LIMIT = 50_000_000
"""Models with fewer parameters than this are tuned in full unless the user says otherwise."""

_FUSED_OUTPUT = ("mamba", "mamba2", "falcon_mamba", "falcon_h1", "nemotron_h")
"""Kinds of models whose fused kernels read an output layer's weights by themselves, past an adapter."""


class Tuned(NamedTuple):
    """The model to train, which kind it is, and a learning rate that suits both."""

    model: PreTrainedModel
    kind: TuningKind
    learning_rate: float


def never_adapted(model: PreTrainedModel, targets: Any) -> list[str] | None:
    """Layers that get no adapter: those that text does not run, and of all linear ones those that PEFT refuses."""
    from aurify.models.beside_text import layers_beside_text

    refused = targets == "all-linear" and getattr(model.config, "model_type", "") in _FUSED_OUTPUT
    return [*layers_beside_text(model), *(["out_proj"] if refused else [])] or None


def prepare(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    kind: TuningKind | None = None,
    lora_rank: int = 16,
    lora_alpha: int = 32,
    lora_targets: Sequence[str] = (),
    prompt_text: str = "",
    prompt_tokens: int = 20,
    seed: int = 0,
) -> Tuned:
    """Make the parameters of one tuning kind trainable, and all others not.

    What is trained is float32, whatever the dtype of the model: an optimiser's steps are smaller than those of
    bfloat16, so most of them would be lost.

    Args:
        kind: None chooses: the kind of a loaded adapter, else full for small models and LoRA for others.
        lora_targets: names of the linear layers; all of them when empty.
        prompt_text: text whose embeddings a soft prompt starts from (the TRICE paper's setting); without it
            ``prompt_tokens`` embeddings are drawn from the vocabulary.
        seed: of the random initial values.

    Raises:
        UsageError: the model is a NAT model or an adapter of another kind, its weights cannot be trained in the form
            that they have, or a soft prompt of no tokens.
    """
    import torch

    from aurify.models.beside_text import parts_beside_text
    from aurify.models.lighter import lighten
    from aurify.models.lora import adapting
    from aurify.models.prefix import is_adapted

    if is_adapted(model):
        return _prepare_adapted(model, kind)
    quantized = stored_as(model)
    small = model.num_parameters() < FULL_TUNING_LIMIT and not quantized
    chosen: TuningKind = kind or ("full" if small else "lora")
    if chosen == "full" and quantized:
        raise UsageError(
            f"--tuning full: the weights of --model are stored quantised ({quantized}): take --tuning lora, or the "
            "model that it was made from"
        )
    if chosen == "lora":
        from peft import LoraConfig, get_peft_model

        targets: Any = list(lora_targets) or "all-linear"
        config: Any = LoraConfig(
            task_type="CAUSAL_LM", r=lora_rank, lora_alpha=lora_alpha, lora_dropout=0.0, target_modules=targets,
            exclude_modules=never_adapted(model, targets),
        )  # fmt: skip
        with adapting(seed):
            model = get_peft_model(model, config)
    elif chosen == "prompt":
        from peft import PromptTuningConfig, get_peft_model

        initial_PD = _initial_prompt(model, tokenizer, prompt_text, prompt_tokens, seed)
        config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=len(initial_PD))
        with adapting(seed, "--tuning prompt"):
            model = get_peft_model(model, config)
        with torch.no_grad():
            model.prompt_encoder["default"].embedding.weight.copy_(initial_PD)
    else:
        model.float().requires_grad_(True)
        for _, part in parts_beside_text(model):
            part.requires_grad_(False)
    lighten(model)
    return Tuned(model, chosen, default_learning_rate(chosen, model))


def _prepare_adapted(model: Any, kind: TuningKind | None) -> Tuned:
    """An adapter that was loaded goes on as the kind that it is."""
    from peft import PeftType

    from aurify.models.lighter import lighten
    from aurify.models.nat.model import dual_layers

    if dual_layers(model):
        raise UsageError(
            "--model: a NAT model cannot be trained on, since its parts were trained in turn; make a plain LoRA of it "
            "with aurify distill nce and train that, or measure it with aurify evaluate"
        )
    loaded: TuningKind = "prompt" if model.active_peft_config.peft_type == PeftType.PROMPT_TUNING else "lora"
    if kind not in (None, loaded):
        raise UsageError(f"--tuning {kind}: the model is a {loaded} adapter already; merge it first, or leave --tuning")
    lighten(model)
    return Tuned(model, loaded, default_learning_rate(loaded, model))


def default_learning_rate(kind: TuningKind, model: PreTrainedModel) -> float:
    """The peak rate where none is given: the TRICE paper's 1.0 for soft prompts; ours for LoRA and full weights.

    LoRA on hidden states of width H: 3e-4 sqrt(2000 / H), so 4.5e-4 at half a billion parameters and 2.1e-4 at 8
    billion. Full weights of N parameters: 5e-4, and beyond a million 5e-4 sqrt(1e6 / N), so 2e-5 at half a billion.

    Source: docs/decisions.md, "a rate of LoRA by the model's width".
    """
    if kind == "prompt":
        return 1.0
    if kind == "lora":
        width = getattr(model.config.get_text_config(), "hidden_size", None) or 2000
        return float(3e-4 * (2000 / width) ** 0.5)
    return float(5e-4 * min(1.0, (1e6 / model.num_parameters()) ** 0.5))


def trainable_parameters(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The parameters that are trained, by name, each once; in pieces where the model is sharded."""
    from aurify.models.sharding import named_pieces

    return {name: parameter for name, parameter in named_pieces(model) if parameter.requires_grad}


def _initial_prompt(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str, tokens: int, seed: int
) -> torch.Tensor:
    import torch

    embedding_VD: torch.Tensor = model.get_input_embeddings().weight.detach()
    limit = getattr(model.config, "max_position_embeddings", None)
    if not text and tokens >= (limit or SOFT_PROMPT_LIMIT):
        raise _too_long(tokens, limit or SOFT_PROMPT_LIMIT)
    if text:
        ids = torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"], dtype=torch.long)
    else:
        ids = torch.randint(len(embedding_VD), (tokens,), generator=torch.Generator().manual_seed(seed))
    if len(ids) == 0:
        raise UsageError("a soft prompt needs at least one token: give --soft-prompt-init a text or a number")
    if limit is not None and len(ids) >= limit:
        raise _too_long(len(ids), limit)
    return embedding_VD[ids.to(embedding_VD.device)].clone()


def _too_long(tokens: int, limit: int) -> AurifyError:
    return AurifyError(
        f"the soft prompt has {tokens} tokens and the model holds {limit}: give a shorter --soft-prompt-init"
    )
