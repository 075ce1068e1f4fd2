"""Every token that may end a sequence."""

from __future__ import annotations

from types import SimpleNamespace

from torch import nn

from aurify.models.eos import eos_ids


def test_eos_ids_are_the_union_of_all_who_name_them() -> None:
    model = nn.Module()
    model.config = SimpleNamespace(eos_token_id=4)  # type: ignore[assignment]  # all that is read of it
    assert eos_ids(model, SimpleNamespace(eos_token_id=None)) == {4}
    model.generation_config = SimpleNamespace(eos_token_id=[5, 6])  # type: ignore[assignment]  # all that is read of it
    assert eos_ids(model, SimpleNamespace(eos_token_id=7)) == {4, 5, 6, 7}
