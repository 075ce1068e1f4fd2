from __future__ import annotations

import pytest
import torch

from aurify.errors import AurifyError
from aurify.rationales import Chain, Memory
from aurify.training.checkpoint import KEPT, list_checkpoints, restore_checkpoint, save_checkpoint


def trained(seed: int, steps: int = 3):
    torch.manual_seed(seed)
    layer = torch.nn.Linear(4, 3)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
    for _ in range(steps):
        step(layer, optimizer)
    return layer, optimizer


def step(layer, optimizer):
    optimizer.zero_grad()
    layer(torch.ones(2, 4)).pow(2).sum().backward()
    optimizer.step()


def save(folder, number, layer, optimizer):
    return save_checkpoint(
        folder,
        number,
        dict(layer.named_parameters()),
        optimizer,
        Memory([Chain("a", visits=number)]),
        {"start_from": "none"},
    )


def test_training_goes_on_as_if_it_had_not_stopped(tmp_path):
    layer, optimizer = trained(0)
    path = save(tmp_path, 3, layer, optimizer)
    step(layer, optimizer)
    other, fresh = trained(1, steps=0)
    restored = restore_checkpoint(path, dict(other.named_parameters()), fresh)
    step(other, fresh)
    assert (restored.step, restored.notes, restored.memory["a"].visits) == (3, {"start_from": "none"}, 3)
    assert torch.equal(other.weight, layer.weight)
    assert torch.equal(other.bias, layer.bias)


def test_the_oldest_go(tmp_path):
    layer, optimizer = trained(0)
    paths = [save(tmp_path, number, layer, optimizer) for number in (1, 2, 10, 11)]
    assert list_checkpoints(tmp_path) == paths[-KEPT:]


@pytest.mark.parametrize("file", ["weights.safetensors", "optimizer.safetensors", "memory.parquet", "state.json"])
def test_damage_is_found_and_named(tmp_path, file):
    layer, optimizer = trained(0)
    path = save(tmp_path, 1, layer, optimizer)
    content = bytearray((path / file).read_bytes())
    content[len(content) // 2] ^= 1
    (path / file).write_bytes(content)
    before = layer.weight.clone()
    with pytest.raises(AurifyError, match=file):
        restore_checkpoint(path, dict(layer.named_parameters()), optimizer)
    assert torch.equal(layer.weight, before)


def test_weights_of_another_model_are_refused(tmp_path):
    path = save(tmp_path, 1, *trained(0))
    other = torch.nn.Linear(4, 5)
    with pytest.raises(AurifyError, match="another model"):
        restore_checkpoint(path, dict(other.named_parameters()), torch.optim.AdamW(other.parameters()))


def test_an_unfinished_one_is_not_listed(tmp_path):
    (tmp_path / ".step-00000009.tmp-1").mkdir()
    assert list_checkpoints(tmp_path) == []
