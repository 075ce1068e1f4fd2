"""``--json FILE``: what a command found, as numbers for a program beside the words for a reader."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aurify.errors import UsageError
from aurify.files import write_atomically


def check_target(target: str | None, flag: str = "--json", *, read: Iterable[str | None] = ()) -> None:
    """Before the work: whether what was asked for by this flag can be written there.

    Args:
        read: what the command reads, which is not written over.

    Raises:
        UsageError: it cannot.
    """
    if target in (None, "-"):
        return
    path = Path(str(target))
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{flag} {target}: not a file in a folder that exists")
    if path.exists() and any(name and Path(name).exists() and path.samefile(name) for name in read):
        raise UsageError(f"{flag} {target}: is read by this command, and would be lost: name another file")


def tell(numbers: Any, lines: Iterable[str], target: str | None) -> bool:
    """The numbers to their target, and the lines to standard output, unless the numbers went there.

    Returns:
        Whether the lines were written.
    """
    if target is not None:
        text = json.dumps(numbers, indent=2) + "\n"
        if target == "-":
            sys.stdout.write(text)
            return False
        write_atomically(target, text)
    for line in lines:
        sys.stdout.write(line + "\n")
    return True
