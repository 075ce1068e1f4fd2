from __future__ import annotations

import pytest
import torch

from aurify.distillation.examples import Example
from aurify.distillation.gradient import ExampleScorer
from aurify.distillation.token_weights import MOST_EXAMPLES, evenly_spread
from aurify.distillation.unit_weights import (
    find_unit_weights,
    unit_layers,
    unit_weight_lines,
)
from aurify.models.nat import negative_weights, set_mode

RATIONALES = [Example("q", (65, 66, 67), True), Example("q", tuple(range(70, 85)), True), Example("r", (90,), False)]
PROMPTS = {"q": (80, 81), "r": (82, 83, 84, 85)}


@pytest.mark.parametrize("budget", [4096, 8])
def test_weights_are_those_of_each_rationale_by_itself(nat, budget):
    set_mode(nat, "both")
    found = find_unit_weights(ExampleScorer(nat, PROMPTS, 0, budget), RATIONALES)
    for example, weights_LT in zip(RATIONALES, found, strict=True):
        prompt = PROMPTS[example.question_id]
        with negative_weights(nat) as seen, torch.no_grad():
            nat(torch.tensor([[*prompt, *example.token_ids]]))
        alone_LT = torch.stack([weight[0, len(prompt) :] for (weight,) in seen.values()])
        torch.testing.assert_close(weights_LT, alone_LT, atol=1e-5, rtol=1e-5)


def test_lines_by_layer_position_and_token():
    examples = [Example("q", (1, 2, 2), True), Example("r", (1, 2, 1, 1, 1, 2, 2, 3), True)]
    by_token = {1: -0.25, 2: 0.125, 3: 0.5}
    one, two = (torch.tensor([[by_token[t] for t in e.token_ids]]) for e in examples)
    weights = [torch.cat([part, torch.zeros_like(part)]) for part in (one, two)]
    total, first, second, *rest = unit_weight_lines(["a.q_proj", "a.v_proj"], examples, weights, "xyz!".__getitem__)
    assert total["tokens"] == first["tokens"] == second["tokens"] == 11
    assert (total["quantiles"]["0"], total["quantiles"]["0.5"], total["quantiles"]["1"]) == (-0.25, 0, 0.5)
    assert (first["layer"], second["layer"]) == ("a.q_proj", "a.v_proj")
    assert first["mean"] == pytest.approx((5 * -0.25 + 5 * 0.125 + 0.5) / 11)
    assert set(second["quantiles"].values()) == {0}
    spans = [line for line in rest if "positions" in line]
    assert [line["positions"] for line in spans] == [[1, 1], [2, 3], [4, 7], [8, 15]]
    assert [line["tokens"] for line in spans] == [2, 4, 4, 1]
    assert spans[0]["quantiles"]["0"] == -0.25
    assert spans[3]["mean"] == 0.25
    assert [line for line in rest if "token" in line] == [
        {"token": "y", "id": 1, "mean": -0.125, "tokens": 5},
        {"token": "z", "id": 2, "mean": 0.0625, "tokens": 5},
    ], "token 3 stands there too seldom"
    assert [line for line in rest if "text" in line] == [
        {"question_id": "q", "right": True, "text": ["y", "z", "z"], "weights": [-0.125, 0.0625, 0.0625]},
        {"question_id": "r", "right": True, "text": list("yzyyyzz!"), "weights": [
            -0.125, 0.0625, -0.125, -0.125, -0.125, 0.0625, 0.0625, 0.25]},
    ]  # fmt: skip


def test_right_and_wrong_rationales_are_told_apart_where_there_are_both():
    examples = [Example("q", (1, 2), True), Example("q", (3,), False), Example("r", (4, 5), False)]
    weights = [torch.full((2, len(example.token_ids)), 0.1 * len(example.token_ids)) for example in examples]
    lines = unit_weight_lines(["a", "b"], examples, weights, str)
    right, wrong = (line for line in lines if "right" in line and "text" not in line)
    assert (right["right"], right["tokens"], right["mean"]) == (True, 2, pytest.approx(0.2))
    assert (wrong["right"], wrong["tokens"], wrong["mean"]) == (False, 3, pytest.approx(0.5 / 3))


def test_layers_are_named_as_in_the_model(nat, tiny_model_dir):
    assert unit_layers(nat)[:2] == ["model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj"]


def test_a_bounded_number_is_looked_at():
    many = [Example("q", (index,), True) for index in range(MOST_EXAMPLES * 2 + 1)]
    assert len(evenly_spread(many)) <= MOST_EXAMPLES
    assert evenly_spread(many)[-1].token_ids[0] > MOST_EXAMPLES
    assert evenly_spread(many[:3]) == many[:3]
