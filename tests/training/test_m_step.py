"""The update is linear in its terms: cutting it into micro-batches never changes it."""

from __future__ import annotations

import pytest
import torch

from aurify.errors import AurifyError, UsageError
from aurify.methods import Term
from aurify.models import load_model
from aurify.training.m_step import MOST_IMPORTANCE, accumulate_gradient, ascend, build_optimizer, checkpoint_layers

PROMPTS = {"a": (5, 6, 7), "b": (8, 9), "c": (4, 4, 4, 4, 4)}
TERMS = [
    Term("a", (10, 11), 0.5), Term("a", (12, 13, 14), -0.25), Term("b", (15,), 0.5), Term("c", (10, 9, 8, 7, 6), 0.1),
]  # fmt: skip


def gradients(model, terms, token_budget):
    model.zero_grad(set_to_none=True)
    accumulate_gradient(model, terms, PROMPTS, pad_token_id=0, token_budget=token_budget)
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


@pytest.fixture
def model(tiny_model_dir):
    return load_model(str(tiny_model_dir)).model


@pytest.mark.parametrize("token_budget", [1, 12, 20, 10_000])
def test_micro_batches_do_not_change_the_gradient(model, token_budget):
    whole = gradients(model, TERMS, 10_000)
    parts = gradients(model, TERMS, token_budget)
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, atol=1e-6, rtol=1e-5)


def test_the_gradient_is_minus_the_weighted_sum_of_scores(model):
    """Against one plain forward pass a sequence, and autograd on it."""
    expected = {name: torch.zeros_like(parameter) for name, parameter in model.named_parameters()}
    for term in TERMS:
        for (name, _), gradient in zip(
            model.named_parameters(), torch.autograd.grad(score(model, term), list(model.parameters())), strict=True
        ):
            expected[name] -= term.weight * gradient
    for name, gradient in gradients(model, TERMS, 10_000).items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-5, rtol=1e-4)


def score(model, term):
    ids = torch.tensor([[*PROMPTS[term.question_id], *term.token_ids]])
    start = len(PROMPTS[term.question_id])
    return model(ids).logits.log_softmax(-1)[0, start - 1 : -1].gather(1, ids[0, start:, None]).sum()


def test_a_step_ascends_the_objective(model):
    def objective():
        return sum(term.weight * score(model, term).item() for term in TERMS)

    before = objective()
    parameters = list(model.parameters())
    optimizer = build_optimizer(parameters, "full", rate=1e-3, weight_decay=0.0)
    accumulate_gradient(model, TERMS, PROMPTS, pad_token_id=0, token_budget=100)
    norm = ascend(optimizer, parameters, rate=1e-3, clip=1.0)
    assert norm > 0
    assert objective() > before
    assert all(parameter.grad is None for parameter in parameters)


def test_a_diverged_model_is_an_error_that_names_the_questions(model):
    with torch.no_grad():
        model.get_input_embeddings().weight[15] = float("nan")
    with pytest.raises(AurifyError, match="not finite for b"):
        accumulate_gradient(model, [*TERMS, Term("b", (15, 16), 1.0)], PROMPTS, pad_token_id=0, token_budget=1)


def test_a_term_of_no_weight_is_not_run(model):
    """It would diverge, were it."""
    with torch.no_grad():
        model.get_input_embeddings().weight[17] = float("nan")
    accumulate_gradient(model, [*TERMS, Term("b", (17, 16), 0.0)], PROMPTS, pad_token_id=0, token_budget=100)
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_term_without_tokens_is_an_error_that_names_the_question(model):
    with pytest.raises(AurifyError, match="no tokens: c"):
        accumulate_gradient(model, [*TERMS, Term("c", (), 1.0)], PROMPTS, pad_token_id=0, token_budget=100)


def test_soft_prompts_take_adam_and_the_rest_adamw(model):
    parameters = list(model.parameters())
    assert type(build_optimizer(parameters, "prompt", rate=1.0, weight_decay=0.0)) is torch.optim.Adam
    assert type(build_optimizer(parameters, "lora", rate=1.0, weight_decay=0.0)) is torch.optim.AdamW


def test_checkpointed_layers_give_the_same_gradient_and_no_dropout(model):
    plain = gradients(model, TERMS, 100)
    model.config.attention_dropout = 0.5
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.5
    calls = []
    for layer in model.model.layers:
        layer.mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    checkpoint_layers(model)
    again = gradients(model, TERMS, 100)
    assert len(calls) == 2 * len(model.model.layers)  # forward, and once more in the backward pass
    assert not any(module.training for layer in model.model.layers for module in layer.children())
    for name, gradient in plain.items():
        torch.testing.assert_close(again[name], gradient)


def test_layers_that_cannot_be_checkpointed_are_an_error():
    with pytest.raises(UsageError, match="--gradient-checkpointing: Linear"):
        checkpoint_layers(torch.nn.Linear(1, 1))


def test_mixed_precision_is_near_and_leaves_float32_gradients(model):
    plain = gradients(model, TERMS, 100)
    model.zero_grad(set_to_none=True)
    accumulate_gradient(model, TERMS, PROMPTS, pad_token_id=0, token_budget=100, bf16=True)
    mixed = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert {gradient.dtype for gradient in mixed.values()} == {torch.float32}
    flat, near = (torch.cat([g[name].flatten() for name in plain]) for g in (plain, mixed))
    assert 0.999 < float(torch.cosine_similarity(flat, near, dim=0)) < 1 - 1e-9


@pytest.mark.parametrize("family", ["OPT", "BioGpt", "XGLM"])
def test_layers_with_a_dropout_of_their_own_have_none_when_checkpointed(family):
    """Their layers drop out by their own mode, not by a module's."""
    import transformers as hf

    from aurify.models.logprobs import sequence_logprobs

    blocks = {"vocab_size": 24, "max_position_embeddings": 64, "dropout": 0.5, "attention_dropout": 0.5}
    named = {
        "OPT": {"hidden_size": 16, "ffn_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
                "word_embed_proj_dim": 16},
        "BioGpt": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
                   "hidden_dropout_prob": 0.5, "attention_probs_dropout_prob": 0.5},
        "XGLM": {"d_model": 16, "ffn_dim": 32, "num_layers": 2, "attention_heads": 2},
    }[family]  # fmt: skip
    torch.manual_seed(0)
    config = getattr(hf, f"{family}Config")(**blocks, **named)
    model = getattr(hf, f"{family}ForCausalLM")(config).eval()
    sequences = [((3, 4, 5), (6, 7, 8)), ((9, 10), (11,))]

    def value_and_gradient():
        model.zero_grad(set_to_none=True)
        value = sequence_logprobs(model, sequences, pad_token_id=0).sum()
        value.backward()
        return value.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    plain, plain_gradient = value_and_gradient()
    checkpoint_layers(model)
    for _ in range(2):
        value, gradient = value_and_gradient()
        torch.testing.assert_close(value, plain)
        torch.testing.assert_close(gradient, plain_gradient, atol=1e-5, rtol=1e-4)


def test_draws_of_other_weights_count_with_the_ratio_of_both_which_makes_their_expectation_right(model):
    """Over all rationales of one token: sum_z q(z) min(C, p(z) / q(z)) s(z) = sum_z p(z) s(z) = 0 where C is large."""
    with torch.no_grad():
        p = model(torch.tensor([PROMPTS["b"]])).logits[0, -1].double().log_softmax(-1)
    q = (p + 0.15 * torch.randn(len(p), generator=torch.Generator().manual_seed(0))).log_softmax(-1)
    known = range(model.config.vocab_size)
    as_drawn = [Term("b", (z,), float(q[z].exp())) for z in known]
    corrected = [Term("b", (z,), float(q[z].exp()), float(q[z])) for z in known]
    size = [sum(float(g.norm()) ** 2 for g in gradients(model, terms, 10_000).values()) ** 0.5
            for terms in (as_drawn, corrected)]  # fmt: skip
    assert size[1] < 1e-3 * size[0]
    ratios = accumulate_gradient(model, corrected, PROMPTS, pad_token_id=0, token_budget=100)
    assert sorted(ratios) == pytest.approx(sorted((p - q).exp().tolist()), rel=1e-3)


def test_the_ratio_is_truncated_and_terms_without_one_are_as_they_were(model):
    score_of = gradients(model, [Term("a", (10, 11), 1.0)], 100)
    far = gradients(model, [Term("a", (10, 11), 1.0, -1000.0)], 100)
    for name, gradient in score_of.items():
        torch.testing.assert_close(far[name], MOST_IMPORTANCE * gradient)
    assert accumulate_gradient(model, TERMS, PROMPTS, pad_token_id=0, token_budget=100) == []
