from __future__ import annotations

from dataclasses import replace

import pytest

from aurify.models import load_model
from aurify.questions import Prompts, PromptTemplate, Question

QUESTIONS = [Question(id=f"q{i}", text=f"What is {i}?", answer=str(i), answer_type="number") for i in range(4)]


class Counting:
    """A tokenizer that counts the texts it is given."""

    def __init__(self, tokenizer):
        self.tokenizer, self.texts = tokenizer, []

    def __call__(self, texts, **how):
        self.texts += texts
        return self.tokenizer(texts, **how)

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)


@pytest.fixture
def tokenizer(tiny_model_dir):
    return Counting(load_model(str(tiny_model_dir)).tokenizer)


def test_a_prompt_is_encoded_once_as_the_template_does_it(tokenizer):
    template = PromptTemplate.named("plain")
    prompts = Prompts(template, tokenizer)
    assert prompts(QUESTIONS[:3]) == template.encode_all(tokenizer.tokenizer, QUESTIONS[:3])
    assert prompts([QUESTIONS[2], QUESTIONS[0], QUESTIONS[2], QUESTIONS[3]])[3] == prompts([QUESTIONS[3]])[0]
    assert len(tokenizer.texts) == 4
    assert prompts([]) == []


def test_a_hinted_prompt_is_another_one_and_so_is_that_of_another_question_of_the_same_id(tokenizer):
    prompts = Prompts(PromptTemplate.named("plain"), tokenizer)
    other = replace(QUESTIONS[0], text="What else?")
    found = {*prompts(QUESTIONS[:1]), *prompts(QUESTIONS[:1], hinted=True), *prompts([other])}
    assert len(found) == 3
