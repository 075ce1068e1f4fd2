"""``--json FILE``: what a command found, as numbers for a program beside the words for a reader."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aurify.errors import UsageError
from aurify.files import write_atomically


def check_target(target: str | None, flag: str = "--json") -> None:
    """Before the work: whether what was asked for by this flag can be written there.

    Raises:
        UsageError: they cannot.
    """
    if target in (None, "-"):
        return
    if Path(str(target)).is_dir() or not Path(str(target)).parent.is_dir():
        raise UsageError(f"{flag} {target}: not a file in a folder that exists")


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
