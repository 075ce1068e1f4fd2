"""Commands whose settings depend on what a word of theirs names."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from aurify.cli.app import build, exit_status
from aurify.cli.entries import chosen_words
from aurify.training.settings import TrainSettings

OWN = '''"""A method of somebody's own."""

from dataclasses import dataclass

from aurify.methods import EStep, Method
from aurify.registry import setting


@dataclass(frozen=True)
class Mine(Method):
    """Mine: learns nothing at all."""

    samples: int = 3
    strength: float = setting(0.5, "How much.", gt=0)
    gently: bool = setting(False, "How.")

    def e_step(self, key, step, chains, proposals):
        return EStep(list(chains), [], {})


@dataclass(frozen=True)
class Taken(Mine):
    steps: int = setting(1, "Has the name of another.")


class Plain(Method):
    samples = 1


class NoMethod:
    pass
'''


@pytest.fixture
def attempt(capsys, monkeypatch, tmp_path):
    """Run the command line in a folder with a module of the user's own; status, output, error."""
    (tmp_path / "somebodys.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "somebodys", raising=False)

    def run(*words: object) -> tuple[int, str, str]:
        status = exit_status(build, list(map(str, words)))
        return status, *capsys.readouterr()

    return run


TRAIN = ("train", "--model", "nugget", "--data", "d.jsonl")


def test_help_of_a_method_shows_what_means_something_for_it(attempt):
    status, out, err = attempt("train", "rloo", "--help")
    assert (status, err) == (0, "")
    words = " ".join(out.split())
    assert "Method rloo. RLOO: REINFORCE with the other samples" in words
    assert "Proposals a question and step [4]" in words
    assert "--steps INTEGER" in words
    assert "--estimator" not in words
    assert "--refits" not in words
    out = attempt("train", "--help", "trice")[1]
    assert "--estimator control-variate|basic|subsampled" in out
    assert "--refits" not in out
    assert out.index("--estimator") < out.index("--steps")


def test_help_begins_with_what_must_be_given_and_goes_on_with_the_methods_own(attempt):
    out = attempt("train", "trice", "--help")[1]
    places = [out.index(f"\n  {flag} ") for flag in ("--model", "--data", "--moves", "--out", "--seed")]
    assert places == sorted(places)


def test_help_of_an_alias_says_what_it_is(attempt):
    _, out, _ = attempt("train", "gspo", "--help")
    assert "Method gspo. gspo is grpo here: samples are learned from once" in " ".join(out.split())


def test_help_without_a_method_lists_all_and_whose_setting_is_whose(attempt):
    status, out, _ = attempt("train", "-h")
    assert status == 0
    assert re.search(r"\n    trice +TRICE: the marginal likelihood", out)
    assert "\n    maxrl " in out
    assert "raft++ is rejection here" in out
    assert "[star, rest-em]" in " ".join(out.split())


def test_help_of_a_method_from_outside(attempt):
    _, out, _ = attempt("train", "somebodys:Mine", "--help")
    words = " ".join(out.split())
    assert "Mine: learns nothing at all." in words
    assert "--strength NUMBER How much. [default: 0.5]" in words
    assert "--gently / --no-gently" in words


@pytest.mark.parametrize(
    "words",
    [
        (*TRAIN, "somebodys:Mine", "--strength", "2", "--gently"),
        (*TRAIN, "--gently", "--strength", "2", "somebodys:Mine"),
        (*TRAIN, "--strength=2", "--gently", "--", "somebodys:Mine"),
        (*TRAIN, "--config", "mine.toml", "--strength", "2"),
    ],
)
def test_own_flags_of_a_method_from_outside_reach_its_configuration_and_come_back(attempt, words):
    Path("mine.toml").write_text('method = "somebodys:Mine"\ngently = true\n')
    status, out, err = attempt(*words, "--dry-run")
    assert (status, err) == (0, "")
    assert 'method = "somebodys:Mine"\n' in out
    assert "strength = 2.0\n" in out
    assert "gently = true\n" in out
    assert "estimator" not in out
    Path("again.toml").write_text(out)
    assert attempt("train", "--config", "again.toml", "--dry-run") == (0, out, "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("tric",), "METHOD 'tric': did you mean 'trice'? (known: trice, trice-likelihood"),
        (("zzz",), "METHOD 'zzz': known: trice, trice-likelihood"),
        (("somebody:Mine",), "METHOD 'somebody:Mine': no module named 'somebody'"),
        (("somebodys:Mime",), "METHOD 'somebodys:Mime': 'somebodys' has no 'Mime': did you mean 'Mine'?"),
        (("somebodys:NoMethod",), "METHOD 'somebodys:NoMethod': it is no method, which is a subclass of"),
        (("somebodys:Plain",), "METHOD 'somebodys:Plain': it is no dataclass"),
        (("somebodys:Taken",), "METHOD 'somebodys:Taken': its setting 'steps' has the name of one"),
        (("somebodys:",), "METHOD 'somebodys:': expected module:Class"),
        (("somebodys:Mine", "--strength", "0"), "--strength '0': input should be greater than 0"),
        (("somebodys:Mine", "--estimator", "basic"), "--estimator means nothing for somebodys:Mine, only for trice"),
        (("rloo", "--strength", "1"), "unknown option --strength: aurify train --help lists those that it has"),
        (("rloo", "--batch-size", "8"), "unknown option --batch-size: did you mean '--questions'?"),
        (("rloo", "--answers", "foo"), "--answers 'foo': known: number, choice"),
        (("rloo", "--dead", "unlearn"), "--dead means nothing for rloo, only for maxrl"),
        (("trice", "--estimator", "basik"), "--estimator 'basik': did you mean 'basic'? (known: control-variate, "),
        (("gspo", "--samples", "1"), "grpo compares a question's samples with each other, so 1 is too few"),
        (("rloo", "star"), "Got unexpected extra argument"),
        ((), "METHOD is needed: How to learn"),
    ],
)
def test_wrong_usage_is_one_line(attempt, words, line):
    status, out, err = attempt(*TRAIN, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"aurify: {line}")
    assert err.count("\n") == 1


def test_a_module_that_fails_is_one_line(attempt):
    Path("broken.py").write_text("1 / 0\n")
    status, _, err = attempt(*TRAIN, "broken:Mine")
    assert status == 2
    assert err == "aurify: METHOD 'broken:Mine': importing 'broken' raised ZeroDivisionError: division by zero\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--model", "star", "rloo"], "rloo"),
        (["--resume", "rloo"], "rloo"),
        (["--steps=3", "rloo"], "rloo"),
        (["--estimator", "basic", "trice"], "trice"),
        (["--unheard-of", "3", "rloo"], "rloo"),
        (["--unheard-of", "3", "rloo", "--config", "none.toml"], "rloo"),
        (["--model", "star"], None),
        (["nothing-of-that-name"], None),
    ],
)
def test_the_method_is_found_among_flags(arguments, word):
    assert chosen_words(TrainSettings, arguments, "method") == ({"method": word} if word else {})
