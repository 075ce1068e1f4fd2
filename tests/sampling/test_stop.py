from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from aurify.sampling.stop import decode, eos_ids, first_stop, tokens_to_stop


class Letters:
    """A tokenizer of the same interface: token n is the n-th word, some of several letters, some of none."""

    words = ("", "a", "b", "ab", "bba", "c")

    def decode(self, token_ids: list[int], **_: Any) -> str:
        return "".join(self.words[i] for i in token_ids)


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_the_fewest_tokens_that_hold_a_stop_string(tokens: list[int], stop: list[str]) -> None:
    prefixes = [decode(Letters(), tokens[:n]) for n in range(len(tokens) + 1)]
    holding = [n for n, text in enumerate(prefixes) if any(word in text for word in stop)]
    assert tokens_to_stop(Letters(), tokens, stop) == (holding[0] if holding else None)


def test_the_earliest_stop_string_counts() -> None:
    assert first_stop("one two", ["two", "e"]) == 2
    assert first_stop("one two", ["three"]) is None
    assert first_stop("one", []) is None


def test_eos_ids_are_the_union_of_all_who_name_them() -> None:
    model = nn.Module()
    model.config = SimpleNamespace(eos_token_id=4)  # type: ignore[assignment]  # all that is read of it
    assert eos_ids(model, SimpleNamespace(eos_token_id=None)) == {4}
    model.generation_config = SimpleNamespace(eos_token_id=[5, 6])  # type: ignore[assignment]  # all that is read of it
    assert eos_ids(model, SimpleNamespace(eos_token_id=7)) == {4, 5, 6, 7}
