"""A sharded model computes the gradient of a whole one, with any number of micro-batches in each process."""

from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from aurify.methods.terms import Term
from aurify.models.logprobs import token_logprobs
from aurify.models.sharding import in_pieces, join, named_pieces, own_piece, split, whole_tensor
from aurify.running.world import World
from aurify.training.m_step import accumulate_gradient, clip_gradient
from ranks import in_processes

TIED = sys.argv[2] == "tied"
PROMPTS = {"a": (3, 2, 5), "b": (4, 2)}
TERMS = [Term("a", (5, 6, 7), 0.5), Term("b", (2, 8), -1.25), Term("a", (9, 9, 4, 2, 2, 1), 2.0)]


def tiny():
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=11, hidden_size=12, intermediate_size=10, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=3, tie_word_embeddings=TIED, max_position_embeddings=32,
    )
    return LlamaForCausalLM(config).double().eval()


def gradient(model, terms):
    accumulate_gradient(model, terms, PROMPTS, pad_token_id=0, token_budget=6)


def work():
    whole, model, world = tiny(), tiny(), World()
    drawn = [(PROMPTS[term.question_id], term.token_ids) for term in TERMS]
    world.shard(model)
    pieces = dict(named_pieces(model))
    assert pieces.keys() == dict(whole.named_parameters()).keys()
    assert not in_pieces(model)
    for mine in (TERMS, [], TERMS[:1]):  # of the first process; the second has the rest
        for parameter in [*whole.parameters(), *pieces.values()]:
            parameter.grad = None
        gradient(whole, TERMS)
        split(model)
        with torch.no_grad():
            ours, theirs = (token_logprobs(one, drawn, pad_token_id=0) for one in (model, whole))
            torch.testing.assert_close(ours, theirs)
            token_logprobs(model, drawn if world.main else [], pad_token_id=0)
        gradient(model, mine if world.main else [term for term in TERMS if term not in mine])
        for name, parameter in whole.named_parameters():
            piece = pieces[name]
            assert own_piece(piece).numel() < parameter.numel(), name
            torch.testing.assert_close(whole_tensor(piece.grad), parameter.grad, rtol=1e-12, atol=1e-14, msg=name)
        norm, ours = clip_gradient(list(whole.parameters()), 0.1), clip_gradient(list(pieces.values()), 0.1)
        assert abs(norm - ours) < 1e-12 * norm
        with torch.no_grad():
            for name, parameter in whole.named_parameters():
                parameter -= 0.1 * parameter.grad
                pieces[name] -= 0.1 * pieces[name].grad
        join(model)
        assert model.lm_head.weight is model.model.embed_tokens.weight or not TIED
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter, whole.get_parameter(name), rtol=1e-12, atol=1e-14, msg=name)
        if world.main:  # whole, it computes by itself
            assert torch.equal(model(torch.tensor([[3, 2, 5]])).logits, model(torch.tensor([[3, 2, 5]])).logits)


sys.exit(not in_processes(2, work))
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("embeddings", ["tied", "untied"])
def test_the_gradient_is_that_of_the_whole_model(run_python, embeddings):
    done = run_python("-c", CODE, SUPPORT, embeddings, timeout=600)
    assert done.returncode == 0, done.stderr
