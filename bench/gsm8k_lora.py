"""GSM8K through the same command, with LoRA on a real architecture of random weights: what does a step cost?

    .venv/bin/python bench/gsm8k_lora.py ../shared/data/gsm8k/train.jsonl [--steps 20] [--memory gold]

The model is a Qwen3 configuration of about 28 million parameters with random weights and a tokenizer trained on the
question file, so accuracy means nothing here: the numbers are memory and tokens a second. With --memory gold the
chains start on the file's own rationales, so every step updates the weights.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="GSM8K's train.jsonl")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--max-new-tokens", type=int, default=128)
    parser.add_argument("--memory", default="gold")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model, out = Path(folder) / "qwen", Path(folder) / "run"
        parameters = random_model(args.data, model)
        command = [
            sys.executable, "-m", "aurify", "train", "trice", "--model", str(model), "--tuning", "lora",
            "--data", str(args.data), "--out", str(out), "--steps", str(args.steps), "--questions", str(args.questions),
            "--max-new-tokens", str(args.max_new_tokens), "--memory", args.memory, "--eval-limit", "16",
        ]  # fmt: skip
        subprocess.run(command, check=True)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line for line in lines if "acceptance" in line]
    median = {key: statistics.median(line["timing"][key] for line in steps) for key in steps[0]["timing"]}
    print("| parameters | steps | updates | seconds a step | sampling | update | tokens/s | peak memory (MB) |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    print(
        f"| {parameters:,} | {len(steps)} | {sum(line['updated'] for line in steps)} | {median['seconds']:.2f} "
        f"| {median['sample_seconds']:.2f} | {median['update_seconds']:.2f} | {median['tokens_per_second']:.0f} "
        f"| {max(line['timing']['peak_memory_mb'] for line in steps):.0f} |"
    )


def random_model(data: Path, folder: Path) -> int:
    """Write a Qwen3 model of random weights and a tokenizer trained on the questions; returns its parameters."""
    import torch
    from tokenizers import ByteLevelBPETokenizer, Tokenizer
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        data.read_text(encoding="utf-8").splitlines(), vocab_size=8192, special_tokens=["<eos>", "<pad>"]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(bpe.to_str()), eos_token="<eos>", pad_token="<pad>"
    )
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=512, intermediate_size=1536, num_hidden_layers=8, num_attention_heads=8,
        num_key_value_heads=4, head_dim=64, max_position_embeddings=2048, tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return int(model.num_parameters())


if __name__ == "__main__":
    main()
