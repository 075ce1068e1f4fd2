from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aurify.cli.app import exit_status
from aurify.errors import UsageError
from aurify.settings import Settings, resolve

TOY = Path(__file__).parent / "toy.py"
Try = Callable[..., tuple[int, str, str]]


def _load_toy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("aurify_tests_toy", TOY)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic looks annotations up there
    spec.loader.exec_module(module)
    return module


toy = _load_toy()


@pytest.fixture
def attempt(capsys: pytest.CaptureFixture[str]) -> Try:
    """Run the toy command line; its status, standard output and standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        status = exit_status(toy.build, list(map(str, words)))
        return status, *capsys.readouterr()

    return run


def test_flags_reach_the_command_with_their_types(attempt: Try) -> None:
    status, out, err = attempt(
        *("melt", "d.jsonl", "--steps", "7", "--learning-rate", "3e-5", "--no-shuffle", "--method", "star"),
        *("--stop", "\n\n", "--stop", "Q:", "--sizes", "3", "--eval-every", "5"),
    )
    assert (status, err) == (0, "")
    expected = toy.MeltSettings(
        data=Path("d.jsonl"),
        steps=7,
        learning_rate=3e-5,
        shuffle=False,
        method="star",
        stop=("\n\n", "Q:"),
        sizes=[3],
        eval_every=5,
    )
    assert out == f"{expected!r}\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["melt", "d", "--step", "3"], "unknown option --step: did you mean '--steps'?"),
        (["melt", "d", "--max_steps", "3"], "unknown option --max_steps: did you mean '--steps'?"),
        (["melt", "d", "--evalevery=3"], "unknown option --evalevery: did you mean '--eval-every'?"),
        (["melt", "d", "--steps", "many"], "--steps 'many': input should be a valid integer"),
        (["melt", "d", "--steps", "0"], "--steps '0': input should be greater than or equal to 1"),
        (["melt", "d", "--steps"], "Option '--steps' requires an argument."),
        (["melt", "d", "e"], "Got unexpected extra argument"),
        (["melt"], "DATA is needed: The questions."),
        (["melt", "d", "--method", "tric"], "--method 'tric': did you mean 'trice'? (known: trice, star, rejection)"),
        (["melt", "d", "--method", "zzz"], "--method 'zzz': known: trice, star, rejection"),
        (["melt", "d", "--sizes", "1", "--sizes", "x"], "--sizes 'x': input should be a valid integer"),
        (["melt", "d", "--eval-every", "30"], "--eval-every 30 is more than --steps 20"),
        (["melt", "d", "--config", "no.toml"], "--config no.toml: No such file or directory"),
        (["metl", "d"], "No such command 'metl'."),
        (["--verbose"], "unknown option --verbose: aurify --help lists those that it has"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(attempt: Try, words: list[str], line: str) -> None:
    status, out, err = attempt(*words)
    assert (status, out) == (2, "")
    assert err.startswith(f"aurify: {line}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("steps = 3\n\nsteptz = 4\n", "3: unknown setting 'steptz': did you mean 'steps'?"),
        ("# eval-every = 1\neval-every = 'x'", "2: eval_every 'x': input should be a valid integer"),
        ("steps = '3'", "1: steps '3': input should be a valid integer"),
        ("steps = true", "1: steps True: input should be a valid integer"),
        ("shuffle = 'yes'", "1: shuffle 'yes': input should be a valid boolean"),
        ("steps = 2020-01-01", "1: steps '2020-01-01': input should be a valid integer"),
        ("stop = 'a'", "1: stop 'a': input should be a valid array"),
        ("method = 'satr'", "1: method 'satr': did you mean 'star'? (known: trice, star, rejection)"),
        ("steps = 3\n[zzz]\nsteps = 3\n", "2: unknown setting 'zzz': known: data, method"),
        ("eval-every = 1\neval_every = 2", " a setting is given twice"),
        ("steps = = 3", " not valid TOML: Invalid value (at line 1, column 9)"),
        ("steps = 0", "1: steps 0: input should be greater than or equal to 1"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_with_its_place(
    attempt: Try, tmp_path: Path, content: str, line: str
) -> None:
    file = tmp_path / "run.toml"
    file.write_text(content)
    status, out, err = attempt("melt", "d", "--config", file)
    assert (status, out) == (2, "")
    assert err.startswith(f"aurify: {file}:{line}")
    assert err.count("\n") == 1


def test_a_file_that_is_not_text_is_one_line(attempt: Try, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(b"\xff\xfe\x00")
    status, _, err = attempt("melt", "d", "--config", tmp_path / "run.toml")
    assert status == 2
    assert "not valid TOML" in err


def test_flags_win_over_the_file_and_may_mend_it(attempt: Try, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('data = "d.jsonl"\neval-every = 30\nlearning_rate = 1\n')
    status, out, err = attempt("melt", "--config", file, "--steps", 40, "--dry-run")
    assert (status, err) == (0, "")
    assert 'data = "d.jsonl"\n' in out
    assert "eval_every = 30\n" in out
    assert "steps = 40\n" in out
    assert attempt("melt", "--config", file)[2] == "aurify: --eval-every 30 is more than --steps 20\n"


@given(
    steps=st.integers(1, 2**62),
    rate=st.floats(min_value=0, exclude_min=True, allow_nan=False),
    stop=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    every=st.none() | st.just(1),
    shuffle=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_dry_run_prints_gives_the_same_settings(
    tmp_path: Path, steps: int, rate: float, stop: list[str], every: int | None, shuffle: bool
) -> None:
    first = toy.MeltSettings(
        data="a/b c", steps=steps, learning_rate=rate, stop=stop, eval_every=every, shuffle=shuffle
    )
    (tmp_path / "run.toml").write_text(first.to_toml(), encoding="utf-8", newline="")
    again = resolve(toy.MeltSettings, {}, tmp_path / "run.toml")
    assert again == first
    assert again.to_toml() == first.to_toml()


def test_dry_run_round_trips_on_the_command_line(attempt: Try, tmp_path: Path) -> None:
    _, first, _ = attempt("melt", "d", "--stop", "\x07\n", "--no-shuffle", "--dry-run")
    (tmp_path / "run.toml").write_text(first, encoding="utf-8")
    assert attempt("melt", "--config", tmp_path / "run.toml", "--dry-run") == (0, first, "")


def test_help_says_every_setting_with_its_default(attempt: Try) -> None:
    status, out, _ = attempt("melt", "--help")
    assert status == 0
    words = " ".join(out.split())
    for part in (
        "Melt dust. A second paragraph.",
        "Usage: aurify melt [OPTIONS]",
        "--method trice|star|rejection The E-step. [default: trice]",
        "--steps INTEGER Optimiser steps. [default: 20]",
        "--shuffle / --no-shuffle Draw questions in random order. [default: True]",
        "--sizes INTEGER Group sizes. [default: [1, 2]]",
        "--config",
        "--dry-run",
    ):
        assert part in words


def test_resolve_reports_what_is_missing_by_flag() -> None:
    with pytest.raises(UsageError, match=r"^--data is needed: The questions\.$"):
        resolve(toy.MeltSettings, {})


def test_the_home_of_a_user_is_written_out_wherever_a_path_stands(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    class Paths(Settings):
        one: str
        other: Path
        several: tuple[str, ...]
        listed: list[str]

    (tmp_path / "c.toml").write_text('several = ["~/a", "b~/c"]\nlisted = ["~/d", "~"]\n')
    found = resolve(Paths, {"one": "~/x", "other": "~/y"}, Path("~/c.toml"))
    assert (found.one, found.other) == (f"{tmp_path}/x", tmp_path / "y")
    assert (found.several, found.listed) == ((f"{tmp_path}/a", "b~/c"), [f"{tmp_path}/d", "~"])
