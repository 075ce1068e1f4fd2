"""The real MATH teacher data for bench/reproduce_tdg.py: a small Qwen2 whose weights start at random.

Its accuracy would be noise (about 0 before and after), so students are judged by how much likelier they find held-out
right rationales than wrong ones of the same question. The base first reads gold solutions for a few hundred steps,
so that it is a language model at all; adapters on weights that know nothing could only learn letter frequencies.
"""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import torch


def rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a gzipped JSONL file."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def subset(source: Path, target: Path, n: int, seed: int = 0) -> None:
    """Write ``n`` of the teacher's problems that have both right and wrong samples."""
    mixed = [row for row in rows(source) if len({bool(sample["correct"]) for sample in row["samples"]}) == 2]
    chosen = random.Random(seed).sample(mixed, min(n, len(mixed)))
    target.write_text("".join(json.dumps(row) + "\n" for row in chosen), encoding="utf-8")


def build_base(gold: Path, folder: Path, steps: int, batch: int = 8, width: int = 256) -> None:
    """A byte-pair tokenizer and a Qwen2 of 4 layers, trained on gold solutions for a while."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    texts = [f"Question: {row['problem']}\nAnswer: Let's think step by step.\n{row['solution']}" for row in rows(gold)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<eos>"]
    tokenizer.train_from_iterator(
        texts[:2000], trainers.BpeTrainer(vocab_size=2048, special_tokens=special, initial_alphabet=alphabet)
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(fast), hidden_size=width, intermediate_size=3 * width, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    rng = random.Random(0)
    for step in range(steps):
        ids = [[*fast(text)["input_ids"][:511], 1] for text in rng.sample(texts, batch)]
        longest = max(map(len, ids))
        padded = torch.tensor([[*row, *[0] * (longest - len(row))] for row in ids])
        labels = torch.tensor([[*row, *[-100] * (longest - len(row))] for row in ids])
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, (step + 1) / 50, (steps - step) / (0.3 * steps))
        model(padded, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
