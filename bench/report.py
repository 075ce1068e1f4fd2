"""How fast the page of a large run is: the seconds to make it, its size, the first paint, and searches, in Chromium.

    python bench/report.py [--rationales 100000]        needs: make browser

The run is an invented one (tests/support/invented_run.py), its texts as long as a solution of GSM8K is.
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
from playwright.sync_api import sync_playwright

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rationales", type=int, default=100_000)
    wanted = parser.parse_args().rationales
    text = " ".join(random.Random(0).choices(WORDS, k=60))
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        write_run(run, trained=wanted // 50, held=500, steps=100, text=text)
        begun, used = time.perf_counter(), time.process_time()
        page_file = make_report([run])
        made, used = time.perf_counter() - begun, time.process_time() - used
        size = page_file.stat().st_size / 1e6
        print(f"{wanted:,} rationales: made in {made:.1f} s, {used:.1f} s of processor time, {size:.1f} MB")
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=120_000)
            page = browser.new_page()
            page.set_default_timeout(300_000)
            page.goto(page_file.as_uri())
            page.wait_for_selector("#count[data-read]", state="attached")
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            read = page.locator("#count").get_attribute("data-read")
            print(f"first contentful paint {paint:.0f} ms, all questions read after {read} ms more")
            for words in SEARCHES:
                measure = "words => { document.getElementById('search').value = words; page.browser.refresh(); "
                measure += "return Number(document.getElementById('count').dataset.milliseconds) }"
                times = [page.evaluate(measure, words) for _ in range(5)]
                print(f"search {words!r}: median {statistics.median(times):.0f} ms, at most {max(times):.0f} ms")
            browser.close()


if __name__ == "__main__":
    main()
