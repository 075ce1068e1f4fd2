"""An adapter that was trained here, merged by the page's own script, is a GGUF file by llama.cpp's own converter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import aurify
from aurify.models import load_model
from aurify.nugget import generate

ROOT = Path(__file__).parents[2]
CONVERTER = ROOT / ".llama.cpp" / "convert_hf_to_gguf.py"
KNOWN = ROOT / "models" / "smollm2-135m-instruct"
"""A model whose tokenizer the converter knows; it refuses those that it has never seen."""


@pytest.mark.skipif(not CONVERTER.is_file(), reason="no llama.cpp converter here: make llama-cpp")
@pytest.mark.skipif(not KNOWN.is_dir(), reason=f"no {KNOWN.name} in models/")
def test_a_merged_adapter_becomes_a_gguf_file_with_the_same_logits(tmp_path: Path) -> None:
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    base, merged, file = tmp_path / "base", tmp_path / "merged", tmp_path / "mine.gguf"
    tokenizer = AutoTokenizer.from_pretrained(KNOWN)
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=64, intermediate_size=96, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True,
        )
    ).save_pretrained(base)  # fmt: skip
    tokenizer.save_pretrained(base)
    aurify.train(
        "direct", model=str(base), data=generate("object_counting", 4, seed=1), out=tmp_path / "run", tuning="lora",
        lora_rank=4, steps=2, questions=4, lr=0.05,
    )  # fmt: skip

    page = (ROOT / "docs" / "guides" / "serve.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n# merge\.py\n(.*?)```", page, re.DOTALL)
    (tmp_path / "merge.py").write_text(script, encoding="utf-8")
    _run(str(tmp_path / "merge.py"), str(tmp_path / "run" / "model"), str(merged))
    _run(str(CONVERTER), str(merged), "--outfile", str(file), "--outtype", "f32")

    adapted, converted, plain = (load_model(str(of)) for of in (tmp_path / "run" / "model", file, base))
    ids = adapted.tokenizer("The answer is 12.", return_tensors="pt").input_ids
    assert torch.equal(ids, converted.tokenizer("The answer is 12.", return_tensors="pt").input_ids)
    with torch.no_grad():
        wanted, found, before = (one.model(ids).logits for one in (adapted, converted, plain))
    assert (wanted - before).abs().max() > 0.01, "the adapter says something"
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


def _run(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, timeout=600,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
