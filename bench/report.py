"""How fast the page of a large run is: the seconds to make it, its size, the first paint, and searches, in Chromium.

    python bench/report.py [--rationales 100000]        needs: make browser

The run is an invented one (tests/support/invented_run.py), each of its texts another one, as long as a
solution of GSM8K is.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from invented_run import write_run
from playwright.sync_api import Browser, sync_playwright

from aurify.report.make import make_report

WORDS = (
    "first",
    "then",
    "count",
    "apples",
    "pears",
    "sum",
    "of",
    "both",
    "12",
    "7",
    "19",
    "next",
    "minus",
    "plus",
    "times",
)
SEARCHES = ("apples 123", "pears", "zzz", "minus plus 19")


LOADS = 5
SEARCH = """words => new Promise(done => {
  const begun = performance.now(), search = document.getElementById('search'), count = document.getElementById('count');
  const shown = new MutationObserver(() => {
    shown.disconnect();
    const found = Number(count.dataset.milliseconds);
    requestAnimationFrame(() => setTimeout(() => done([performance.now() - begun, found])));
  });
  shown.observe(count, { attributeFilter: ['data-milliseconds'] });
  search.value = words;
  search.dispatchEvent(new Event('input', { bubbles: true }));
})"""
"""From the last key to the painted list, and what of that the search itself takes, in milliseconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rationales", type=int, default=100_000)
    wanted = parser.parse_args().rationales
    source = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        write_run(run, trained=wanted // 50, held=500, steps=100, text=lambda: " ".join(source.choices(WORDS, k=60)))
        begun, used = time.perf_counter(), time.process_time()
        page_file = make_report([run])
        made, used = time.perf_counter() - begun, time.process_time() - used
        print("| what | median | at most |\n| --- | ---: | ---: |")
        print(f"| the page of {wanted:,} rationales, made | {made:.1f} s | |")
        print(f"| the same, processor time | {used:.1f} s | |")
        print(f"| its size | {page_file.stat().st_size / 1e6:.1f} MB | |")
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=120_000)
            in_chromium(browser, page_file.as_uri())
            browser.close()


def in_chromium(browser: Browser, address: str) -> None:
    """Print what a person waits for."""
    paints, reads = [], []
    for _ in range(LOADS):
        page = browser.new_page()
        page.set_default_timeout(300_000)
        page.goto(address)
        page.wait_for_selector("#count[data-read]", state="attached")
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        reads.append(float(page.locator("#count").get_attribute("data-read") or "nan"))
    print(row("first contentful paint", paints))
    print(row("from then until all questions can be searched", reads))
    for words in SEARCHES:
        times = [page.evaluate(SEARCH, words) for _ in range(LOADS)]
        print(row(f"search `{words}`, from the last key to the painted list", [whole for whole, _ in times]))
        print(row("of that, finding them", [alone for _, alone in times]))


def row(what: str, times: list[float]) -> str:
    return f"| {what} | {statistics.median(times):.0f} ms | {max(times):.0f} ms |"


if __name__ == "__main__":
    main()
