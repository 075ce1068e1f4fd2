"""Tiny random models of many families: by whom they are sampled and scored, and how far from transformers that is.

    python bench/architectures.py                          # all, some minutes
    python bench/architectures.py --families qwen2,mamba   # some
    python bench/architectures.py --device cuda            # sampled and scored there; the measure is the CPU's

Every family is built with two layers (or as many as show all its kinds of layers), sharp random weights and biases, and
asked in float32 and bfloat16. Its own forward pass, one sequence at a time, is the measure: a token's log-probability
there, against what the sampler said of it and against what the scorer says. Errors are in nats a token.

bfloat16 is measured against itself: transformers' forward in bfloat16 is as far from float32 as the last column says.
Results: bench/results/architectures.md.
"""

from __future__ import annotations

import argparse
import copy
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
import transformers as hf
from torch import Tensor

from aurify.models.logprobs import takes_packs, token_logprobs
from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.fused import weights_of
from aurify.sampling.general import GeneralEngine
from aurify.sampling.local import engine_of
from aurify.sampling.rerun import RerunEngine
from aurify.sampling.states import StatesEngine

VOCABULARY, EOS = 48, 1
SPREAD = 2.0
"""Standard deviation of the logits: the likeliest of the tokens has a probability of about a third."""
IDS = {"vocab_size": VOCABULARY, "eos_token_id": EOS, "pad_token_id": 0, "bos_token_id": None}
BLOCKS = {
    **IDS, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "tie_word_embeddings": False,
}  # fmt: skip
LATENT = {
    "num_key_value_heads": 4, "kv_lora_rank": 16, "q_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 16,
    "v_head_dim": 16, "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
    "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1,
}  # fmt: skip
SLIDING = {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
MAMBA = {
    "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_chunk_size": 8,
}  # fmt: skip
LINEAR = {
    "linear_num_key_heads": 2, "linear_num_value_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"],
}  # fmt: skip

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {}),
    "mistral": ("Mistral", {"sliding_window": 8}),
    "ministral": ("Ministral", {"head_dim": 8, **SLIDING}),
    "mixtral": ("Mixtral", {"num_local_experts": 4, "sliding_window": None}),
    "qwen2": ("Qwen2", {}),
    "qwen3": ("Qwen3", {"head_dim": 8}),
    "qwen3 moe": ("Qwen3Moe", {"head_dim": 8, **EXPERTS}),
    "gemma": ("Gemma", {"head_dim": 8}),
    "gemma2": ("Gemma2", {"head_dim": 8, "sliding_window": 8, "final_logit_softcapping": 6.0}),
    "gemma3": ("Gemma3", {"head_dim": 8, **SLIDING, "config": "Gemma3TextConfig"}),
    "phi": ("Phi", {}),
    "phi3": ("Phi3", {"sliding_window": None}),
    "olmo2": ("Olmo2", {}),
    "olmo3": ("Olmo3", {**SLIDING}),
    "granite": ("Granite", {"logits_scaling": 2.0, "residual_multiplier": 0.5}),
    "granite moe hybrid": ("GraniteMoeHybrid", {**MAMBA, "layer_types": ["mamba", "attention"], "num_local_experts": 4,
                                                "shared_intermediate_size": 32}),
    "smollm3": ("SmolLM3", {"no_rope_layers": [1, 0]}),
    "starcoder2": ("Starcoder2", {}),
    "stablelm": ("StableLm", {}),
    "cohere": ("Cohere", {}),
    "glm4": ("Glm4", {"head_dim": 8}),
    "exaone4": ("Exaone4", {**SLIDING}),
    "gpt-oss": ("GptOss", {"head_dim": 8, "num_local_experts": 4, **SLIDING}),
    "deepseek v2": ("DeepseekV2", {**LATENT}),
    "deepseek v3": ("DeepseekV3", {**LATENT}),
    "minicpm3": ("MiniCPM3", {key: LATENT[key] for key in ("num_key_value_heads", "kv_lora_rank", "q_lora_rank",
                                                           "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")}),
    "gpt2": ("GPT2", {"class": "GPT2LMHeadModel"}),
    "gpt neo-x": ("GPTNeoX", {}),
    "opt": ("OPT", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    "bloom": ("Bloom", {"n_head": 4, "n_layer": 2}),
    "falcon": ("Falcon", {}),
    "falcon-h1": ("FalconH1", {**MAMBA, "mamba_d_ssm": 64}),
    "bamba": ("Bamba", {**MAMBA, "attn_layer_indices": [1]}),
    "jamba": ("Jamba", {"num_experts": 2, "attn_layer_period": 2, "attn_layer_offset": 1, "use_mamba_kernels": False}),
    "mamba": ("Mamba", {"state_size": 4}),
    "mamba2": ("Mamba2", {"num_heads": 4, "head_dim": 16, "state_size": 8, "n_groups": 1, "chunk_size": 8}),
    "lfm2": ("Lfm2", {"layer_types": ["conv", "full_attention"]}),
    "qwen3-next": ("Qwen3Next", {"head_dim": 8, **EXPERTS, **LINEAR, "shared_expert_intermediate_size": 32}),
    "qwen3.5": ("Qwen3_5", {"head_dim": 8, **LINEAR, "config": "Qwen3_5TextConfig"}),
    "recurrent gemma": ("RecurrentGemma", {"num_hidden_layers": 3, "attention_window_size": 64, "lru_width": 32}),
    "rwkv": ("Rwkv", {"attention_hidden_size": 32, "context_length": 128}),
}  # fmt: skip


ENGINES: dict[type, str] = {GeneralEngine: "general", StatesEngine: "states", RerunEngine: "no cache"}


@dataclass(frozen=True)
class Row:
    """A family in one dtype. Errors are the largest of all tokens, in nats; ``own`` is transformers' from float32."""

    family: str
    dtype: str
    sampled_by: str
    scored_by: str
    sampler: float
    scorer: float
    own: float


class Letters:
    """A tokenizer of as many ids as the model has."""

    eos_token_id = EOS
    all_special_tokens: ClassVar[list[str]] = []
    all_special_ids: ClassVar[list[int]] = []

    def __len__(self) -> int:
        return 0

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return " ".join(map(str, ids))


def build(name: str) -> Any:
    """A model of the family; its distributions are neither uniform nor certain, and no bias is 0."""
    prefix, own = FAMILIES[name]
    own = dict(own)
    config_name, class_name = own.pop("config", f"{prefix}Config"), own.pop("class", f"{prefix}ForCausalLM")
    torch.manual_seed(0)
    model = getattr(hf, class_name)(getattr(hf, config_name)(**{**BLOCKS, **own})).eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith("bias"):
                parameter.add_(torch.randn_like(parameter) * 0.1)
        ids = torch.tensor([[3 + i % 40 for i in range(24)]])
        model.get_output_embeddings().weight.mul_(SPREAD / float(model(input_ids=ids).logits.std(-1).mean()))
    return model


def prompts() -> list[Prompt]:
    """Six, which begin alike, of 18 to 28 tokens, two samples each."""
    draw = random.Random(0)
    same = tuple(draw.randrange(2, VOCABULARY) for _ in range(16))
    tails = [tuple(draw.randrange(2, VOCABULARY) for _ in range(2 * i)) for i in range(1, 7)]
    return [Prompt(same + tail, (i, 100 + i)) for i, tail in enumerate(tails)]


@torch.no_grad()
def alone(model: Any, sequences: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> Tensor:
    """Every completion token's log-probability by transformers' forward, one sequence at a time."""
    found = []
    for prompt, completion in sequences:
        ids = torch.tensor([[*prompt, *completion]])
        rows = model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1].float().log_softmax(-1)
        found.append(rows.gather(1, torch.tensor(completion)[:, None])[:, 0])
    return torch.cat(found)


def measure(name: str, device: str = "cpu") -> Iterator[Row]:
    """The family in both dtypes, sampled and scored on a device."""
    for dtype in (torch.float32, torch.bfloat16):
        host = build(name).to(dtype)
        model = copy.deepcopy(host).to(device)
        asked = prompts()
        drawn = LocalSampler(model, Letters()).sample(asked, max_new_tokens=16)
        pairs = [(prompt, one) for prompt, row in zip(asked, drawn, strict=True) for one in row]
        sequences = [(prompt.token_ids, one.token_ids) for prompt, one in pairs]
        said = torch.tensor([logprob for _, one in pairs for logprob in one.token_logprobs])
        with torch.no_grad():
            scored = torch.cat(token_logprobs(model, sequences, pad_token_id=0)).float().cpu()
        own = alone(host, sequences)
        exact = alone(copy.deepcopy(host).float(), sequences)
        how = "fused" if weights_of(model) else ENGINES[engine_of(model)]
        yield Row(
            name, str(dtype).removeprefix("torch."), how, "packs" if takes_packs(model, sequences) else "padding",
            _largest(said, own), _largest(scored, own), _largest(own, exact),
        )  # fmt: skip


def _largest(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def table(rows: Sequence[Row], failed: dict[str, str]) -> str:
    """The results as a page."""
    lines = [
        "# Architectures", "",
        f"Tiny random models, transformers {hf.__version__}, torch {torch.__version__}. Largest error of a token's",
        "log-probability in nats: of the sampler and of the scorer from transformers' own forward of that sequence",
        "alone in the same dtype, and of that forward itself from float32 with the same weights.", "",
        "    python bench/architectures.py", "",
        "| family | dtype | sampled by | scored by | sampler | scorer | transformers from float32 |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]  # fmt: skip
    for row in rows:
        errors = " | ".join(f"{error:.1e}" for error in (row.sampler, row.scorer, row.own))
        lines.append(f"| {row.family} | {row.dtype} | {row.sampled_by} | {row.scored_by} | {errors} |")
    if failed:
        lines += ["", "Not measured here:", ""]
        lines += [f"- {name}: {reason}" for name, reason in failed.items()]
    return "\n".join(lines) + "\n"


def main(words: Sequence[str] | None = None, say: Callable[[str], None] = print) -> list[Row]:
    """Measure, say each row, and write the page where all families were asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", default=",".join(FAMILIES), help="names, with commas between")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "architectures.md")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows: list[Row] = []
    failed: dict[str, str] = {}
    for name in options.families.split(","):
        try:
            for row in measure(name, options.device):
                rows.append(row)
                say(f"{row.family:20} {row.dtype:9} {row.sampled_by:9} {row.scored_by:8} "
                    f"{row.sampler:.1e} {row.scorer:.1e} {row.own:.1e}")  # fmt: skip
        except Exception as error:  # of a family, which is told and does not end the others
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:110]
            say(f"{name:20} {failed[name]}")
    if options.families == ",".join(FAMILIES) and options.device == "cpu":
        options.out.write_text(table(rows, failed), encoding="utf-8")
    return rows


if __name__ == "__main__":
    main()
