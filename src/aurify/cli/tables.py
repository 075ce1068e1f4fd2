"""Rows of words as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aurify.text import printable


def text_table(rows: Sequence[Sequence[str]], width: int = 60) -> Iterator[str]:
    """The lines of a table: the first column flush left, the others flush right, two blanks between.

    Args:
        rows: of equally many cells; a cell may hold a model's or a user's text.
        width: of a cell at most; what is longer is cut.
    """
    shown = [[printable(cell, width) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for first, *others in shown:
        cells = [first.ljust(widths[0]), *(cell.rjust(size) for cell, size in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def percent(value: float, low: float, high: float, *, sign: bool = False) -> str:
    """A fraction with its interval, in percent: ``81.2 (71.3 to 88.3)``.

    Args:
        sign: of a difference: ``+1.2 (-0.3 to +2.7)``.
    """
    form = "+.1f" if sign else ".1f"
    return f"{100 * value:{form}} ({100 * low:{form}} to {100 * high:{form}})"
