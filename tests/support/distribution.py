"""A distribution that is installed beside the package, as another project's would be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def installed(folder: Path, group: str, points: Mapping[str, str], modules: Mapping[str, str]) -> Path:
    """The folder, to be put on the path: its entry points of a group by word, and its modules' sources by name."""
    info = folder / "ours-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 0.1\n")
    lines = [f"[{group}]", *(f"{word} = {spec}" for word, spec in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return folder
