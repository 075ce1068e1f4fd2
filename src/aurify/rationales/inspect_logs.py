"""Logs of inspect (https://inspect.aisi.org.uk): JSON, or a zip archive (``.eval``) with a JSON file a sample."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError
from aurify.parsing import parse_json
from aurify.questions.files import format_of

RIGHT, WRONG = "C", "I"
"""How its scorers call it; there is ``P`` (partial) and ``N`` (no answer) too, truth values and numbers."""

_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)
"""What ``zipfile`` raises of a damaged archive, and of one that is encrypted or packed oddly (RuntimeError)."""


def inspect_samples(path: Path) -> list[Mapping[str, Any]] | None:
    """The samples of a log as they stand in it; None of another file.

    Raises:
        AurifyError: the log is damaged, or has no sample.
        OSError: it cannot be read.
    """
    samples = _archived(path) if path.suffix.lower() == ".eval" else _written(path)
    if samples is not None and not samples:
        raise AurifyError(f"{path}: an inspect log without samples")
    return samples


def _archived(path: Path) -> list[Mapping[str, Any]]:
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
            names = sorted(
                name for name in archive.namelist() if name.startswith("samples/") and name.endswith(".json")
            )
            return [_object(archive.read(name).decode("utf-8"), f"{path}: {name}") for name in names]
        except _UNREADABLE as error:
            hint = "; `inspect log convert --to json` writes it again"
            raise AurifyError(f"{path}: cannot be read as an inspect log: {error}{hint}") from None


def _written(path: Path) -> list[Mapping[str, Any]] | None:
    """The samples of a JSON log; None where the file is none."""
    if format_of(path) != ".json":
        return None
    data = path.read_bytes()
    try:
        content = parse_json((gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8"))
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile):
        return None
    if not isinstance(content, Mapping) or not isinstance(content.get("eval"), Mapping) or "status" not in content:
        return None
    samples = content.get("samples") or []
    if not isinstance(samples, list) or not all(isinstance(sample, Mapping) for sample in samples):
        raise AurifyError(f"{path}: an inspect log whose samples are no objects")
    return samples


def _object(text: str, where: str) -> Mapping[str, Any]:
    try:
        content = parse_json(text)
    except ValueError as error:
        raise AurifyError(f"{where}: not JSON: {error}") from None
    if not isinstance(content, Mapping):
        raise AurifyError(f"{where}: expected an object")
    return content
