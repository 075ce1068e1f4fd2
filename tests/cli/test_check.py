from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from aurify.cli import check
from aurify.cli.app import exit_status, new_app

Try = Callable[..., tuple[int, str, str]]


@pytest.fixture
def attempt(capsys: pytest.CaptureFixture[str]) -> Try:
    """Run ``aurify check …``; its status, standard output and standard error."""

    def build() -> typer.Typer:
        app = new_app()
        check.register(app)
        return app

    def run(*words: object) -> tuple[int, str, str]:
        status = exit_status(build, ["check", *map(str, words)])
        return status, *capsys.readouterr()

    return run


def write(file: Path, *rows: object) -> Path:
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return file


GOOD = [{"question": f"{number} + 1?", "answer": number + 1} for number in range(5)]


def test_a_fine_file(tmp_path: Path, attempt: Try) -> None:
    file = write(tmp_path / "f.jsonl", *GOOD)
    status, out, err = attempt(file)
    assert (status, err) == (0, "")
    assert f"questions     5 from {file}" in out
    assert "number 5 (inferred)" in out
    assert "bad rows      0" in out
    assert "5 verify against themselves, 0 do not" in out
    assert "characters" in out
    assert "--model NAME gives tokens" in out
    assert "Question: 0 + 1?\nAnswer: Let's think step by step.\n" in out
    assert "Question: 0 + 1?\nAnswer: The answer is 1. Let's think step by step.\n" in out


def test_forms_acceptable_answers_and_odd_rows_are_said_once(tmp_path: Path, attempt: Try) -> None:
    rows = [{"question": "q?", "answer": ["x", "y"], "task": "a"}, *[{**one, "task": "b"} for one in GOOD]]
    odd = {"question": "odd?", "answer": "no solution", "task": "b"}
    status, out, _ = attempt(
        write(tmp_path / "f.jsonl", *rows, odd, {"question": "r?", "choices": ["u", "v"], "answer": 1})
    )
    assert status == 0
    assert out.count("acceptable    1 question with several answers, 2 in all\n") == 1
    assert "form          7 plain: " in out
    assert "form          1 options: " in out
    assert f"1 of 6 answers are not numbers, and are compared as text: {tmp_path}/f.jsonl:7 'no solution'" in out
    assert "Question: r?\nOptions:\n(A) u\n(B) v\nAnswer:" in out


def test_bad_rows_are_listed_and_counted(tmp_path: Path, attempt: Try) -> None:
    file = write(tmp_path / "f.jsonl", *GOOD, *["{" + " " * n + "x" for n in range(25)])
    status, out, err = attempt(file)
    assert status == 1
    assert "bad rows      25" in out
    assert f"  {file}:6: not valid JSON" in out
    assert f"{file}:25: " in out
    assert f"{file}:26: " not in out
    assert "and 5 more" in out
    assert err.startswith(
        f"aurify: {file}: 25 bad rows, and 0 gold answers that cannot be verified; the first is {file}:6: "
    )
    assert err.count("\n") == 1
    status, out, err = attempt(file, "--skip-bad")
    assert (status, err) == (0, "")
    assert "bad rows      25" in out


def test_rows_that_are_bad_for_one_reason_are_listed_once(tmp_path: Path, attempt: Try) -> None:
    file = write(tmp_path / "f.jsonl", *GOOD, *["{"] * 5, {"question": "q"}, *[{"question": "q", "answer": None}] * 3)
    status, out, _ = attempt(file)
    assert status == 1
    assert out.count("not valid JSON") == 3
    assert "  and 2 more rows for the same reason\n" in out
    assert [f"{file}:{line}: " in out for line in (6, 8, 9, 11, 12, 14)] == [True, True, False, True, True, True]
    assert out.count("for the same reason") == 1, "three of a kind are all listed"


def test_a_long_prompt_is_shown_without_its_middle(tmp_path: Path, attempt: Try) -> None:
    rows = [{"question": f"begin {'word ' * 5000}end?", "answer": 1}, {"question": "a " * 1400, "answer": 2}]
    _, out, _ = attempt(write(tmp_path / "f.jsonl", rows[0]))
    assert "Question: begin word" in out
    assert "end?\nAnswer: Let's think step by step.\n" in out
    assert out.count("characters ...]\n") == 2
    assert len(out) < 8000
    _, out, _ = attempt(write(tmp_path / "g.jsonl", rows[1]))
    assert "characters ...]" not in out


def test_without_a_model_torch_is_not_loaded(tmp_path: Path) -> None:
    """In an interpreter of its own, since those of the tests have the libraries."""
    file = write(tmp_path / "f.jsonl", *GOOD)
    code = f"""
import sys
from aurify.cli import check
check.run(check.CheckSettings(data={str(file)!r}))
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_nothing_but_bad_rows(tmp_path: Path, attempt: Try) -> None:
    file = write(tmp_path / "f.jsonl", "{", '{"question": "q"}')
    for words in ([], ["--skip-bad"]):
        status, out, err = attempt(file, *words)
        assert status == 1
        assert f"{file}:1: not valid JSON" in out
        assert f"{file}:2: no answer" in out
        assert err.count("\n") == 1
        assert "--skip-bad" not in err, "nothing would be left"


def test_gold_answers_that_do_not_verify(tmp_path: Path, attempt: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_for_check.py").write_text("def never(pred, gold):\n    return False\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    file = write(tmp_path / "f.jsonl", *GOOD)
    status, out, err = attempt(file, "--answers", "mine_for_check:never")
    assert status == 1
    assert "0 verify against themselves, 5 do not" in out
    assert f"  {file}:1: the mine_for_check:never answer '1':" in out
    assert "5 gold answers" in err


def test_prompt_lengths_in_tokens(tmp_path: Path, attempt: Try) -> None:
    letters = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    bytewise = Tokenizer(models.BPE(vocab=letters, merges=[]))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    PreTrainedTokenizerFast(tokenizer_object=bytewise, eos_token="<eos>").save_pretrained(tmp_path / "model")
    file = write(tmp_path / "f.jsonl", *GOOD, {"question": "a longer question?", "answer": 3})
    status, out, _ = attempt(file, "--model", tmp_path / "model")
    assert status == 0
    longest = len("Question: a longer question?\nAnswer: Let's think step by step.\n")
    assert f" to {longest} tokens, median" in out
    assert f"longest at {file}:6" in out
    status, _, err = attempt(file, "--model", tmp_path / "none")
    assert status == 1
    assert "its tokenizer cannot be loaded" in err


def test_prompts_that_leave_no_room_for_a_rationale(
    tmp_path: Path, attempt: Try, tiny_model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The model has 512 positions, and a byte is a token."""
    around = len("Question: \nAnswer: Let's think step by step.\n")
    fits, long = {"question": "q" * (256 - around), "answer": 1}, {"question": "q" * (257 - around), "answer": 1}
    status, out, err = attempt(write(tmp_path / "f.jsonl", fits), "--model", tiny_model_dir)
    assert (status, err) == (0, "")
    assert "to 256 tokens" in out
    assert "too long" not in out
    file = write(tmp_path / "g.jsonl", fits, long, {"question": "q" * 700, "answer": 1})
    status, out, err = attempt(file, "--model", tiny_model_dir)
    assert (status, err, caplog.text) == (0, "", "")
    assert "too long      2 prompts of more than 512 positions less 256 for a rationale\n" in out
    assert f"  {file}:3: {700 + around} tokens\n  {file}:2: 257 tokens\n" in out


def test_few_shot_prompts_and_several_tasks(tmp_path: Path, attempt: Try, shared_data: Path) -> None:
    file = write(tmp_path / "f.jsonl", {**GOOD[0], "task": "sums"}, {"question": "q", "answer": "yes", "task": "talk"})
    prompts = shared_data / "bbh" / "cot-prompts" / "snarks.txt"
    status, out, _ = attempt(file, "--few-shot", prompts)
    assert status == 0
    assert "  sums       1  number 1\n  talk       1  text 1\n" in out
    assert "Q: 0 + 1?\nA: Let's think step by step.\n" in out


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path, attempt: Try) -> None:
    evil = "\x1b[2J\x1b]0;title\x07 [bold]q[/bold]\u202e"
    file = write(tmp_path / "f.jsonl", {"id": evil, "question": evil, "answer": evil, "task": evil}, {evil: 1})
    status, out, err = attempt(file)
    assert status == 1
    assert "[bold]q[/bold]" in out
    assert not set("\x1b\x07\u202e") & set(out + err)


def test_wrong_usage(tmp_path: Path, attempt: Try) -> None:
    file = write(tmp_path / "f.jsonl", *GOOD)
    assert attempt(file, "--answers", "numbr")[0] == 2
    for words in (("--prompt", "chat"), ("--system", "Be brief."), ("--template-args", '{"thinks": true}')):
        status, _, err = attempt(file, *words)
        assert (status, "name it by --model" in err) == (2, True), words
    status, _, err = attempt(tmp_path / "g.jsonl")
    assert status == 1
    assert "g.jsonl: no such file; did you mean 'f.jsonl'?" in err


def test_the_real_command_line(run_aurify: Callable[..., subprocess.CompletedProcess[str]], shared_data: Path) -> None:
    done = run_aurify("check", shared_data / "svamp" / "svamp.jsonl")
    assert done.returncode == 0, done.stderr
    assert "508 verify against themselves" in done.stdout
