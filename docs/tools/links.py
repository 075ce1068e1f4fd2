"""Every link of the built site leads somewhere: `python docs/tools/links.py site`.

MkDocs checks the links that stand in Markdown; this looks at the HTML that came out, pictures, styles, scripts and
anchors included. Links to other hosts are counted, not followed, and nothing of the site may be fetched from one.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit


class Links(HTMLParser):
    """What a page points to, what it loads, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := found.get(name))}
        for name in ("href", "src"):
            if value := found.get(name):
                loads = name == "src" or (tag == "link" and found.get("rel") in ("stylesheet", "preload", "icon"))
                (self.loaded if loads else self.targets).append(value)


def faults(site: Path) -> tuple[list[str], int]:
    """What leads nowhere or is fetched from elsewhere, a line each; and how many links to other hosts there are."""
    pages = {path: Links() for path in sorted(site.rglob("*.html"))}
    for path, links in pages.items():
        links.feed(path.read_text(encoding="utf-8"))
    found, outside = [], 0
    for path, links in pages.items():
        for target in links.targets + links.loaded:
            if urlsplit(target).scheme in ("http", "https", "mailto", "data"):
                outside += 1
                if target in links.loaded and not target.startswith("data:"):
                    found.append(f"{path.relative_to(site)}: loads {target}")
                continue
            name, anchor = urldefrag(target)
            wanted = (path.parent / unquote(name)).resolve() if name else path
            wanted = wanted / "index.html" if wanted.is_dir() else wanted
            if not wanted.is_file():
                found.append(f"{path.relative_to(site)}: {target}: no such file")
            elif anchor and wanted in pages and unquote(anchor) not in pages[wanted].anchors:
                found.append(f"{path.relative_to(site)}: {target}: no such anchor")
    return found, outside


if __name__ == "__main__":
    broken, away = faults(Path(sys.argv[1]).resolve())
    print("\n".join([*broken, f"{len(broken)} links lead nowhere; {away} lead to other hosts and were not followed"]))
    sys.exit(bool(broken))
