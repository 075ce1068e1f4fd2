"""What the Markdown files say is so: their form, their links, and every command and flag that they name.

A row of a table may be longer than 120 characters: Markdown cannot break one.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import lru_cache
from pathlib import Path

import pytest
import typer
from page_steps import page_steps, take

from aurify.cli.app import COMMANDS as NAMES
from aurify.cli.app import build, exit_status
from aurify.cli.examples import COMMAND_EXAMPLES

ROOT = Path(__file__).parents[2]
HISTORY = ("CHANGELOG.md", "docs/decisions.md")
"""These tell of flags that have gone since."""

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "bench/**/*.md", "tests/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)
GROUP = typer.main.get_command(build())
COMMANDS = {name: GROUP.get_command(None, name) for name in NAMES}  # type: ignore[attr-defined]  # a group's


def prose_and_code(text: str) -> Iterator[tuple[bool, str]]:
    """Every line, with whether it stands in a code block, fenced or indented."""
    fenced, before = False, ""
    code = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
            yield True, ""
            continue
        code = line.startswith("    ") and (code or not before.strip())
        yield fenced or code, line
        before = line


def shell_commands(text: str) -> list[list[str]]:
    """The words of every command in the code blocks, continued lines joined and comments left out."""
    lines = "\n".join(line.strip() if code else "" for code, line in prose_and_code(text))
    found = []
    for line in lines.replace("\\\n", " ").splitlines():
        if re.match(r"(OMP_NUM_THREADS=1 )?([.\w/-]*/)?(aurify|python3?|make) ", line):
            found.append(shlex.split(re.sub(r"(^| )#.*", "", line)))
    return found


def aurify_words(command: list[str]) -> list[str] | None:
    """What follows ``aurify`` or ``python -m aurify``; None for another program. A redirection is left out."""
    words = [word for word in command if "=" not in word or word.startswith("-")]
    for end in (">", "|", "2>&1", ">>"):
        words = words[: words.index(end)] if end in words else words
    if words[0].rsplit("/", 1)[-1] == "aurify":
        return words[1:]
    return words[3:] if words[1:3] == ["-m", "aurify"] else None


@lru_cache
def flags_of(name: str) -> set[str]:
    """Those of its help, which has the own flags of every method and sampler, too."""
    with redirect_stdout(io.StringIO()) as out:
        assert exit_status(build, [name, "--help"]) == 0
    return set(re.findall(r"--[a-z][\w-]*", out.getvalue()))


def test_every_command_has_an_example_at_the_end_of_its_help_and_takes_it(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert set(COMMAND_EXAMPLES) == set(COMMANDS)
    for name, line in COMMAND_EXAMPLES.items():
        assert exit_status(build, [name, "--help"]) == 0
        assert "".join(capsys.readouterr().out.split()).endswith("".join(f"Example: {line}".split()))
        assert exit_status(build, [*shlex.split(line)[1:], "--dry-run"]) == 0, line
        capsys.readouterr()


def test_the_pages_are_found():
    assert {"README.md", "CONTRIBUTING.md", "docs/methods.md", "bench/results/speed.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_lines_are_at_most_120_characters(page):
    lines = enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1)
    assert not [f"{page}:{number}" for number, line in lines if len(line) > 120 and not line.startswith("|")]


SPELLED_OUT = {
    "NAT": "negative assistant training",
    "NCE": "negative calibrated enhancement",
    "ASC": "adaptive self-consistency",
}


@pytest.mark.parametrize("page", PAGES)
def test_the_second_papers_short_names_are_spelled_out_in_the_papers_words(page):
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    for short, words in SPELLED_OUT.items():
        assert not re.search(rf"\b{short}\b", text) or words in text.lower(), f"{page}: {short}"
    assert not re.search(r"negative[ -](assisted|assistive) training|negative calibration", text, re.IGNORECASE)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 130


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]*))?\)", text):
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), f"{page}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings]


def test_commands_are_read_from_code_blocks_alone():
    text = "Say\n`aurify no`:\n\n    aurify train trice \\\n        --steps 3 > log    # why\n    not aurify x\n\n"
    text += "```\nmake test\n```\n"
    assert shell_commands(text) == [["aurify", "train", "trice", "--steps", "3", ">", "log"], ["make", "test"]]
    assert aurify_words(shell_commands(text)[0]) == ["train", "trice", "--steps", "3"]


@pytest.mark.parametrize("page", PAGES)
def test_every_aurify_command_in_a_code_block_is_one_that_aurify_takes(page, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = (ROOT / page).read_text(encoding="utf-8")
    for step in page_steps(text):
        if step.kind == "file":
            take(step, tmp_path)
    for command in shell_commands(text):
        words = aurify_words(command)
        if words and page not in HISTORY:
            status = exit_status(build, words if words == ["--version"] else [*words, "--dry-run"])
            assert status == 0, f"{page}: {shlex.join(command)}: {capsys.readouterr().err}"


@pytest.mark.parametrize("page", [page for page in PAGES if page not in HISTORY])
def test_every_flag_named_in_a_sentence_is_one_of_the_command_that_it_names(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    scripts = [ROOT / name for name in set(re.findall(r"bench/\w+\.py", text))]
    known_to = {name: flags_of(name) for name in COMMANDS}
    anywhere = set().union(*known_to.values())
    for script in filter(Path.is_file, scripts):
        anywhere |= set(re.findall(r'"(--[\w-]+)"', script.read_text(encoding="utf-8")))
    for quoted in re.findall(r"`([^`]+)`", "\n".join("" if code else line for code, line in prose_and_code(text))):
        words = quoted.split()
        if words[0] == "aurify":
            known = known_to.get(words[1] if len(words) > 1 else "", anywhere)
        elif words[0].startswith("--"):
            known = anywhere
        else:
            continue
        unknown = {word.strip(".,;:)") for word in words if word.startswith("--")} - known
        assert not unknown, f"{page}: `{quoted}`: {unknown}"


ASKED = {"--model": "nugget", "--data": "questions.jsonl"}
LEFT_OUT = {"train": ASKED, "evaluate": ASKED, "sample": {**ASKED, "--out": "runs/x"}, "distill": {"--from": "runs/x"}}
"""What a command in a sentence need not say, since the text around it does."""


@pytest.mark.parametrize("page", [page for page in PAGES if page not in HISTORY])
def test_settings_that_a_command_in_a_sentence_names_go_together(page, capsys):
    lines = prose_and_code((ROOT / page).read_text(encoding="utf-8"))
    for quoted in re.findall(r"`aurify ([^`]+)`", "\n".join("" if code else line for code, line in lines)):
        words = quoted.split()
        if words[0] not in LEFT_OUT or "--" not in quoted or "..." in words or words[-1].startswith("--"):
            continue
        more = [word for pair in LEFT_OUT[words[0]].items() if pair[0] not in words for word in pair]
        assert exit_status(build, [*words, *more, "--dry-run"]) == 0, f"{page}: `{quoted}`: {capsys.readouterr().err}"


@pytest.mark.parametrize("page", PAGES)
def test_scripts_and_make_targets_that_commands_name_are_there(page):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in shell_commands((ROOT / page).read_text(encoding="utf-8")):
        words = command[1:] if "=" in command[0] else command
        steps = page_steps((ROOT / page).read_text(encoding="utf-8"))
        made = ["llama.cpp/convert_hf_to_gguf.py", *(step.name for step in steps)]
        if words[0] == "make":
            assert words[1] in targets, f"{page}: {shlex.join(command)}"
        elif page not in HISTORY and len(words) > 1 and words[1].endswith(".py") and words[1] not in made:
            assert (ROOT / words[1]).is_file() or words[1].startswith("../"), f"{page}: {shlex.join(command)}"


def test_the_map_in_the_readme_names_every_room_and_no_other():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^      ([a-z_]+)/ ", text, re.MULTILINE))
    package = ROOT / "src" / "aurify"
    assert listed == {folder.parent.name for folder in package.glob("*/__init__.py")}
    for name in re.findall(r"^    ([a-z]+)/ ", text, re.MULTILINE):
        assert (ROOT / name).is_dir()


def test_the_map_in_the_readme_names_every_example_and_no_other():
    (listed,) = re.findall(r"^    examples/ .*: (.*)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    for stem, ends in re.findall(r"(\w+)\{([\w,]+)\}\.py", listed):
        listed = listed.replace(f"{stem}{{{ends}}}.py", ", ".join(f"{stem}{end}.py" for end in ends.split(",")))
    assert set(listed.split(", ")) == {path.name for path in (ROOT / "examples").glob("*.py")}


def cited(text: str) -> list[tuple[str, str]]:
    """(page, heading) for every heading that a source file quotes after the name of a page of ``docs/``."""
    quoted = r'"[^"\n]+(?:\n[^"\n]+)?"'
    found = re.findall(rf"docs/([\w-]+\.md),\s+({quoted}(?:(?:,| and|, and)\s+{quoted})*)", text)
    return [(page, " ".join(one.split())) for page, many in found for one in re.findall(r'"([^"]+)"', many)]


def test_every_heading_that_the_source_cites_is_there():
    seen = [
        (path.name, page, heading)
        for path in sorted((ROOT / "src").rglob("*.py"))
        for page, heading in cited(path.read_text(encoding="utf-8"))
    ]
    assert len(seen) > 10
    for name, page, heading in seen:
        headings = re.findall(
            r"^#+ (?:\d{4}-\d\d-\d\d: )?(.*)", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE
        )
        assert heading in headings, f"{name}: docs/{page}, {heading}"


def test_cited_headings_are_read_across_lines():
    text = 'See docs/methods.md. Source: docs/methods.md, "One\nidea" and "Two", docs/a-b.md, "Three"; "four".'
    assert cited(text) == [("methods.md", "One idea"), ("methods.md", "Two"), ("a-b.md", "Three")]


def test_the_example_in_python_runs(tmp_path, monkeypatch, capsys):
    from aurify.nugget import different, json_line

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "counting.jsonl").write_text("".join(map(json_line, different("object_counting", 10, 0))))
    assert "steps=40" in snippet
    names: dict[str, object] = {}
    exec(snippet.replace("steps=40", "steps=1"), names)
    assert "before" in capsys.readouterr().out
    assert (tmp_path / "runs" / "python" / "model" / "config.json").is_file()
    assert names["model"] is not None


def test_so_does_the_one_for_those_who_come_from_trl(tmp_path, monkeypatch):
    (snippet,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "guides" / "from_trl.md").read_text("utf-8"), re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(snippet, names)
    assert (tmp_path / "runs" / "grpo" / "model" / "config.json").is_file()
    assert names["run"].before.n == 8
