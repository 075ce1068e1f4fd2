from __future__ import annotations

import os

import pytest
import torch

from aurify.errors import AurifyError
from aurify.files import Kept, verify_folder
from aurify.running.checkpoint import (
    KEPT,
    list_checkpoints,
    newest_whole,
    restore_checkpoint,
    save_checkpoint,
    step_of,
)


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
    state = {"memory.parquet": b"\0chains", "start.json": str(number).encode()}
    return save_checkpoint(folder, number, dict(layer.named_parameters()), optimizer, state)


def test_training_goes_on_as_if_it_had_not_stopped(tmp_path):
    layer, optimizer = trained(0)
    path = save(tmp_path, 3, layer, optimizer)
    step(layer, optimizer)
    other, fresh = trained(1, steps=0)
    restored = restore_checkpoint(path, dict(other.named_parameters()), fresh)
    step(other, fresh)
    assert restored == {"memory.parquet": b"\0chains", "start.json": b"3"}, "the task's own files, whatever they hold"
    assert step_of(path) == 3
    assert torch.equal(other.weight, layer.weight)
    assert torch.equal(other.bias, layer.bias)


def test_the_oldest_go(tmp_path):
    layer, optimizer = trained(0)
    paths = [save(tmp_path, number, layer, optimizer) for number in (1, 2, 10, 11)]
    assert list_checkpoints(tmp_path) == paths[-KEPT:]


@pytest.mark.parametrize(
    "file", ["weights.safetensors", "optimizer.safetensors", "state/memory.parquet", "state/start.json"]
)
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


def test_what_does_not_change_is_a_new_name_of_a_file_but_never_shared_by_the_two_that_stay(tmp_path):
    layer, optimizer = trained(0)
    written = []
    kept = Kept(lambda: written.append(1) or b"chains")
    for number in range(1, 7):
        path = save_checkpoint(tmp_path, number, dict(layer.named_parameters()), optimizer, {"a": kept, "b": b"x"})
        assert (path / "state" / "a").read_bytes() == b"chains"
        inodes = [(one / "state" / "a").stat().st_ino for one in list_checkpoints(tmp_path)]
        assert len(set(inodes)) == len(inodes), "damage to one leaves the other"
        restored = restore_checkpoint(path, dict(layer.named_parameters()), optimizer)
        assert restored == {"a": b"chains", "b": b"x"}
    assert len(written) == 2
    save_checkpoint(tmp_path, 6, dict(layer.named_parameters()), optimizer, {"a": kept})
    assert len({(one / "state" / "a").stat().st_ino for one in list_checkpoints(tmp_path)}) == 2


def test_without_links_it_is_written_again(tmp_path, monkeypatch):
    def refuse(*args, **more):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    layer, optimizer = trained(0)
    kept = Kept(lambda: b"chains")
    for number in range(1, 5):
        path = save_checkpoint(tmp_path, number, dict(layer.named_parameters()), optimizer, {"a": kept})
        restore_checkpoint(path, dict(layer.named_parameters()), optimizer)


def test_damage_to_what_was_taken_over_is_found_and_the_other_checkpoint_is_whole(tmp_path):
    layer, optimizer = trained(0)
    kept = Kept(lambda: b"chains")
    paths = [save_checkpoint(tmp_path, n, dict(layer.named_parameters()), optimizer, {"a": kept}) for n in (1, 2)]
    (paths[0] / "state" / "a").write_bytes(b"chainz")
    third = save_checkpoint(tmp_path, 3, dict(layer.named_parameters()), optimizer, {"a": kept})
    with pytest.raises(AurifyError, match="state/a: damaged"):
        restore_checkpoint(third, dict(layer.named_parameters()), optimizer)
    assert restore_checkpoint(paths[1], dict(layer.named_parameters()), optimizer) == {"a": b"chains"}


def test_two_whole_ones_stay_and_one_that_was_found_damaged_is_none_of_them(tmp_path):
    layer, optimizer = trained(0)
    kept = Kept(lambda: b"chains")
    parameters = dict(layer.named_parameters())

    def saved(number, damaged=()):
        save_checkpoint(tmp_path, number, parameters, optimizer, {"a": kept}, damaged=damaged)
        return [step_of(path) for path in list_checkpoints(tmp_path)]

    for number in (1, 2):
        saved(number)
    one, two = list_checkpoints(tmp_path)
    content = bytearray((two / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (two / "weights.safetensors").write_bytes(content)
    said = []
    state, damaged = newest_whole([one, two], lambda path: restore_checkpoint(path, parameters, optimizer), said.append)
    assert state == {"a": b"chains"}
    assert damaged == {two}
    assert len(said) == 1
    assert said[0].startswith(f"checkpoint left out: {two / 'weights.safetensors'}: damaged")
    assert saved(3, damaged) == [1, 2, 3], "two whole ones, and the damaged one, which nobody deletes before they stand"
    assert len({(path / "state" / "a").stat().st_ino for path in (one, tmp_path / "step-00000003")}) == 2
    assert saved(4, damaged) == [3, 4]


def test_a_damaged_one_of_a_later_step_takes_no_place_and_is_replaced(tmp_path):
    layer, optimizer = trained(0)
    paths = [save(tmp_path, number, layer, optimizer) for number in (1, 5)]
    parameters = dict(layer.named_parameters())
    for number in (2, 3):
        save_checkpoint(tmp_path, number, parameters, optimizer, {}, damaged=paths[1:])
    assert [step_of(path) for path in list_checkpoints(tmp_path)] == [2, 3, 5]
    save_checkpoint(tmp_path, 5, parameters, optimizer, {}, damaged=paths[1:])
    assert [step_of(path) for path in list_checkpoints(tmp_path)] == [3, 5]
    for path in list_checkpoints(tmp_path):
        verify_folder(path)


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(file.read_bytes()[:-1])])
def test_one_that_lacks_a_file_or_a_part_of_one_is_not_counted(tmp_path, damage):
    layer, optimizer = trained(0)
    paths = [save(tmp_path, number, layer, optimizer) for number in (1, 2)]
    damage(paths[1] / "optimizer.safetensors")
    paths.append(save(tmp_path, 3, layer, optimizer))
    assert list_checkpoints(tmp_path) == paths
    paths.append(save(tmp_path, 4, layer, optimizer))
    assert list_checkpoints(tmp_path) == paths[2:]


def test_where_none_can_be_used_the_newest_says_why(tmp_path):
    layer, optimizer = trained(0)
    paths = [save(tmp_path, number, layer, optimizer) for number in (1, 2)]
    for number, path in enumerate(paths):
        (path / "weights.safetensors").write_bytes(b"x" * number)
    said = []
    with pytest.raises(AurifyError, match=r"step-00000002.*1 bytes"):
        newest_whole(
            paths, lambda path: restore_checkpoint(path, dict(layer.named_parameters()), optimizer), said.append
        )
    assert len(said) == 2
