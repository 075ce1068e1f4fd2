"""What a process can no longer do once it is isolated: the limits that every system has, and Linux's namespaces.

With namespaces there is no network, no file can be written but in the folder given (a file system in memory, of bounded
size), and no other process is seen; whatever was started ends with the first process. Without them the limits hold, and
the network and the files are those of the user.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

_NEW = 0x10000000 | 0x40000000 | 0x20000000 | 0x00020000 | 0x08000000  # user, net, pid, mount, ipc
_RECURSIVE, _PRIVATE, _READ_ONLY = 0x4000, 0x40000, 0x1
_AT_RECURSIVE, _AT_FDCWD, _MOUNT_SETATTR = 0x8000, -100, 442
FILES = 64
PROCESSES = 64
DISK_MB = 64


def isolate(folder: str, *, memory_mb: int, seconds: int, parent: int) -> bool:
    """Give up what is not needed; False where there are no namespaces. The caller goes on in a child process.

    Args:
        folder: an empty folder, the current one from now on.
        parent: the process id of who started this one; both end together.
    """
    _die_with(parent)
    apart = _namespaces(folder)
    own = os.getpid()
    if apart and (child := os.fork()):  # the child is the first process of its own world
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    _die_with(0 if apart else own, check=not apart)
    if apart:
        _own_proc()
    os.chdir(folder)
    _limit(memory_mb, seconds)
    return apart


def _limit(memory_mb: int, seconds: int) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, memory_mb * 2**20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, DISK_MB * 2**20),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_NPROC, PROCESSES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (bound, bound))


def _die_with(parent: int, *, check: bool = True) -> None:
    """On Linux, end when the parent does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if check and parent != os.getpid() and os.getppid() != parent:
            os._exit(1)


def _namespaces(folder: str) -> bool:
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW):
        return False
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError:
        return False
    done = libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    read_only = (ctypes.c_uint64 * 4)(_READ_ONLY, 0, 0, 0)
    done = done or libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, read_only, ctypes.sizeof(read_only))
    done = done or libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={DISK_MB}m".encode())
    return not done


def _own_proc() -> None:
    """Where the system lets us: a /proc of these processes alone, and a bound on how many there may be."""
    libc = ctypes.CDLL(None)
    if libc.mount(b"proc", b"/proc", b"proc", 0, None) == 0:
        with suppress(OSError), open("/proc/sys/kernel/pid_max", "w") as file:
            file.write("301")  # the least that it takes
