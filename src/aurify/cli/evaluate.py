"""aurify evaluate: how good a model is on questions with known answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aurify.cli.numbers import check_target, tell
from aurify.cli.options import add_command
from aurify.cli.progress import progress_bar, say
from aurify.cli.tables import percent, text_table
from aurify.errors import AurifyError
from aurify.evaluation.settings import EvaluateSettings
from aurify.garbage import no_collections
from aurify.text import counted, printable

if TYPE_CHECKING:
    from aurify.evaluation import Score
    from aurify.evaluation.result import Evaluation, GroupScores

NAME_WIDTH = 40
"""Longer names of tasks and levels are cut."""


def run(settings: EvaluateSettings) -> None:
    """Measure a model on questions with known answers: greedy accuracy, and with --samples also maj@k and pass@k.

    All accuracies have 95 % intervals: Wilson's for greedy, a bootstrap over the questions for what is sampled.
    """
    check_target(settings.json_)
    with no_collections():
        from aurify.evaluation.run import run_evaluation

    try:
        with progress_bar("rationales") as progress:
            found = run_evaluation(settings, say=say, progress=progress)
    except KeyboardInterrupt as stop:
        kept = f"; what was drawn is in {settings.out}, and the same command goes on from there" if settings.out else ""
        raise AurifyError(f"{str(stop) or 'interrupted'} before the end, so there are no numbers{kept}") from None
    tell(found.to_dict(), _report(found), settings.json_)


register = partial(add_command, name="evaluate", kind=EvaluateSettings, run=run)


def _report(found: Evaluation) -> Iterator[str]:
    """The lines for a person; accuracies in percent."""
    settings = found.settings
    scores = found.overall.scores
    n = max((int(name.removeprefix("pass@")) for name in scores if name.startswith("pass@")), default=0)
    sampled = f", {n} samples each" if n else ""
    sampled += f" at temperature {settings.temperature:g}" if n and settings.from_ is None else ""
    yield printable(f"{settings.model} on {settings.data}: {found.overall.n} questions{sampled}")
    yield ""
    groups = [("all", found.overall)]
    groups += list(found.tasks.items()) if len(found.tasks) > 1 else []
    groups += list(found.levels.items()) if len(found.levels) > 1 else []
    votes = (f"{settings.vote}@{n}", f"{settings.vote}@<={settings.samples}")
    shown = [name for name in ("greedy", "sampled", f"maj@{n}", *votes, f"pass@{n}") if name in scores]
    yield from text_table(
        [["", "questions", *shown], *(_row(name, group, shown) for name, group in groups)], NAME_WIDTH
    )
    sizes = [name.removeprefix("pass@") for name in scores if name.startswith("pass@")]
    if len(sizes) > 1:
        yield ""
        kinds = [kind for kind in ("maj", settings.vote or "", "pass") if f"{kind}@{sizes[0]}" in scores]
        rows = [[kind, *(_percent(scores[f"{kind}@{k}"]) for k in sizes)] for kind in kinds]
        yield from text_table([["k", *sizes], *rows])
    yield ""
    for name, tally in found.tallies.items():
        reward = "" if tally.reward is None else f"; mean reward {tally.reward:.4g}"
        yield f"{name:<8}  {counted(tally.verdicts)}; finished by {counted(tally.finish_reasons)}{reward}"
    if settings.stop != "never":
        drawn = found.tallies["sampled"].verdicts.total() / found.overall.n
        yield f"{drawn:.1f} of {settings.samples} samples a question were drawn (--stop {settings.stop})"
    tokens = sum(tally.tokens for tally in found.tallies.values())
    yield f"{tokens} tokens in {found.seconds:.1f} s; intervals are 95 %"
    if settings.out is not None:
        names = ("greedy", "samples") if settings.samples else ("greedy",)
        yield printable("rationales in " + " and ".join(str(Path(settings.out) / name) for name in names))


def _row(name: str, group: GroupScores, shown: Sequence[str]) -> list[str]:
    cells = [_percent(group.scores[metric]) if metric in group.scores else "-" for metric in shown]
    return [name or "(no name)", str(group.n), *cells]


def _percent(score: Score) -> str:
    return percent(score.accuracy, score.low, score.high)
