from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aurify.errors import AurifyError
from aurify.files import MANIFEST, atomic_folder, atomic_writer, part_of, verify_folder, write_atomically


def _child(code: str, *words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", f"from aurify.files import *; import os, sys\n{code}", *map(str, words)]
    )


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_atomically(file, "old π\n")
    assert file.read_bytes() == "old π\n".encode()
    write_atomically(file, b"\x00new")
    assert file.read_bytes() == b"\x00new"
    assert _names(tmp_path) == ["a.json"]


def test_a_writer_that_fails_leaves_what_was_there_and_its_own_error(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")

    def write_half() -> None:
        with atomic_writer(file) as out:
            out.write(b"half")
            (tmp_path / "elsewhere").read_bytes()

    with pytest.raises(FileNotFoundError, match="elsewhere"):
        write_half()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert file.read_text() == "old"
    with atomic_writer(file) as out:
        out.write(b"one, ")
        assert file.read_text() == "old"
        out.write(b"two")
    assert file.read_text() == "one, two"


def test_what_is_kept_of_a_writer_that_fails_is_its_part_and_goes_with_the_whole(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").write_text("old")

    def write_half() -> None:
        with atomic_writer(tmp_path / "link", keep=True) as out:
            out.write(b"half")
            raise AurifyError("a bad row")

    with pytest.raises(AurifyError, match="a bad row"):
        write_half()
    assert (tmp_path / "file").read_text() == "old"
    assert part_of(tmp_path / "link").read_text() == "half"
    assert part_of(tmp_path / "link").name == "file.part"
    with atomic_writer(tmp_path / "link", keep=True) as out:
        out.write(b"whole")
    assert (tmp_path / "file").read_text() == "whole"
    assert _names(tmp_path) == ["file", "link"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_atomically(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "text"


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_atomically("/dev/null", "text")
    assert not Path("/dev/null").is_file()
    assert Path("/dev/null").read_bytes() == b""


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "absent" / "a.json", "text")
    assert caught.value.filename == str(tmp_path / "absent" / "a.json")


def test_where_nothing_can_be_written_the_file_that_was_asked_for_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object, *given: object, **more: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    for name in ("unlink", "mkdir", "rmdir"):  # a read-only file system refuses these even of what is not there
        monkeypatch.setattr(Path, name, refuse)
        monkeypatch.setattr(os, name, refuse)
    with pytest.raises(OSError, match="Read-only") as caught:
        write_atomically(tmp_path / "a.json", "text")
    assert caught.value.filename == str(tmp_path / "a.json")
    with pytest.raises(AurifyError, match=re.escape(f"{tmp_path / 'model'}: cannot be written: Read-only")):
        atomic_folder(tmp_path / "model").__enter__()


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(sys.argv[1], b"n" * 5000)
except OSError as error:
    sys.exit(0 if error.filename == sys.argv[1] else 3)
sys.exit(4)
"""
    write_atomically(tmp_path / "a", "old")
    assert _child(code, tmp_path / "a").wait(30) == 0
    assert (tmp_path / "a").read_text() == "old"
    assert _names(tmp_path) == ["a"]


def test_a_folder_appears_whole_with_its_manifest(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "deep" / "model") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "weights").write_bytes(b"w" * 1000)
        (folder / "config").write_text("{}")
        assert not (tmp_path / "deep" / "model").exists()
    done = tmp_path / "deep" / "model"
    assert _names(tmp_path / "deep") == ["model"]
    assert json.loads((done / MANIFEST).read_text())["files"]["sub/weights"] == {
        "size": 1000,
        "sha256": "04ffd92aef8aafe6f4f8388bc9f7c5b0d39eae37128b1ca693647b8569f8e629",
    }
    verify_folder(done)


def test_a_failed_folder_leaves_nothing(tmp_path: Path) -> None:
    def fill() -> None:
        with atomic_folder(tmp_path / "model") as folder:
            (folder / "part").write_text("x")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fill()
    assert _names(tmp_path) == []


def test_a_folder_replaces_the_one_before(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with atomic_folder(tmp_path / "model") as folder:
            (folder / content).write_text(content)
    assert _names(tmp_path / "model") == [MANIFEST, "new"]
    assert _names(tmp_path) == ["model"]


def test_a_folder_does_not_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("notes")
    with pytest.raises(AurifyError, match="not a folder"), atomic_folder(tmp_path / "model"):
        pass
    assert (tmp_path / "model").read_text() == "notes"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "weights").unlink(), "weights: missing, though the manifest names it"),
        (lambda folder: (folder / "weights").write_bytes(b"w" * 999), "weights: damaged: 999 bytes where"),
        (lambda folder: (folder / "weights").write_bytes(b"v" * 1000), "weights: damaged: its SHA-256"),
        (lambda folder: (folder / MANIFEST).unlink(), "model: manifest.json is missing"),
        (lambda folder: (folder / MANIFEST).write_text("[1]"), "manifest.json: damaged: not a manifest"),
        (lambda folder: (folder / MANIFEST).write_text('{"files"'), "manifest.json: damaged: not a manifest"),
        (lambda folder: (folder / MANIFEST).write_bytes(b"\xff"), "manifest.json: damaged: not a manifest"),
        (lambda folder: folder.rename(folder.with_name("elsewhere")), "model: no such folder"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: object, message: str) -> None:
    with atomic_folder(tmp_path / "model") as folder:
        (folder / "weights").write_bytes(b"w" * 1000)
    assert callable(damage)
    damage(tmp_path / "model")
    with pytest.raises(AurifyError, match=message):
        verify_folder(tmp_path / "model")


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    code = """
with atomic_folder(sys.argv[1]) as folder:
    (folder / "half").write_text("x")
    os.kill(os.getpid(), 9)
"""
    assert _child(code, tmp_path / "model").wait(30) == -signal.SIGKILL
    assert [name[:11] for name in _names(tmp_path)] == [".model.tmp-"]
    with atomic_folder(tmp_path / "model") as folder:
        (folder / "whole").write_text("y")
    assert _names(tmp_path) == ["model"]


def test_a_living_process_keeps_its_temporary_files(tmp_path: Path) -> None:
    (tmp_path / f".a.tmp-{os.getppid()}").write_text("being written")
    write_atomically(tmp_path / "a", "mine")
    assert len(_names(tmp_path)) == 2


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011, 0.027, 0.05, 0.1])
def test_a_process_killed_at_any_moment_leaves_the_old_or_the_new(tmp_path: Path, delay: float) -> None:
    code = """
for number in range(1_000_000):
    write_atomically(sys.argv[1] + "/file", str(number).encode() * 20_000)
    with atomic_folder(sys.argv[1] + "/folder") as folder:
        for name in "abc":
            (folder / name).write_bytes(str(number).encode() * 20_000)
    open(sys.argv[1] + "/started", "w").close()
"""
    child = _child(code, tmp_path)
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay)
    child.kill()
    child.wait(30)
    content = (tmp_path / "file").read_bytes()
    unit = content[: len(content) // 20_000]
    assert unit
    assert content == unit * 20_000
    verify_folder(tmp_path / "folder")
    assert len({(tmp_path / "folder" / name).read_bytes() for name in "abc"}) == 1
