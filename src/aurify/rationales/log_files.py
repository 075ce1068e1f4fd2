"""The files of a folder that programs write their samples into: a file a step, a task, or a run."""

from __future__ import annotations

import re
from pathlib import Path

from aurify.errors import AurifyError
from aurify.questions.files import SUFFIXES, format_of

LOG_NAMES = ("samples_*", "*.eval", "*")
"""By which names files of samples are found, the first that a folder has: what lm-evaluation-harness calls them (beside
them are results without samples), inspect's archives, and any file of rows, as TRL and verl write one a step."""
ARCHIVE = ".eval"


def log_files(path: Path) -> list[Path]:
    """The file itself, or the files with samples of a folder by name, numbers in their order (2 before 10).

    Raises:
        AurifyError: there is no such path, or no such file in the folder.
    """
    if not path.exists():
        raise AurifyError(f"{path}: no such file or folder")
    if not path.is_dir():
        return [path]
    for kind in LOG_NAMES:
        if files := [file for file in path.glob(kind) if _is_log(file)]:
            return sorted(files, key=_in_order)
    inner = sorted({file.parent.name for file in path.glob("*/*") if _is_log(file) and file.parent.name[:1] != "."})
    hint = f"; there are some in its folders {', '.join(inner[:5])}" if 0 < len(inner) <= 20 else ""
    raise AurifyError(
        f"{path}: no rationales here: expected a run's folder, step-*.parquet files, or others with samples "
        f"({', '.join((*SUFFIXES, ARCHIVE))}){hint}"
    )


def _is_log(file: Path) -> bool:
    return file.is_file() and format_of(file) in (*SUFFIXES, ARCHIVE) and file.name[:1] != "."


def _in_order(file: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", file.name)]
