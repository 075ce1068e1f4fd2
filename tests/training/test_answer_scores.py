"""The known answer after a rationale: where it is cut, what is put there, and what the model says of it."""

from __future__ import annotations

import math

import pytest
import torch

from aurify.answers import Verdict
from aurify.methods.answered import thought_ids
from aurify.models import load_model
from aurify.models.logprobs import sequence_logprobs
from aurify.models.token_budget import TokenBudget
from aurify.questions import Prompts, PromptTemplate, Question
from aurify.rationales import Rationale
from aurify.training.answer_scores import AnswerScorer

QUESTION = Question("q", "How many?", "7", "number")


@pytest.fixture(scope="module")
def loaded(tiny_model_dir):
    return load_model(str(tiny_model_dir))


def rationale(loaded, text: str, *, eos: bool = True) -> Rationale:
    ids = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    return Rationale(
        "q", (*ids, loaded.tokenizer.eos_token_id) if eos else tuple(ids), text, "6", Verdict.WRONG, "", "self", "m", 1,
        0, 0, "stop", -1.0,
    )  # fmt: skip


def scorer(loaded, token_budget: int = 4096) -> AnswerScorer:
    return AnswerScorer(
        loaded.model, Prompts(PromptTemplate.named("plain"), loaded.tokenizer), TokenBudget(token_budget)
    )


def test_the_known_answer_stands_where_the_model_first_announced_one(loaded):
    said = rationale(loaded, "3 and 4. So the answer is 6. So the answer is 8.")
    (found,) = scorer(loaded)([(QUESTION, said)])
    assert loaded.tokenizer.decode(thought_ids(found)) == "3 and 4. So the answer is"
    assert found.text == "3 and 4. So the answer is 7."
    assert loaded.tokenizer.decode(found.token_ids) == "3 and 4. So the answer is 7.<eos>"
    assert (found.verdict, found.predicted) == (Verdict.RIGHT, "7")
    (again,) = scorer(loaded)([(QUESTION, found)])
    assert again == found, "what is in the memory is cut at the same place"


def test_what_a_thought_announces_is_on_its_way(loaded):
    thought = "<think>\nhm. So the answer is 5? No.\n</think>\n\n3 and 4."
    said = rationale(loaded, f"{thought} So the answer is 6.")
    (found,) = scorer(loaded)([(QUESTION, said)])
    assert found.text == f"{thought} So the answer is 7."
    assert scorer(loaded)([(QUESTION, found)]) == [found]
    never_closed = rationale(loaded, "<think>\nhm. So the answer is 6.")
    assert scorer(loaded)([(QUESTION, never_closed)])[0].answer_logprob == -math.inf


def test_its_logprob_is_that_of_the_answer_tokens_alone(loaded):
    texts = ["So the answer is 6.", "A longer one, 3 and 4. So the answer is 6."]
    pairs = [(QUESTION, rationale(loaded, text)) for text in texts]
    prompt = PromptTemplate.named("plain").encode(loaded.tokenizer, QUESTION)
    for budget in (1, 4096):
        for found in scorer(loaded, budget)(pairs):
            with torch.no_grad():
                whole, before = sequence_logprobs(
                    loaded.model, [(prompt, found.token_ids), (prompt, thought_ids(found))], pad_token_id=0
                ).tolist()
            assert found.answer_logprob == pytest.approx(whole - before, abs=1e-4)


def test_a_text_that_comes_to_no_answer_has_likelihood_zero(loaded):
    cut = rationale(loaded, "3 and 4 and", eos=False)
    (found,) = scorer(loaded)([(QUESTION, cut)])
    assert found.answer_logprob == -math.inf
    assert thought_ids(found) == found.token_ids == cut.token_ids
    assert found.verdict is Verdict.WRONG
    assert scorer(loaded)([]) == []
