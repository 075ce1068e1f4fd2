"""What is said of a run's chains at its end."""

from __future__ import annotations

from aurify.answers import Verdict
from aurify.rationales import Chain, Rationale
from aurify.training.outcome import ENOUGH_COSINES, outcome, over_the_run

RIGHT = Rationale(
    question_id="q", token_ids=(1,), text="", predicted="1", verdict=Verdict.RIGHT, reason="", source="self",
    model="m", step=1, sample_index=0, seed=0, finish_reason="stop", logprob=None,
)  # fmt: skip


def test_questions_that_were_never_right_are_counted_with_advice():
    chains = [
        Chain("a", RIGHT, visits=4, drawn=4, accepted=4), Chain("b", visits=4, drawn=4), Chain("c"),
        Chain("d", RIGHT, visits=4, drawn=4, accepted=1),
    ]  # fmt: skip
    (line,) = outcome(chains, guided=False, moves="mixed")
    assert line == (
        "1 of 3 questions never had a right rationale (suffix moves need one first): try --memory guide or --few-shot; "
        "1 were right in 90 % of proposals or more"
    )
    (line,) = outcome(chains, guided=False, moves="suffix")
    assert line.endswith("try --memory guide or --few-shot"), "whole proposals end with the first right one"
    (line,) = outcome(chains, guided=True, moves="independent")
    assert "right rationale: try worked examples (--few-shot); 1 were" in line


def test_there_is_no_advice_where_all_were_right_and_nothing_where_nothing_was_visited():
    (line,) = outcome([Chain("a", RIGHT, visits=2, drawn=2, accepted=1)], guided=False, moves="independent")
    assert line.startswith("0 of 1 questions never had a right rationale; 0 were")
    assert outcome([Chain("a")], guided=False, moves="independent") == []


def test_chains_that_stand_and_moves_by_kind():
    stands = Chain("a", RIGHT, visits=3, drawn=3)
    moves = Chain("b", RIGHT, visits=5, drawn=2, accepted=1, others=3, others_taken=2)
    _, first, second = outcome([stands, moves], guided=True, moves="suffix")
    assert first == "1 chains stand on their first rationale and never took a proposal"
    assert second == "suffix moves: 2 of 3 visits took one; whole proposals: 1 of 5 right"
    assert len(outcome([moves], guided=True, moves="suffix")) == 2


def test_what_the_steps_had_on_average():
    groups = [{"dead_groups": dead, "solved_groups": 0.25} for dead in (0.5, 0.7)]
    (line,) = over_the_run([{"step": 0, "held_out": {}}, *groups])
    assert "60 % of the time all were wrong and 25 % all right" in line
    for cosine, said in ((0.4, "about 40 % of a gradient's power is signal (mean cosine of successive steps)"),
                         (0.02, "about 2 % of a gradient's power is signal (mean cosine of successive steps); more"),
                         (-0.1, "about 0 % of")):  # fmt: skip
        (line,) = over_the_run([{"gradient_cosine": cosine}] * ENOUGH_COSINES)
        assert line.startswith(said)
    assert over_the_run([{"gradient_cosine": 0.4}] * (ENOUGH_COSINES - 1)) == []
