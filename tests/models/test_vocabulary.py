"""A vocabulary padded above the tokenizer's: those ids are in no distribution, when sampling and when scoring."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from aurify.errors import AurifyError
from aurify.models.logprobs import sequence_logprobs
from aurify.models.vocabulary import limit_ids, n_ids
from aurify.sampling import LocalSampler, Prompt

_spec = importlib.util.spec_from_file_location("tiny_models", Path(__file__).parents[1] / "sampling" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)


@pytest.mark.parametrize("kind", ["qwen2", "llama+lora", "gpt2", "gemma2"])
def test_sampled_and_scored_without_them(kind: str) -> None:
    """Fused and general, packed and padded, a plain head and one that caps its logits."""
    model, tokenizer = tiny.build_model(kind, vocab=40, sharpness=3.0), tiny.build_tokenizer(24)
    prompts = [Prompt((3, 4 + i), tuple(range(20 * i, 20 * i + 20))) for i in range(5)]

    def drawn() -> list[tuple[tuple[int, ...], tuple[int, ...], float]]:
        rows = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=12)
        return [(p.token_ids, c.token_ids, c.logprob) for p, row in zip(prompts, rows, strict=True) for c in row]

    assert n_ids(model) is None
    assert max(max(z) for _, z, _ in drawn()) >= 24, "without the limit they are drawn"
    limit_ids(model, tokenizer)
    assert n_ids(model) == n_ids(copy.deepcopy(model)) == 24
    samples = drawn()
    assert max(max(z) for _, z, _ in samples) < 24
    scored = sequence_logprobs(model, [(prompt, z) for prompt, z, _ in samples], pad_token_id=0)
    torch.testing.assert_close(scored, torch.tensor([said for *_, said in samples]), atol=1e-4, rtol=1e-4)
    ids = torch.tensor([[3, 4, 7]])
    exact = model(ids).logits[0, 1, :24].log_softmax(-1)[7]
    torch.testing.assert_close(
        sequence_logprobs(model, [((3, 4), (7,))], pad_token_id=0)[0], exact, atol=1e-5, rtol=1e-5
    )
    with pytest.raises(AurifyError, match="id 30"):
        sequence_logprobs(model, [((3, 4), (7, 30))], pad_token_id=0)


def test_a_vocabulary_that_fits_is_left_alone() -> None:
    model = tiny.build_model("llama")
    limit_ids(model, tiny.build_tokenizer())
    assert n_ids(model) is None
    assert "_aurify_n_ids" not in model.config.to_dict()


def test_a_loaded_model_knows_its_tokenizer(tmp_path: Path) -> None:
    from aurify.models import load_model

    model: Any = tiny.build_model("llama", vocab=32)
    model.save_pretrained(tmp_path)
    tiny.build_tokenizer(24).save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path)).model
    assert n_ids(loaded) == 24
    loaded.save_pretrained(tmp_path / "again")
    assert "aurify" not in (tmp_path / "again" / "config.json").read_text()
