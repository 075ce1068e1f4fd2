"""The steps of a page of the documentation, as a reader would take them: commands, blocks of Python, files.

- A command is a line of a code block that begins with a program. One whose comment says ``# needs ...`` is left out.
- A fenced block whose first line is ``# NAME.py``, ``# NAME.toml`` or ``# NAME.yaml`` is that file.
- Any other block of Python is run.

Steps are run shorter than they say: one step, few questions, few samples (``SHORTER``).
"""

from __future__ import annotations

import io
import re
import runpy
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from aurify.cli.app import build, exit_status

COMMAND = re.compile(r"(aurify|python3?|make|pip|git|torchrun|vllm|llama-server) |\. \S+/activate$")
INSTALLS = ("make", "pip", "git", ".")
"""Programs that make the environment in which the tests run already."""

TYPED = "I have a lamp and a chair. How many objects do I have?\n"
"""What stands at the standard input of every command."""

SHORTER = (
    (r"--steps \d+", "--steps 1"),
    (r"--samples \d+", "--samples 2"),
    (r"--n \d+", "--n 16"),
    (r"(aurify doctor .*)", r"\1 --questions 3 --samples 2"),
    (r"\bsteps=\d+", "steps=1"),
    (r'budget = "\d+ samples"', 'budget = "14 samples"'),
    (r"seeds = \[.*\]", "seeds = [0]"),
    (r'methods = \["trice", "rloo", "star"\]', 'methods = ["trice", "rloo"]'),
)


@dataclass(frozen=True)
class PageStep:
    """One thing that a reader does: its kind (command, python, file), the text, and where it stands."""

    kind: str
    text: str
    line: int
    name: str = ""


def commands_of(page: str, program: str) -> list[str]:
    """The page's lines that begin with a program, joined where they go on, without their comments."""
    lines = re.sub(r" \\\n +", " ", page).splitlines()
    return [line.partition("#")[0].strip() for line in lines if line.startswith(f"    {program} ")]


def page_steps(text: str) -> Iterator[PageStep]:
    """The steps of a page in order; without commands that need what a test has not."""
    fence: str | None = None
    block: list[str] = []
    pending = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("```"):
            if fence is None:
                fence, block = bare[3:].strip(), []
                continue
            first = re.fullmatch(r"# ([\w.-]+\.(?:py|toml|yaml))", block[0]) if block else None
            body = "\n".join(block) + "\n"
            if first is not None:
                yield PageStep("file", body, number, first[1])
            elif fence == "python":
                yield PageStep("python", body, number)
            fence = None
        elif fence is not None:
            block.append(line)
        elif line.startswith("    ") and (pending or COMMAND.match(bare)):
            pending += bare
            if pending.endswith("\\"):
                pending = pending[:-1]
                continue
            if not re.search(r"# needs ", pending) and pending.split()[0] not in INSTALLS:
                yield PageStep("command", re.sub(r"\s+# .*", "", pending), number)
            pending = ""


def shortened(text: str) -> str:
    """The same with less work in it."""
    for pattern, shorter in SHORTER:
        text = re.sub(pattern, shorter, text)
    return f"{text} --steps 1" if re.match(r"aurify (train|distill) (?!.*--(steps|help))", text) else text


def take(step: PageStep, folder: Path) -> str:
    """Do what a step says in ``folder``, which is the current one, and return what it printed.

    Raises:
        AssertionError: a command ended with another status than 0.
    """
    if step.kind == "file":
        (folder / step.name).write_text(shortened(step.text), encoding="utf-8")
        return ""
    if step.kind == "python":
        with redirect_stdout(io.StringIO()) as out:
            exec(compile(shortened(step.text), f"line {step.line}", "exec"), {"__name__": "__page__"})
        return out.getvalue()
    words = shlex.split(shortened(step.text))
    target = folder / words.pop() if len(words) > 2 and words[-2] == ">" else None
    words = words[:-1] if target else words
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    before, sys.stdin = sys.stdin, io.StringIO(TYPED)
    try:
        with redirect_stdout(out):
            status = run_words(words)
    finally:
        sys.stdin = before
    assert status == 0, f"status {status}: {shlex.join(words)}"
    out.flush()
    printed = out.buffer.getvalue()  # type: ignore[attr-defined]  # of BytesIO
    if target:
        target.write_bytes(printed)
    return str(printed, "utf-8")


def run_words(words: Sequence[str]) -> int:
    """Run ``aurify ...``, ``python -m MODULE ...`` or ``python FILE ...`` in this process."""
    if words[0] == "aurify":
        return exit_status(build, list(words[1:]))
    before = sys.argv
    try:
        if words[1] == "-m":
            sys.argv = list(words[2:])
            runpy.run_module(words[2], run_name="__main__", alter_sys=False)
        else:
            sys.argv = list(words[1:])
            runpy.run_path(words[1], run_name="__main__")
    finally:
        sys.argv = before
    return 0
