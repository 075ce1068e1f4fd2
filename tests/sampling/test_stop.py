from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from hypothesis import given
from hypothesis import strategies as st

from aurify.models import load_model
from aurify.models.eos import eos_ids
from aurify.nugget import generate
from aurify.questions import PromptTemplate
from aurify.questions.special import text_of
from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.stop import first_stop, tokens_to_stop
from aurify.sampling.vllm.source import read_source, tokenizer_of


class Letters:
    """A tokenizer of the same interface: token n is the n-th word, some of several letters, some of none."""

    words = ("", "a", "b", "ab", "bba", "c")

    all_special_tokens: ClassVar = ()
    all_special_ids: ClassVar = ()

    def __len__(self) -> int:
        return 27

    def decode(self, token_ids: list[int], **_: Any) -> str:
        return "".join(self.words[i] for i in token_ids)


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_the_fewest_tokens_that_hold_a_stop_string(tokens: list[int], stop: list[str]) -> None:
    prefixes = [text_of(Letters(), tokens[:n]) for n in range(len(tokens) + 1)]
    holding = [n for n, text in enumerate(prefixes) if any(word in text for word in stop)]
    assert tokens_to_stop(Letters(), tokens, stop) == (holding[0] if holding else None)


def test_the_earliest_stop_string_counts() -> None:
    assert first_stop("one two", ["two", "e"]) == 2
    assert first_stop("one two", ["three"]) is None
    assert first_stop("one", []) is None


def test_a_sample_ends_where_the_chat_template_ends_a_turn_though_the_model_names_another_eos(tmp_path: Path) -> None:
    """As in Qwen2.5's base models: EOS is the end of a document, and the template ends turns with ``<|im_end|>``."""
    model, tokenizer = load_model("nugget")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    with torch.no_grad():
        rows = model.get_output_embeddings().weight
        rows[end] = rows[tokenizer.eos_token_id] * 1.3
    assert eos_ids(model, tokenizer) == {tokenizer.eos_token_id}
    tokenizer.chat_template = (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    assert eos_ids(model, tokenizer) == {tokenizer.eos_token_id, end}
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert tokenizer_of(read_source(str(tmp_path)))[1] == {tokenizer.eos_token_id, end}  # what vLLM is told
    template = PromptTemplate.named("chat", tokenizer)
    prompts = [
        Prompt(template.encode(tokenizer, question), (3,)) for question in generate("object_counting", 6, seed=1)
    ]
    drawn = [one for (one,) in LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=128)]
    assert end in {one.token_ids[-1] for one in drawn}
    assert all(one.token_ids.count(end) <= 1 for one in drawn)
    assert sum(one.finish_reason == "stop" for one in drawn) >= 5
