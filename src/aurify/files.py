"""Files and folders that are written whole or not at all, whatever happens to the process or the machine."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from aurify.errors import AurifyError

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
"""Of manifests."""


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Write a whole file through ``atomic_writer``.

    Raises:
        OSError: naming ``path``.
    """
    with atomic_writer(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def atomic_writer(path: str | Path, *, keep: bool = False) -> Iterator[IO[bytes]]:
    """Write a file so that a reader, or a crash at any moment, finds the old content or the new, never a part.

    What is written goes to a temporary file in the same folder, and that takes the name, safe on the disk, when the
    block ends without an error. What is not a regular file (``/dev/stdout``, a pipe) is written directly.

    Args:
        keep: write to ``part_of(path)``, which stays where the block ends with an error.

    Raises:
        OSError: naming ``path``.
    """
    asked = Path(path)
    if asked.exists() and not asked.is_file():
        with open(asked, "wb") as file:
            yield file
        return
    path = Path(os.path.realpath(asked))  # a link stays a link
    temporary = part_of(path) if keep else _temporary(path)
    try:
        with open(temporary, "wb" if keep else "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        if error.filename in (None, str(temporary)):  # not another file's, read inside the block
            error.filename, error.filename2 = str(asked), None
        raise
    finally:
        if not keep:
            with suppress(OSError):  # as where nothing can be written: that error is the one to tell
                temporary.unlink()


def part_of(path: str | Path) -> Path:
    """Where what was written of a file stands that was not finished."""
    path = Path(os.path.realpath(path))
    return path.with_name(f"{path.name}.part")


class Kept:
    """The content of a file that several folders hold one after another, and that does not change.

    A folder of ``atomic_folder`` takes the file over from an older one by a hard link, which takes no time, instead of
    writing it again. Damage to one name of a file is damage to all, so who keeps several folders for safety says
    beside which one a new name must be a new file.
    """

    def __init__(self, content: Callable[[], bytes]) -> None:
        self.content = content
        self._at: list[Path] = []

    def put(self, folder: Path, name: str, final: Path, known: dict[str, Any], *, beside: Path | None) -> None:
        """Have the file in a folder that is being filled.

        Args:
            name: within the folder.
            final: where the folder will be.
            known: is told the size and the hash of a file that was taken over, for ``atomic_folder``.
            beside: a folder with which the file must not be shared.
        """
        self._at = [root for root in self._at if (root / name).is_file()]
        for root in reversed(self._at):
            entry = _recorded(root, name) if root != beside else None
            if entry is not None and _linked(root / name, folder / name):
                known[name] = entry
                break
        else:
            (folder / name).write_bytes(self.content())
        self._at = [root for root in self._at if root != final] + [final]


@contextmanager
def atomic_folder(path: str | Path, *, known: Mapping[str, Any] = MappingProxyType({})) -> Iterator[Path]:
    """A temporary folder to fill, that takes the name ``path`` when the block ends well, and goes when it does not.

    It then holds ``manifest.json`` with the size and SHA-256 of every file, for ``verify_folder``. A folder that
    stood at ``path`` is replaced. One process at a time may write to a path.

    Args:
        known: what the manifest says of some files, read when the block ends (see ``Kept.put``).

    Raises:
        AurifyError: something that is not a folder stands at ``path``, or there is no room for what is written.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_dir():
        raise AurifyError(f"{path}: stands already and is not a folder; name another or remove it")
    temporary = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        files = {}
        for file in sorted(temporary.rglob("*")):
            if file.is_file():
                file.chmod(temporary.stat().st_mode & 0o666)  # as the umask has it; safetensors' own are private
                name = file.relative_to(temporary).as_posix()
                files[name] = known[name] if name in known else _fingerprint(file)
            _sync(file)
        write_atomically(
            temporary / MANIFEST, json.dumps({"version": MANIFEST_VERSION, "files": files}, indent=1) + "\n"
        )
        if path.exists():
            _exchange(temporary, path)
        else:
            os.rename(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise AurifyError(f"{path}: cannot be written: {error.strerror or error}") from error
    except Exception as error:
        if type(error).__name__ != "SafetensorError":  # what a full disk is there
            raise
        raise AurifyError(f"{path}: cannot be written: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # what failed, or what was replaced


def verify_folder(path: str | Path, *, contents: bool = True) -> None:
    """Check a folder written by ``atomic_folder`` against its manifest; files it does not name are not looked at.

    Args:
        contents: read the files too, and not only their sizes.

    Raises:
        AurifyError: naming the file that is missing or damaged.
    """
    folder = Path(path)
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        version: int = manifest["version"]
        expected: dict[str, dict[str, Any]] = manifest["files"]
        items = [(name, entry["size"], entry["sha256"]) for name, entry in expected.items()]
    except FileNotFoundError:
        what = f"{MANIFEST} is missing, so it was not written to its end" if folder.is_dir() else "no such folder"
        raise AurifyError(f"{folder}: {what}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise AurifyError(f"{folder / MANIFEST}: damaged: not a manifest") from None
    if version != MANIFEST_VERSION:
        raise AurifyError(
            f"{folder / MANIFEST}: of version {version!r}, and this aurify reads {MANIFEST_VERSION}: update aurify"
        )
    for name, size, sha256 in items:
        file = folder / name
        if not file.is_file():
            raise AurifyError(f"{file}: missing, though the manifest names it")
        if file.stat().st_size != size:
            raise AurifyError(f"{file}: damaged: {file.stat().st_size} bytes where the manifest says {size}")
        if contents and _fingerprint(file)["sha256"] != sha256:
            raise AurifyError(f"{file}: damaged: its SHA-256 is not the manifest's")


def remove_folder(path: str | Path) -> None:
    """Delete a folder so that a reader, or a crash at any moment, finds all of it or nothing of that name."""
    path = Path(path)
    temporary = _temporary(path)
    os.rename(path, temporary)
    shutil.rmtree(temporary)


def is_leftover(name: str) -> bool:
    """Whether a file or folder of this name is one that is being written or deleted, or was when its process died."""
    return name.startswith(".") and ".tmp-" in name


def sweep(folder: str | Path) -> None:
    """Remove what dead processes left half written or half deleted in a folder. Nobody else may be writing to it."""
    folder = Path(folder)
    for entry in list(folder.iterdir()) if folder.is_dir() else ():
        if is_leftover(entry.name):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """A hidden name beside ``path``; those that dead processes left for the same path are removed."""
    prefix = f".{path.name}.tmp-"
    with suppress(OSError):
        for leftover in path.parent.iterdir():
            if leftover.name.startswith(prefix) and not _alive(leftover.name.removeprefix(prefix)):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)
    return path.with_name(f"{prefix}{os.getpid()}")


def _alive(pid: str) -> bool:
    if not pid.isdecimal() or int(pid) == os.getpid():
        return False
    if os.name != "posix":
        return True  # there, os.kill would end it
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _exchange(new: Path, old: Path) -> None:
    """Swap two folders' names, in one step where the system can; elsewhere ``old`` is absent for a moment."""
    if sys.platform == "linux":
        rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        at_cwd, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fs.h
        if rename and rename(at_cwd, os.fsencode(new), at_cwd, os.fsencode(old), exchange) == 0:
            return
    aside = new.with_name(f"{new.name}-old")
    os.rename(old, aside)
    os.rename(new, old)
    os.rename(aside, new)


def _recorded(folder: Path, name: str) -> Any:
    """What a folder's manifest says of a file; None where it says nothing."""
    try:
        return json.loads((folder / MANIFEST).read_bytes())["files"].get(name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _linked(source: Path, target: Path) -> bool:
    """Give a file a second name, where the file system has such."""
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _fingerprint(file: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return {"size": file.stat().st_size, "sha256": digest.hexdigest()}


def _sync(path: Path) -> None:
    """Force a file's or a folder's content to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
