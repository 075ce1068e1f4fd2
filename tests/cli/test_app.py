from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import aurify
from aurify.cli.app import COMMANDS, build, exit_status

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TOY = [sys.executable, str(Path(__file__).parent / "toy.py")]


def _toy(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TOY, *words], capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})}, check=False
    )


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("aurify", "aurify: dust.jsonl:3: no dust here\n"),
        ("os", "aurify: /nowhere/at/all: No such file or directory\n"),
        ("interrupt", "aurify: interrupted\n"),
    ],
)
def test_failed_work_is_one_line_and_status_1(how: str, line: str) -> None:
    done = _toy("melt", "d", "--fail", how)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


def test_ctrl_c_is_one_line_and_status_1() -> None:
    command = [*TOY, "melt", "d", "--fail", "sleep"]
    # A suite that runs in the background may have SIGINT ignored, which a child inherits.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, preexec_fn=heed) as process:
        assert process.stdout
        assert process.stdout.readline() == "asleep\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (1, "aurify: interrupted\n")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen([*TOY, "melt", "d", "--fail", "flood"], stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_text_that_cannot_be_encoded_is_still_printed() -> None:
    done = _toy("melt", "d", "--fail", "surrogate", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("half \\ud800 a letter")


def test_no_command_shows_the_help_and_is_wrong_usage() -> None:
    done = _toy()
    assert (done.returncode, done.stdout) == (2, "")
    assert "melt" in done.stderr


def test_version(run_aurify: Run) -> None:
    done = run_aurify("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"aurify {aurify.__version__}\n", "")


def test_help_names_every_command_and_is_fast(run_aurify: Run) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run_aurify("--help", env={})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stderr) == (0, "")
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout
    # Seconds of work, not on the clock: the machine may be busy. 0.1 here, and several were torch imported.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def _imported(*modules: str) -> set[str]:
    """The names of all that is imported with these modules."""
    code = f"import sys\nfor name in {modules!r}: __import__(name)\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_help_page_imports_no_command() -> None:
    loaded = _imported("aurify.cli.app")
    assert not loaded & {"pydantic", "numpy", *(f"aurify.cli.{name}" for name in COMMANDS)}


def test_no_command_imports_anything_heavy_before_it_runs() -> None:
    heavy = {"torch", "transformers", "datasets", "pyarrow", "pandas", "scipy", "peft", "sympy", "matplotlib"}
    loaded = _imported(*(f"aurify.cli.{name}" for name in COMMANDS))
    assert {f"aurify.cli.{name}" for name in COMMANDS} <= loaded
    assert not loaded & heavy


def test_no_help_and_no_completion_waits_for_torch() -> None:
    """Those of every method, too: its flags are the fields of its class."""
    code = (
        "from aurify.cli.app import COMMANDS, build, exit_status; from aurify.methods import METHODS; import sys\n"
        "for words in [[name] for name in COMMANDS] + [['train', method] for method in METHODS.words()]:\n"
        "    assert exit_status(build, [*words, '--help']) == 0, words\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "scipy", "datasets"} & set(done.stdout.splitlines()[-1].split())


def test_a_missing_data_file_is_told_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "asked.jsonl").touch()
    code = (
        "from aurify.cli.app import build, exit_status; import sys\n"
        "model, wrong, out = ['--model', 'nugget'], ['--data', sys.argv[1]], ['--out', sys.argv[2]]\n"
        "logs = ['--from', sys.argv[3]]\n"
        "for words in [['train', 'trice', *model, *wrong, *out], ['sample', *model, *wrong, *out],\n"
        "    ['train', 'trice', *model, '--data', sys.argv[3], '--eval-data', sys.argv[1]],\n"
        "    ['distill', 'nat', *model, *wrong, *logs, *out], ['evaluate', *model, *wrong],\n"
        "    ['doctor', *model, *wrong], ['rank', *wrong, *logs, *out], ['vote', *logs[1:], *wrong]]:\n"
        "    assert exit_status(build, words) == 1, words\n"
        "print(*sys.modules)"
    )
    arguments = [str(tmp_path / name) for name in ("asked.json", "out", "asked.jsonl")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr == 8 * f"aurify: {arguments[0]}: no such file; did you mean 'asked.jsonl'?\n"
    assert not {"torch", "transformers", "scipy"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("word", "hint"), [("trian", "did you mean 'train'?"), ("zzz", f"known: {', '.join(COMMANDS)}")]
)
def test_an_unknown_command_is_one_line(word: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(build, [word]) == 2
    assert capsys.readouterr() == ("", f"aurify: no command '{word}': {hint}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_its_settings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(build, [name, "--help"]) == 0
    usage, description, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"Usage: aurify {name} [OPTIONS]")
    assert description.strip().endswith(".")


def test_the_real_train_round_trips_through_its_own_dry_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "trice", "--model", "m", "--data", "d", "--out", "o", "--steps", "3", "--track", "trackio"]
    assert exit_status(build, [*words, "--dry-run"]) == 0
    first = capsys.readouterr().out
    (tmp_path / "run.toml").write_text(first, encoding="utf-8")
    assert exit_status(build, ["train", "--config", str(tmp_path / "run.toml"), "--dry-run"]) == 0
    assert capsys.readouterr().out == first
    assert 'track = [\n    "trackio",\n]' in first


def test_what_libraries_log_or_warn_of_is_inert():
    code = (
        "import logging, warnings; from aurify.cli.app import show_inert; show_inert()\n"
        "logging.getLogger('x').warning('a\\x1b[31m%s', 'b\\x07\\nc'); warnings.warn('d\\x1b]0;e\\x07')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ab\nc\n" in done.stderr
    assert "UserWarning: d\n" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("aurify tra", {"train"}),
        ("aurify e", {"evaluate", "export"}),
        ("aurify train trice --mov", {"--moves"}),
        ("aurify train trice --eval-", {"--eval-data", "--eval-limit", "--eval-every"}),
        ("aurify report --o", {"--out"}),
        ("aurify nothing --o", set()),
    ],
)
def test_a_shell_completes_commands_and_flags(typed: str, offered: set[str], run_aurify: Run) -> None:
    words = {"_AURIFY_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    done = run_aurify(env=words)
    assert set(done.stdout.split()) == offered


def test_the_script_for_a_shell_is_printed(run_aurify: Run) -> None:
    done = run_aurify(env={"_AURIFY_COMPLETE": "source_bash"})
    assert "_AURIFY_COMPLETE=complete_bash" in done.stdout
    assert "--install-completion" in run_aurify("--help").stdout
