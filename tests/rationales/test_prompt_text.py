from __future__ import annotations

import pytest

from aurify.rationales.prompt_text import question_within

ASKED = "What is 2 + 2?\nSay it."


@pytest.mark.parametrize(
    "prompt",
    [
        ASKED,
        f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{ASKED}<|im_end|>\n<|im_start|>assistant\n",
        f"<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\n4<|im_end|>\n<|im_start|>user\n{ASKED}<|im_end|>\n",
        f"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{ASKED}<|eot_id|><|start_header_id|>assistant"
        "<|end_header_id|>\n\n",
        f"<bos><start_of_turn>user\n{ASKED}<end_of_turn>\n<start_of_turn>model\n",
        f"<s>[INST] {ASKED} [/INST]",
        f"<｜begin▁of▁sentence｜><｜User｜>{ASKED}<｜Assistant｜><think>\n",
        f"<|user|>\n{ASKED}<|end|>\n<|assistant|>\n",
        f"system\nYou are Qwen.\nuser\n{ASKED}\nassistant\n",
        f"system\nYou are Qwen.\nuser\n{ASKED}\nassistant\n<think>\n",
        f"Question: An example?\nAnswer: 4\n\nQuestion: {ASKED}\nAnswer: Let's think step by step.\n",
        f"Q: {ASKED}\nA:",
    ],
)
def test_the_question_within(prompt: str) -> None:
    assert question_within(prompt) == ASKED


@pytest.mark.parametrize("prompt", ["The user said:\nuser\nmanual", "Question: is this one?", "What does [INST] mean?"])
def test_texts_that_only_look_like_prompts(prompt: str) -> None:
    assert question_within(prompt) == prompt


def test_hostile_prompts_take_linear_time() -> None:
    for text in ("<|im_start|>user\n" * 20_000, "[INST]" * 50_000, "user\n" * 50_000 + "assistant\n", "Q: \n" * 50_000):
        question_within(text)
