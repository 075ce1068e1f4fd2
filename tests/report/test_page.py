"""The page as a file: whole, inert, and its data what the run holds."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

from invented_run import HOSTILE, write_run

from aurify.report.content import RunContent, read_content
from aurify.report.page import packed, render


def test_the_policy_allows_the_pages_own_script_and_style_and_nothing_else(run_folder):
    page = render(read_content([run_folder]))
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_names_no_address_that_a_browser_would_fetch(run_folder):
    page = render(read_content([run_folder]))
    assert not re.search(r"(?:src|href|action)=[\"']?(?:https?:)?//", page)
    assert "@import" not in page
    assert "url(" not in re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]


def test_what_a_model_wrote_stands_nowhere_as_markup(tmp_path):
    write_run(tmp_path / "run", text=HOSTILE)
    page = render(read_content([tmp_path / "run"]))
    assert "<img" not in page
    assert "<b>bold" not in page
    assert "&lt;/script&gt;" in page, "the first screen shows it as text"
    assert "{{ 7 * 7 }}" in page, "and no template is made of it"


def test_the_blocks_hold_every_question_and_every_rationale_once(tmp_path):
    write_run(tmp_path / "run", trained=20, held=20, steps=8)
    run = RunContent.read(tmp_path / "run")
    blocks = list(packed(run.items()))
    items = [item for block in blocks for item in json.loads(gzip.decompress(base64.b64decode(block)))]
    assert sorted(item["id"] for item in items) == sorted(f"q{n}" for n in range(40))
    texts = [row for item in items for visit in item.get("v", []) for row in visit["d"]]
    assert len(texts) == len(run.source.drawn.rows)
    assert sum(len(item.get("e", [])) for item in items) == len(run.source.held_out.rows)


def test_flags_say_what_became_of_a_question(tmp_path):
    write_run(tmp_path / "run", held=40)
    run = RunContent.read(tmp_path / "run")
    evaluations = list(run.source.evaluations().values())
    for item in run.items():
        if item["part"] != "held out":
            continue
        then, now = (rows[item["id"]].right for rows in (evaluations[0], evaluations[-1]))
        assert ("gained" in item["flags"]) == (now and not then)
        assert ("lost" in item["flags"]) == (then and not now)
        assert ("wrong" in item["flags"]) == (not now)
        assert ("never" in item["flags"]) == (not now and not then)
