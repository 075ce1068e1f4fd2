"""A run's folder to report on, a browser, and what looks for faults of a page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from invented_run import write_run


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser; the tests that need one are skipped where there is none.

    Of a module: while it is open an event loop runs in the thread, and other tests begin one of their own.
    """
    api = pytest.importorskip("playwright.sync_api", reason="no Playwright here: make browser")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium here: make browser, or name one in CHROMIUM")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=120_000)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address; at the end of the test nothing may have been complained of, and nothing asked for elsewhere."""
    contexts, faults = [], []

    def opened(address: str, *, width: int = 1200, height: int = 900, dark: bool = False) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: faults.append(str(error)))
        origin = address.split("#")[0].rpartition("/")[0]
        page.on("request", lambda asked: None if asked.url.startswith(origin) else faults.append(asked.url))
        page.goto(address)
        page.wait_for_selector("#count[data-read]", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


AXE = Path(__file__).parents[2] / ".browser" / "package" / "axe.min.js"


@pytest.fixture
def faults_of() -> Callable[[Any], list[str]]:
    """The serious faults of accessibility that axe-core finds on a page."""
    if not AXE.is_file():
        pytest.skip("no axe-core here: make browser")

    def found(page: Any) -> list[str]:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run()")
        serious = [one for one in result["violations"] if one["impact"] in ("serious", "critical")]
        return [f"{one['id']}: {one['nodes'][0]['html'][:120]} {one['nodes'][0]['failureSummary']}" for one in serious]

    return found
