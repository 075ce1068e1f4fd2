"""The package as others get it: what is in the wheel, that it runs, and that its public names have types."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

USERS = """
from pathlib import Path

import aurify
from typing_extensions import assert_type

questions = aurify.load_questions("questions.jsonl")
train, held_out = aurify.split_questions(list(questions), 0.4, 0)
assert_type(train, list[aurify.Question])
run = aurify.train("trice", model="nugget", data=train, out="runs/mine", held_out=held_out, steps=3)
assert_type(run.model, Path)
loaded = aurify.load_model(str(run.model))
aurify.train("trice", model="nugget", data=3, out="runs/mine")  # MISTAKE
aurify.load_question("questions.jsonl")  # MISTAKE
"""


def build(kind: str, source: Path, folder: Path) -> Path:
    """A "wheel" or an "sdist" of a source tree, as ``python -m build`` makes it."""
    code = f"import hatchling.build as b; print(b.build_{kind}({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed: pip install 'aurify[dev]'")
    return build("wheel", ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment in which the wheel is installed; its dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    (site,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


def run(python: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(python), *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=280)


def test_the_wheel_holds_the_model_the_page_and_the_mark_of_types(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = ("nugget/model/model.safetensors", "nugget/model/tokenizer.json", "report/page/page.html", "py.typed")
    assert {f"aurify/{name}" for name in wanted} <= names
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "aurify").rglob("*.py")}
    assert sources <= names
    assert not [name for name in names if not name.startswith(("aurify/", "aurify-"))]
    assert wheel.stat().st_size < 20e6


def test_the_source_archive_makes_the_same_wheel_and_holds_nothing_else_of_this_machine(wheel, tmp_path):
    archive = build("sdist", ROOT, tmp_path)
    with tarfile.open(archive) as found:
        found.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    top = {path.name for path in source.iterdir()}
    assert {"README.md", "LICENSE", "CITATION.cff", "Makefile", "src", "tests", "docs"} <= top
    assert not top & {"models", "runs", "shared", "dist", "site", ".venv", ".browser"}
    assert archive.stat().st_size < 20e6
    again = build("wheel", source, tmp_path)
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {(item.filename, item.CRC) for item in first.infolist()} == {
            (item.filename, item.CRC) for item in second.infolist()
        }


def test_the_installed_command_and_the_embedded_model_run(installed, tmp_path):
    import aurify

    done = run(installed, "-m", "aurify", "--version", cwd=tmp_path)
    assert (done.stdout, done.stderr) == (f"aurify {aurify.__version__}\n", "")
    code = "import aurify; print(aurify.__file__); print(len(list(aurify.load_model('nugget').model.parameters())))"
    done = run(installed, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    where, count = done.stdout.split()
    assert Path(where).is_relative_to(installed.parents[1])
    assert int(count) > 5


def test_a_users_program_is_checked_against_the_types_of_the_public_names(installed, tmp_path):
    (tmp_path / "program.py").write_text(USERS)
    (tmp_path / "mypy.ini").write_text(  # other libraries' types take minutes
        "[mypy]\nstrict = true\nfollow_imports = skip\n[mypy-aurify.*]\nfollow_imports = normal\n"
    )
    words = ("-m", "mypy", "--config-file", "mypy.ini", "--no-error-summary", "--no-incremental", "program.py")
    done = run(installed, *words, cwd=tmp_path)
    found = [int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line]
    mistakes = [number for number, line in enumerate(USERS.splitlines(), 1) if "MISTAKE" in line]
    assert found == mistakes, done.stdout
