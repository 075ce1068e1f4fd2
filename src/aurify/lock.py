"""One writer a folder: a lock that is gone with its process, however that ends."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aurify.errors import AurifyError, UsageError
from aurify.files import is_leftover
from aurify.held_back import held_back

LOCK = ".lock"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
"""What file systems say that have no locks."""


@contextmanager
def sole_writer(folder: str | Path, say: Callable[[str], None] = lambda text: None) -> Iterator[None]:
    """Be the only one that writes to a folder while the block lasts; the folder is made where there is none.

    The lock is the system's (``flock``) on a file in the folder, which names the process. It ends with the process,
    killed or not; a file that a killed one left means nothing. Children that are started as programs do not hold it.

    Args:
        say: is told where the file system has no locks; the work then goes on without.

    Raises:
        UsageError: something that is not a folder stands there.
        AurifyError: another process, or another thread, has it; the message names the process.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder}: stands already and is not a folder; name another")
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    descriptor = None
    try:
        with held_back():  # or a signal just then would leave the file
            descriptor = _locked(path, folder, say)
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                path.unlink()  # before it is let go: who waits sees that this file is no longer the one
            os.close(descriptor)
        if made:
            with suppress(OSError):
                folder.rmdir()  # nothing came of it


def is_unused(folder: Path) -> bool:
    """Whether nothing stands at this path but what a killed process left half written."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(entry.name == LOCK or is_leftover(entry.name) for entry in folder.iterdir())


def _locked(path: Path, folder: Path, say: Callable[[str], None]) -> int | None:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # the folder went with the one that made it
            folder.mkdir(parents=True, exist_ok=True)
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 500).decode(errors="replace").strip()
            os.close(descriptor)
            raise AurifyError(
                f"{folder}: {holder or 'another process'} is at work in it: wait for its end, or choose another folder"
            ) from None
        except OSError as error:
            os.close(descriptor)
            with suppress(OSError):
                path.unlink()
            if error.errno not in _NO_LOCKS:
                raise
            say(f"{folder}: this file system has no locks, so nothing keeps a second run out of the folder")
            return None
        if _still_there(path, descriptor):
            break
        os.close(descriptor)  # its holder has just ended and removed it
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError):  # where the disk is full it is locked all the same
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()} (since {since})\n".encode())
    return descriptor


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
