"""Everything a report says, as data: what is above it reads folders, what is below it makes a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurify.report.browser import question_items
from aurify.report.chains import Chains, read_chains
from aurify.report.compared import RunComparison, compare_runs
from aurify.report.curves import Curve, curves
from aurify.report.source import RunSource, read_run
from aurify.report.summary import Summary, summarise
from aurify.report.votes import VoteFile, read_votes


@dataclass(frozen=True)
class RunContent:
    """One run."""

    summary: Summary
    curves: list[Curve]
    source: RunSource

    @classmethod
    def read(cls, folder: str | Path) -> RunContent:
        """That of a folder.

        Raises:
            AurifyError: see ``source.read_run``.
        """
        source = read_run(folder)
        return cls(summarise(source), curves(source.lines), source)

    def chains(self) -> Chains:
        """The chains of its questions."""
        return read_chains(self.source)

    def items(self, votes: Sequence[VoteFile] = ()) -> Iterator[dict[str, Any]]:
        """Its questions, as the page's browser takes them."""
        return question_items(self.source, self.chains(), votes)


@dataclass(frozen=True)
class Content:
    """One run, or several and their comparison."""

    runs: list[RunContent]
    names: list[str]
    """What the runs are called: the shortest ends of their paths that tell them apart."""
    comparison: RunComparison | None = None
    votes: Sequence[VoteFile] = ()


def read_content(folders: Sequence[str | Path], votes: Sequence[str | Path] = ()) -> Content:
    """The content of a report on these runs, and on files of votes on their questions.

    Raises:
        AurifyError: see ``source.read_run`` and ``votes.read_votes``.
    """
    paths = [Path(folder) for folder in dict.fromkeys(map(str, folders))]
    runs = [RunContent.read(path) for path in paths]
    comparison = compare_runs(paths) if len(paths) > 1 else None
    return Content(runs, short_names(paths), comparison, read_votes(votes))


def short_names(paths: Sequence[Path]) -> list[str]:
    """The last parts of each path, as many as tell all of them apart."""
    parts = [path.resolve().parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-length:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]
