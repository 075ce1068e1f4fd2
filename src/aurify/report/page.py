"""The page: content through templates into one HTML file that needs nothing else and reaches nothing else.

Whatever a model or a user wrote is inert: the templates escape it, the data stands in blocks that no browser runs, the
script puts texts into the page as texts, and the Content-Security-Policy runs no script but the page's own, known by
its hash, and allows no request.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from aurify import __version__
from aurify.report.browser import FLAGS, VOTE_FLAGS
from aurify.report.content import Content
from aurify.report.summary import SNIPPET
from aurify.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

SCRIPTS = (
    "vendor/uplot-1.6.32.min.js", "text.js", "data.js", "curves.js", "list.js", "detail.js", "browser.js", "main.js",
)  # fmt: skip
STYLES = ("vendor/uplot-1.6.32.min.css", "page.css")
CHUNK = 1_000_000
"""Characters of JSON in one block of questions, about."""


def render(content: Content, *, live: bool = False) -> str:
    """The page of a report. A live one has no questions in it: it asks its server for them.

    Args:
        live: whether the page is served by ``aurify watch``, whom it then asks what is new.
    """
    script, style = _joined(SCRIPTS), _joined(STYLES)
    return _environment().get_template("page.html").render(
        **overview_values(content), script=script, style=style, live=live,
        flags=FLAGS | (VOTE_FLAGS if content.votes else {}),
        policy=_policy(script, style, live=live), curves=curves_of(content),
        chunks=[] if live else _blocks(content),
    )  # fmt: skip


def render_overview(content: Content) -> str:
    """The first screen alone, which a live page puts in the place of the one it has."""
    return _environment().get_template("overview.html").render(**overview_values(content))


def overview_values(content: Content) -> dict[str, Any]:
    """What the template of the first screen takes."""
    runs = list(zip(content.names, (run.summary for run in content.runs), strict=True))
    return {"runs": runs, "comparison": content.comparison, "version": __version__, "snippet": SNIPPET}


def curves_of(content: Content) -> list[dict[str, Any]]:
    """The names and the curves of the runs."""
    return [
        {"name": name, "curves": [curve.to_dict() for curve in run.curves]}
        for name, run in zip(content.names, content.runs, strict=True)
    ]


def _blocks(content: Content) -> list[tuple[int, str]]:
    """The blocks of questions, each with the place of its run."""
    return [(n, block) for n, run in enumerate(content.runs) for block in packed(run.items(content.votes))]


def packed(items: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The items as blocks of JSON arrays, each gzipped, in base64."""
    block: list[str] = []
    size = 0
    for item in items:
        block.append(json.dumps(item, separators=(",", ":")))
        size += len(block[-1])
        if size >= CHUNK:
            yield _pack(block)
            block, size = [], 0
    if block:
        yield _pack(block)


def _pack(block: list[str]) -> str:
    return base64.b64encode(gzip.compress(f"[{','.join(block)}]".encode(), 6, mtime=0)).decode()


def _policy(script: str, style: str, *, live: bool) -> str:
    """The Content-Security-Policy of the page."""
    connect = "; connect-src 'self'" if live else ""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}{connect}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _joined(names: tuple[str, ...]) -> str:
    """Some of the page's files as one text."""
    folder = files("aurify.report") / "page"
    return "\n".join((folder / name).read_text(encoding="utf-8").strip() for name in names) + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("aurify.report", "page"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["shown"] = lambda text, limit=None: printable(str(text), limit, newlines=True)
    made.filters["percent"] = lambda value: f"{100 * value:.1f}"
    made.filters["points"] = lambda value: f"{100 * value:+.1f}"
    return made
