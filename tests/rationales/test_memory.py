from __future__ import annotations

import pytest

from aurify.answers import Verdict
from aurify.errors import AurifyError
from aurify.rationales import Chain, Memory, Rationale


def rationale(text: str, right: bool = True, question: str = "q") -> Rationale:
    return Rationale(
        question_id=question, token_ids=(1, 2, 3), text=text, predicted=None,
        verdict=Verdict.RIGHT if right else Verdict.WRONG, reason="why", source="guide", model="m", step=2,
        sample_index=0, seed=2**62, finish_reason="stop", logprob=-1.25,
    )  # fmt: skip


def test_a_chain_counts_its_visits_and_keeps_its_state_until_one_is_accepted():
    chain = Chain("q").started(rationale("first", right=False), step=2)
    assert not chain.right
    chain = chain.visited([rationale("a", False), rationale("b", False)], None, step=3)
    assert (chain.rationale.text, chain.since, chain.visits, chain.drawn, chain.accepted) == ("first", 2, 1, 2, 0)
    chain = chain.visited([rationale("c"), rationale("d")], rationale("d"), step=7)
    assert (chain.rationale.text, chain.since, chain.visits, chain.drawn, chain.accepted) == ("d", 7, 2, 4, 2)
    assert chain.right


@pytest.mark.parametrize(
    "chains",
    [
        [],
        [Chain("a")],
        [Chain("q", rationale("näïve\x1b[0m"), 3, 4, 5, 1)],
        [
            Chain("b", visits=2, drawn=2),
            Chain("a", rationale("x", question="a"), 1, 1, 1, 1),
            Chain("q", rationale("", False)),
        ],
    ],
)
def test_what_is_saved_is_what_is_loaded(chains):
    assert Memory.from_parquet(Memory(chains).to_parquet()).chains() == sorted(
        chains, key=lambda chain: chain.question_id
    )


def test_a_question_never_visited_has_an_empty_chain():
    memory = Memory([Chain("a", visits=1)])
    assert "b" not in memory
    assert memory["b"] == Chain("b")
    memory.update([Chain("b", visits=9)])
    assert memory["b"].visits == 9
    assert len(memory) == 2


def test_a_damaged_memory_is_one_line():
    with pytest.raises(AurifyError, match="not a memory"):
        Memory.from_parquet(b"PAR1 not really")
