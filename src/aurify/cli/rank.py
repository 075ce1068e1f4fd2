"""aurify rank: train a ranker of rationales, for votes that are better than counting."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from aurify.cli.numbers import check_target, tell
from aurify.cli.options import add_command
from aurify.cli.progress import progress_bar, say
from aurify.cli.tables import percent, text_table
from aurify.text import printable
from aurify.voting.settings import RankSettings


def run(settings: RankSettings) -> None:
    """Train a ranker that tells right rationales from wrong ones, from any rationale table.

    Questions are split by their text: most train the ranker, some calibrate its scores, the rest say what it is worth:
    pair accuracy, area under the curve, calibration error, and the accuracy of every vote by the number of samples.
    """
    check_target(settings.json_)
    from aurify.voting.train import run_rank

    ranker = run_rank(settings, say=say, bar=progress_bar)
    tell(ranker.report, map(printable, _report(ranker.report, settings)), settings.json_)


register = partial(add_command, name="rank", kind=RankSettings, run=run)


def _report(report: dict[str, Any], settings: RankSettings) -> Iterator[str]:
    """The lines for a person; accuracies in percent."""
    yield f"held out   {report['questions']} questions, {report['rationales']} rationales"
    if "pair_accuracy" in report:
        yield f"pairs      {_percent(report['pair_accuracy'])} in the right order"
    yield f"AUC        {report['auc']:.3f}, calibration error {report['calibration_error']:.3f}"
    names = ("single", "sc", "ws", "asc", "best", "oracle")
    yield ""
    rows = [["n", "questions", *names, "asc over sc"]]
    for size, row in report["votes"].items():
        gain = row["over_sc"]["asc"]
        change = percent(gain["gain"], gain["low"], gain["high"], sign=True)
        rows.append([size, str(row["questions"]), *(_percent(row[name]) for name in names), change])
    yield from text_table(rows)
    yield f"asc with lambda {settings.weight:g}; intervals are 95 %"
    yield f"ranker     {settings.out}"


def _percent(score: dict[str, float]) -> str:
    return percent(score["accuracy"], score["low"], score["high"])
