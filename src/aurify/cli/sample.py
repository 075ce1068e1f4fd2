"""aurify sample: a rationale table, right and wrong, from a local model or an API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from aurify.cli.options import add_command
from aurify.cli.progress import say
from aurify.collecting.settings import SampleSettings
from aurify.errors import AurifyError
from aurify.garbage import no_collections
from aurify.text import counted, printable

if TYPE_CHECKING:
    from aurify.collecting.run import Sampled


def run(settings: SampleSettings) -> None:
    """Draw rationales of a model, judge them, and write them to a table, the right ones and the wrong ones.

    The model is local, or any that an OpenAI-compatible API serves (--api). What an API was paid for is kept: the same
    command again goes on where it stopped, or takes more --samples, and pays for nothing twice. Keys are read from the
    environment alone.
    """
    from aurify.cli.meter import meter

    with no_collections():
        from aurify.collecting.run import known_price, run_sample

    try:
        with meter(priced=any(known_price(settings) or ())) as watcher:
            found = run_sample(settings, say=say, watcher=watcher)
    except KeyboardInterrupt as stop:
        kept = f"what is in {settings.out} is kept, and the same command goes on from there"
        raise AurifyError(f"{str(stop) or 'interrupted'}; {kept}") from None
    for line in _report(found):
        sys.stdout.write(printable(line) + "\n")
    again = "; the same command goes on from here"
    if found.stopped:
        raise AurifyError(f"stopped by {found.stopped}; raise the cap{again}")
    if found.failures:
        count, first = len(found.failures), found.failures[0]
        longer = "; --timeout gives it longer" if "no answer within" in first else ""
        raise AurifyError(f"{count} request{'s' * (count > 1)} failed; the first: {first}{longer}{again}")


register = partial(add_command, name="sample", kind=SampleSettings, run=run)


def _report(found: Sampled) -> Iterator[str]:
    drawn = found.verdicts.total()
    missing = f" ({found.asked - drawn} are missing)" if drawn < found.asked else ""
    yield f"{drawn} rationales on {found.questions} questions in {found.folder / 'rationales'}{missing}"
    yield "verdicts  " + (counted(found.verdicts) or "none")
    if found.spent is not None and 0 < drawn <= 2 * found.verdicts["truncated"]:
        yield "          most were cut at the token limit, which thoughts count for too: --max-new-tokens raises it"
    if found.scores:
        yield f"reward    {sum(found.scores) / len(found.scores):.4g} on average"
    if found.spent is not None:
        usage = found.spent.usage
        money = f", ${found.spent.cost:.4f}" if found.price is not None else ", price not known"
        yield f"billed    {found.spent.requests} requests, {usage.prompt} + {usage.completion} tokens{money}"
        if found.unsure is not None and found.unsure.requests:
            at_most = f"${found.unsure.cost:.4f}" if found.price is not None else f"{found.unsure.usage.total} tokens"
            yield f"          of these {found.unsure.requests} failed or were cut off, counted at their most: {at_most}"
