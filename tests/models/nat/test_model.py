from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import GPT2Config, GPT2LMHeadModel

import aurify
from aurify.errors import AurifyError, UsageError
from aurify.models import load_model, trainable_parameters
from aurify.models.logprobs import token_logprobs
from aurify.models.lora import add_lora, equal_ranks, lora_config
from aurify.models.nat import NatConfig, add_nat, negative_weights, save_nat, set_mode
from aurify.models.nat.model import (
    NEGATIVE_STAGE,
    POSITIVE_STAGE,
    adapters,
    begin_units,
    dual_layers,
    mode_of,
    shuffle_negatives,
    train_only,
)
from aurify.sampling import LocalSampler, Prompt


def logits(model, ids):
    with torch.no_grad():
        return model(ids).logits


def begin_stage_2(model):
    set_mode(model, "both")
    begin_units(model)
    train_only(model, POSITIVE_STAGE)


def test_queries_and_values_get_it_grouped_query_attention_included(nat):
    layers = dual_layers(nat)
    assert [name.rpartition(".")[2] for name in layers] == ["q_proj", "v_proj"] * 2
    assert {(layer.in_features, layer.out_features) for layer in layers.values()} == {(32, 32), (32, 16)}


def test_modes(nat, tiny_model_dir, ids):
    plain = logits(load_model(str(tiny_model_dir)).model, ids)
    found = {}
    for mode in ("both", "neg", "pos", "base"):
        set_mode(nat, mode)
        found[mode] = logits(nat, ids)
    assert torch.equal(found["base"], plain)
    assert len({float(value.sum()) for value in found.values()}) == 4


def test_adapters_act_inside_the_block_and_what_is_trained_stays(nat, ids):
    train_only(nat, NEGATIVE_STAGE)
    trained = set(trainable_parameters(nat))
    plain = {}
    for mode in ("both", "neg", "pos", "base"):
        set_mode(nat, mode)
        plain[mode] = logits(nat, ids)
    set_mode(nat, "pos")
    for mode in ("both", "neg", "pos", "base"):
        with adapters(nat, mode):
            assert mode_of(nat) == mode
            assert torch.equal(logits(nat, ids), plain[mode])
            with adapters(nat, "base"):
                assert torch.equal(logits(nat, ids), plain["base"])
            assert mode_of(nat) == mode
        assert mode_of(nat) == "pos"
        assert torch.equal(logits(nat, ids), plain["pos"])
    with pytest.raises(ZeroDivisionError), adapters(nat, "both"):
        raise ZeroDivisionError
    assert mode_of(nat) == "pos"
    assert set(trainable_parameters(nat)) == trained


def test_stage_2_begins_from_the_base_model_and_trains_all_but_the_negative_adapter(nat, tiny_model_dir, ids):
    begin_stage_2(nat)
    torch.testing.assert_close(logits(nat, ids), logits(load_model(str(tiny_model_dir)).model, ids))
    trained = trainable_parameters(nat)
    rank, width, model, out = 2, 5, 32, (32, 16)
    assert sum(p.numel() for p in trained.values()) == 2 * sum(
        rank * (model + o) + width * (model + 3 * o) for o in out
    )
    assert all(".pos." in name or ".unit." in name for name in trained)
    train_only(nat, NEGATIVE_STAGE)
    assert all(".neg." in name for name in trainable_parameters(nat))


def test_stage_2_leaves_the_negative_adapter_bit_by_bit(nat, ids):
    begin_stage_2(nat)
    before = {name: value.detach().clone() for name, value in nat.named_parameters()}
    optimizer = torch.optim.AdamW(trainable_parameters(nat).values(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        nat(ids, labels=ids).loss.backward()
        optimizer.step()
    changed = {name for name, value in nat.named_parameters() if not torch.equal(value, before[name])}
    assert changed == set(trainable_parameters(nat)), "the positive adapter and the unit, and nothing else"


def test_a_shuffled_negative_adapter_is_as_large_and_nothing_else_changes(nat, draw_adapters):
    draw_adapters(nat)
    before = {name: value.clone() for name, value in nat.state_dict().items()}
    shuffle_negatives(nat, seed=5)
    changed = {name for name, value in nat.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if "lora_B.neg" in name}
    for name in changed:
        now = nat.state_dict()[name]
        torch.testing.assert_close(now.flatten().sort().values, before[name].flatten().sort().values, rtol=0, atol=0)


def test_gradients_of_a_whole_model_are_those_of_finite_differences(base, ids, draw_adapters):
    model = add_nat(base.model, NatConfig(rank=1, width=2)).double()
    draw_adapters(model)
    set_mode(model, "both")
    values = [
        value.requires_grad_()
        for name, value in model.named_parameters()
        if "layers.0.self_attn.v_proj" in name and ("lora_" in name or ".unit." in name)
    ]

    def loss():
        return model(ids).logits.square().mean()

    gradients = torch.autograd.grad(loss(), values)
    with torch.no_grad():
        for value, gradient in zip(values, gradients, strict=True):
            original, step = value.flatten()[0].item(), 1e-2
            losses = []
            for moved in (original + step, original - step):
                value.view(-1)[0] = moved
                losses.append(loss())
            value.view(-1)[0] = original
            slope = (losses[0] - losses[1]) / (2 * step)  # the norms of the model itself are float32
            torch.testing.assert_close(slope, gradient.flatten()[0], rtol=1e-2, atol=1e-6)


def test_saved_and_loaded_it_is_the_same_and_its_parts_are_plain_adapters(nat, tiny_model_dir, tmp_path, ids):
    save_nat(nat, tmp_path, NatConfig(rank=2, width=5), base=str(tiny_model_dir))
    assert not [file for file in tmp_path.rglob("*") if file.suffix in (".bin", ".pt", ".pkl")]
    for mode in ("both", "neg", "pos"):
        set_mode(nat, mode)
        assert torch.equal(logits(aurify.load(str(tmp_path), mode=mode).model, ids), logits(nat, ids)), mode
    for adapter in ("neg", "pos"):
        set_mode(nat, adapter)
        alone = PeftModel.from_pretrained(load_model(str(tiny_model_dir)).model, tmp_path / adapter)
        assert torch.equal(logits(alone, ids), logits(nat, ids)), "PEFT alone knows nothing of the unit"


def test_mode_neg_is_a_plain_lora(base, tiny_model_dir, nat, ids):
    plain = add_lora(load_model(str(tiny_model_dir)).model, rank=2, alpha=16, seed=7)
    with torch.no_grad():
        own = dict(nat.named_parameters())
        for name, value in plain.named_parameters():
            if "lora_" in name:
                value.copy_(own[name.replace(".default.", ".neg.")])
    set_mode(nat, "neg")
    assert torch.equal(logits(plain, ids), logits(nat, ids))


def test_a_cache_changes_nothing(nat, base, ids):
    set_mode(nat, "both")
    whole = logits(nat, ids)
    with torch.no_grad():
        first = nat(ids[:, :5], use_cache=True)
        rest = [
            nat(ids[:, t : t + 1], past_key_values=first.past_key_values, use_cache=True).logits for t in range(5, 9)
        ]
    torch.testing.assert_close(torch.cat([first.logits, *rest], 1), whole, atol=1e-5, rtol=1e-4)


def test_the_sampler_draws_from_it_and_the_scorer_agrees(nat, base):
    set_mode(nat, "both")
    prompts = [Prompt((65, 66, 67), (1, 2)), Prompt((70,), (3,))]
    drawn = LocalSampler(nat, base.tokenizer).sample(prompts, max_new_tokens=12)
    for prompt, row in zip(prompts, drawn, strict=True):
        for completion in row:
            scored = token_logprobs(nat, [(prompt.token_ids, completion.token_ids)], pad_token_id=0)[0].sum().detach()
            assert float(scored) == pytest.approx(completion.logprob, abs=1e-3)


def test_padding_changes_no_log_probability(nat):
    set_mode(nat, "both")
    short, long = ((65, 66), (67, 68, 69)), ((70,), tuple(range(80, 110)))
    alone = token_logprobs(nat, [short], pad_token_id=0)[0]
    for pad in (0, 258):
        torch.testing.assert_close(token_logprobs(nat, [short, long], pad_token_id=pad)[0], alone, atol=1e-5, rtol=1e-5)


def test_the_weights_of_the_negative_side_are_seen_by_layer_and_token(nat, ids):
    set_mode(nat, "both")
    with negative_weights(nat) as seen:
        nat(ids)
    nat(ids)
    assert list(seen) == list(dual_layers(nat))
    for (weight,) in seen.values():
        assert weight.shape == ids.shape
        assert not weight.requires_grad
        assert bool((weight.abs() <= 0.5).all())


def test_models_without_separate_queries_have_it_too(ids):
    torch.manual_seed(0)
    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=260, n_embd=16, n_layer=1, n_head=2, n_positions=64)).eval()
    plain = logits(gpt2, ids)
    model = add_nat(gpt2, NatConfig(rank=2, width=3))
    (layer,) = dual_layers(model).values()
    assert (layer.in_features, layer.out_features) == (16, 48)
    begin_stage_2(model)
    torch.testing.assert_close(logits(model, ids), plain)


def test_what_cannot_be_is_one_clear_line(nat, base, tiny_model_dir, tmp_path):
    with pytest.raises(UsageError, match="no_such"):
        add_nat(load_model(str(tiny_model_dir)).model, NatConfig(targets=("no_such",)))
    set_mode(nat, "both")
    with pytest.raises(AurifyError, match="cannot be merged"):
        nat.merge_adapter()
    with pytest.raises(UsageError, match="did you mean 'pos'"):
        aurify.load(str(tiny_model_dir), mode="poss")
    with pytest.raises(UsageError, match="not a NAT model"):
        aurify.load(str(tiny_model_dir), mode="neg")
    save_nat(nat, tmp_path, NatConfig(rank=2, width=5), base=str(tiny_model_dir))
    (tmp_path / "unit.safetensors").write_bytes(b"dust")
    with pytest.raises(AurifyError, match="cannot be loaded"):
        aurify.load(str(tmp_path))
    (tmp_path / "nat.json").write_text("{}")
    with pytest.raises(AurifyError, match=r"nat\.json"):
        aurify.load(str(tmp_path))


def test_the_control_has_as_many_parameters_as_nat(base, tiny_model_dir):
    nat = add_nat(load_model(str(tiny_model_dir)).model, NatConfig(rank=2, width=5))
    begin_stage_2(nat)
    wanted = sum(value.numel() for value in trainable_parameters(nat).values())
    ranks = equal_ranks(base.model, (), rank=2, width=5)
    control = add_lora(base.model, rank=2, alpha=4, ranks=ranks)
    found = sum(value.numel() for value in trainable_parameters(control).values())
    assert abs(found / wanted - 1) < 0.03
    assert {layer.scaling["default"] for layer in control.modules() if hasattr(layer, "lora_A")} == {2.0}
    assert lora_config(base.model, 2, 4, ["q_proj"]).lora_dropout == 0.0


def test_load_takes_any_model(tiny_model_dir: Path):
    assert aurify.load(str(tiny_model_dir)).model.config.hidden_size == 32
