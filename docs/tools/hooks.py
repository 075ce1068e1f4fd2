"""What MkDocs does not do by itself: pages from outside ``docs/``, formulas as MathML, the pages of the commands.

The Markdown files are written for two readers, a forge that shows them in place and the site. So their links are those
of the repository, and a formula is what forges draw (a block marked ``math``); here both become the site's.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
from contextlib import redirect_stdout
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
OUTSIDE = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "bench/results/*.md", "bench/results/*.png")
"""Files of the repository that the site shows as well."""

COMMANDS_MARK = "<!-- commands -->"
SHIM = "https://unpkg.com/iframe-worker/shim"
"""What the theme fetches so that the search works in a page opened from the disk; ours is in docs/vendor."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files from outside."""
    for pattern in OUTSIDE:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as the site has them, formulas as MathML; code is left alone."""
    if COMMANDS_MARK in markdown:
        markdown = markdown.replace(COMMANDS_MARK, commands())
    here = page.file.src_uri
    repository_path = here if (ROOT / here).is_file() and not (ROOT / "docs" / here).is_file() else f"docs/{here}"
    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        formula(part) if part.startswith("```") else relinked(part, repository_path, here, files) for part in parts
    )


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Nothing is fetched from another host."""
    depth = page.file.dest_uri.count("/")
    return output.replace(SHIM, "../" * depth + "vendor/iframe-worker.js")


def on_post_build(config: MkDocsConfig) -> None:
    """No page for a server's errors: its links are those of the root of a host, which is not known here."""
    (Path(config.site_dir) / "404.html").unlink(missing_ok=True)


def formula(block: str) -> str:
    """A block marked ``math`` as MathML; any other block as it is."""
    found = re.fullmatch(r"```math\n(.*)```", block, re.DOTALL)
    return convert(found[1].strip(), display="block") if found else block


def relinked(text: str, repository_path: str, here: str, files: Files) -> str:
    """The repository's links as the site's; a link to what the site does not show becomes its text."""
    text = re.sub(r"\$`(.+?)`\$", lambda found: convert(found[1]), text)

    def link(found: re.Match[str]) -> str:
        mark, label, target, anchor = found.groups()
        if re.match(r"https?:|mailto:", target) or not target:
            return found[0]
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(repository_path), target))
        inside = wanted.removeprefix("docs/")
        if wanted == "README.md":
            inside = "index.md"
        if files.get_file_from_path(inside) is None:
            if not (ROOT / wanted).exists():
                return found[0]  # for MkDocs to complain of
            return label
        relative = os.path.relpath(inside, posixpath.dirname(here) or ".").replace(os.sep, "/")
        return f"{mark}[{label}]({relative}{anchor or ''})"

    return re.sub(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]*)(#[^)\s]*)?\)", link, text)


def commands() -> str:
    """The help of every command, as the command line prints it."""
    os.environ.setdefault("COLUMNS", "100")
    from aurify.cli.app import COMMANDS, build, exit_status

    parts = []
    for command in COMMANDS:
        with redirect_stdout(io.StringIO()) as out:
            exit_status(build, [command, "--help"])
        parts.append(f"## aurify {command}\n\n```text\n{out.getvalue().strip()}\n```\n")
    return "\n".join(parts)
