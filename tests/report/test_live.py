"""The live page's server: what is new, to this machine's browser alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from invented_run import served, write_run

from aurify.errors import UsageError
from aurify.report.live import serve
from aurify.running.metrics import MetricsLog


def get(address, **headers):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
        return answer.read().decode()


def status(address, **headers):
    try:
        get(address, **headers)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def test_the_state_says_what_is_new_and_nothing_twice(tmp_path):
    write_run(tmp_path / "run", finished=False)
    with served(tmp_path / "run") as server:
        state = json.loads(get(f"{server.address}state?page=&questions="))
        assert "Before" in state["overview"]
        assert state["blocks"]
        assert not state["finished"]
        again = json.loads(get(f"{server.address}state?page={state['page']}&questions={state['questions']}"))
        assert again.keys() == {"page", "questions", "finished", "told"}
        MetricsLog(tmp_path / "run" / "metrics.jsonl").append({"step": 6, "updated": True, "timing": {"seconds": 1.0}})
        later = json.loads(get(f"{server.address}state?page={state['page']}&questions={state['questions']}"))
        assert "curves" in later
        assert "blocks" not in later, "no new rationale has been written"
        assert later["told"] == "not finished: step 6 of 5"


def test_only_who_knows_the_address_and_names_this_machine_is_answered(run_folder):
    before = sorted((path, path.stat().st_mtime_ns) for path in run_folder.rglob("*"))
    with served(run_folder) as server:
        root = server.address.rsplit("/", 2)[0]
        assert root.startswith("http://127.0.0.1:")
        assert status(server.address) == 200
        assert status(server.address, Host="evil.example:80") == 403
        assert status(f"{root}/") == 404
        assert status(f"{root}/wrong/state") == 404
        with pytest.raises(urllib.error.HTTPError, match="501"):
            urllib.request.urlopen(urllib.request.Request(server.address, method="POST", data=b"x"), timeout=60)
    assert sorted((path, path.stat().st_mtime_ns) for path in run_folder.rglob("*")) == before, "it only reads"


def test_a_port_that_is_taken_is_said(run_folder):
    with (
        serve(run_folder) as server,
        pytest.raises(UsageError, match="--port"),
        serve(run_folder, int(server.address.split(":")[2].split("/")[0])),
    ):
        pass


def test_the_command_ends_with_the_terminal(run_folder):
    command = [sys.executable, "-m", "aurify", "watch", str(run_folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    address = process.stdout.readline().strip()
    assert "aurify" in get(address)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert errors == "aurify: interrupted\n"
