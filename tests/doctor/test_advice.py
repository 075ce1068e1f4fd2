"""From trials to what to do."""

from __future__ import annotations

import shlex

from pilots import rationale, trial

from aurify.answers.verdict import Verdict
from aurify.doctor.advice import advise
from aurify.doctor.settings import DoctorSettings
from aurify.doctor.trial import Trial

SETTINGS = DoctorSettings(model="some model", data="my questions.jsonl", skip_bad=True)


def advised(*trials, told=False, settings=SETTINGS):
    return advise(settings, trials, told_rationales=told)


def test_a_model_that_is_sometimes_right_trains_as_it_is_asked():
    found = advised(trial(1, 2, 3, 0), trial(1, 2, 2, 0, name="plain", flags={"--prompt": "plain"}))
    assert found.chosen.name == "as it is"
    words = shlex.split(found.command)
    assert words == [
        "aurify", "train", "trice", "--model", "some model", "--data", "my questions.jsonl", "--skip-bad",
    ]  # fmt: skip


def test_a_clearly_better_way_of_asking_is_taken_and_told_why():
    plain = trial(4, 3, 3, 4, 2, 4, name="plain prompt", flags={"--prompt": "plain"})
    found = advised(trial(1, 1, 0, 2, 0, 1), plain)
    assert found.chosen is plain
    assert "--prompt plain" in found.command
    assert "plain prompt: +62 points" in found.lines[0]


def test_a_difference_that_may_be_chance_changes_nothing():
    found = advised(trial(1, 2, 3, 2), trial(1, 2, 3, 3, name="plain", flags={"--prompt": "plain"}))
    assert found.chosen.name == "as it is"
    assert not any("plain" in line for line in found.lines)


def test_a_large_difference_that_may_be_chance_is_told_and_changes_nothing():
    """Better on three questions and worse on one."""
    found = advised(trial(1, 0, 0, 2, 4), trial(1, 4, 4, 4, 2, name="plain", flags={"--prompt": "plain"}))
    assert found.chosen.name == "as it is"
    assert "--prompt" not in found.command
    assert "plain may be better: +40 points over as it is, which 5 questions do not tell" in found.lines[0]
    assert "p 0.62): --questions 64" in found.lines[0]


def test_the_guide_is_no_way_to_be_asked_later():
    guide = trial(4, 4, 4, 4, 4, 4, name="guide", deployable=False)
    found = advised(trial(1, 1, 0, 2, 0, 1), guide)
    assert found.chosen.name == "as it is"
    assert "told the answer it is right in 100 %" in " ".join(found.lines)


def test_a_hopeless_model_is_not_sent_to_learn_from_answers_alone():
    hopeless = trial(*[0] * 40)
    assert advised(hopeless, told=True).command.startswith("aurify train cot ")
    assert advised(hopeless).command.startswith("aurify sample --api openai ")
    assert advised(trial(*[0] * 4)).command.startswith("aurify sample ")  # none of 16 is right
    assert advised(trial(*[0] * 3)).command.startswith("aurify train trice ")  # of 12: who knows
    assert advised(trial(*[0] * 4, *[1] * 4)).command.startswith("aurify train trice ")


def test_a_model_that_knows_it_all_is_told_so():
    assert "harder ones" in advised(trial(*[4] * 20)).lines[0]
    assert advised(trial(*[3] * 8, *[1] * 8)).lines == []


def test_what_is_cut_or_cannot_be_read_is_told():
    rows = [
        [rationale(0), rationale(0, Verdict.TRUNCATED), rationale(0, Verdict.UNPARSABLE), rationale(0, Verdict.TIMEOUT)]
    ]
    lines = " ".join(advised(Trial("as it is", rows, 1.0)).lines)
    assert "25 % are cut at the limit" in lines
    assert "25 % state no answer that can be read" in lines
    assert "1 answers took too long" in lines


def test_what_the_user_said_stays_in_the_command():
    settings = SETTINGS.model_copy(update={"prompt": "chat", "system": "Be brief.", "answers": "number"})
    plain = trial(4, 4, 4, 4, 4, 4, flags={"--prompt": "plain"})
    command = advised(trial(1, 1, 0, 2, 0, 1), plain, settings=settings).command
    assert "--answers number" in command
    assert "--prompt plain" in command
    assert "--prompt chat" not in command
    assert "--system" not in command, "a plain prompt has none"
    assert "--prompt chat --system 'Be brief.' " in advised(trial(1, 1, 0, 2, 0, 1), settings=settings).command


def test_rationales_that_are_cut_are_looked_at_again_under_a_longer_limit():
    def cut(n: int, reason: str = "", **more) -> Trial:
        kinds = [Verdict.TRUNCATED if q < n else Verdict.WRONG for q in range(20)]
        rows = [[rationale(q, kind, reason=reason)] for q, kind in enumerate(kinds)]
        return Trial("as it is", rows, 1.0, **more)

    settings = SETTINGS.model_copy(update={"max_new_tokens": 3})
    found = advised(cut(12), settings=settings)
    assert found.command.startswith("aurify doctor ")
    assert "--max-new-tokens 12 " in found.command
    assert "longer limit" in " ".join(found.lines)
    assert advised(cut(8), settings=settings).command.startswith("aurify sample ")
    longer = {"flags": {"--max-new-tokens": "6"}}
    assert advised(cut(20), cut(12, **longer)).command.startswith("aurify doctor ")
    assert advised(cut(20), cut(20, **longer)).command.startswith("aurify sample "), "they have no end"
    thinks = "cut at the token limit, before its thought was closed"
    assert advised(cut(20, thinks), cut(20, thinks, **longer)).command.startswith("aurify doctor ")


def test_a_thought_that_ends_without_a_word_is_no_matter_of_the_limit():
    open_ = rationale(0, Verdict.UNPARSABLE, reason="the thought is never closed")
    lines = " ".join(advised(Trial("as it is", [[rationale(0), open_]], 1.0)).lines)
    assert "50 % end within their thought" in lines
    assert "cut at the limit" not in lines
