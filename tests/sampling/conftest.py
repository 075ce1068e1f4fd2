"""Tiny random models of several families, with adapters that act, and a tokenizer of one letter a token."""

from __future__ import annotations

from typing import Any

import pytest
import torch

V, EOS, PAD = 24, 1, 0
FAMILIES = ("llama", "qwen2", "qwen3", "gpt2", "gemma2", "llama+lora", "gpt2+lora", "llama+prompt", "gemma2+prompt")

torch.set_num_threads(1)


def build_model(kind: str, vocab: int = V, seed: int = 0, sharpness: float = 12.0) -> Any:
    """A model with 2 layers; its output weights are scaled so that its distributions are far from uniform."""
    import transformers as hf

    family, _, adapter = kind.partition("+")
    common: dict[str, Any] = {"vocab_size": vocab, "eos_token_id": EOS, "pad_token_id": PAD, "bos_token_id": None}
    blocks = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
    }
    torch.manual_seed(seed)
    if family == "llama":
        model = hf.LlamaForCausalLM(hf.LlamaConfig(**common, **blocks))
    elif family == "qwen2":
        model = hf.Qwen2ForCausalLM(hf.Qwen2Config(**common, **blocks, tie_word_embeddings=True))
    elif family == "qwen3":
        model = hf.Qwen3ForCausalLM(hf.Qwen3Config(**common, **blocks, head_dim=8, tie_word_embeddings=True))
    elif family == "gpt2":
        model = hf.GPT2LMHeadModel(hf.GPT2Config(**common, n_embd=32, n_layer=2, n_head=4, n_positions=128))
    elif family == "gemma2":
        config = hf.Gemma2Config(**common, **blocks, head_dim=8, sliding_window=5, final_logit_softcapping=6.0)
        model = hf.Gemma2ForCausalLM(config)
    else:
        raise ValueError(kind)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(sharpness)
    return with_adapter(model, adapter) if adapter else model.eval()


def with_adapter(model: Any, adapter: str) -> Any:
    """The model behind a LoRA adapter whose B is not zero, or a soft prompt of 3 positions."""
    import peft

    if adapter == "lora":
        config: Any = peft.LoraConfig(task_type="CAUSAL_LM", r=4, lora_dropout=0.5, target_modules="all-linear")
    else:
        config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    tuned = peft.get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name or "prompt_encoder" in name:
                parameter.normal_(std=0.3)
    return tuned.eval()


def build_tokenizer(vocab: int = V) -> Any:
    """Token 0 is <pad>, 1 is <eos>, the others are the letters a, b, c ..."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    words = {"<pad>": 0, "<eos>": 1, **{chr(ord("a") + i): i + 2 for i in range(vocab - 2)}}
    raw = Tokenizer(models.WordLevel(vocab=words, unk_token="<pad>"))
    raw.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<eos>", pad_token="<pad>")


@pytest.fixture
def tokenizer() -> Any:
    return build_tokenizer()


@pytest.fixture
def model_of() -> Any:
    """The builder of models: ``model_of("gpt2+lora")``."""
    return build_model


@pytest.fixture
def check_logprobs() -> Any:
    """Checks the log-probabilities of samples, and the scorer's, against the model's own forward of each third one."""

    def check(model: Any, drawn: list[tuple[tuple[int, ...], Any]]) -> None:
        from aurify.models.logprobs import sequence_logprobs

        with torch.no_grad():
            scored = sequence_logprobs(model, [(p, one.token_ids) for p, one in drawn], pad_token_id=0).tolist()
            for (prompt, one), score in zip(drawn[::3], scored[::3], strict=True):
                rows = model(torch.tensor([[*prompt, *one.token_ids]])).logits.log_softmax(-1)[0]
                alone = sum(float(rows[len(prompt) - 1 + i, token]) for i, token in enumerate(one.token_ids))
                assert one.logprob == pytest.approx(alone, abs=1e-3)
                assert score == pytest.approx(alone, abs=1e-3)

    return check
