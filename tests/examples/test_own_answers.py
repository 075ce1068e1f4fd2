from __future__ import annotations

import json
from pathlib import Path


def test_every_verdict_has_its_reason(example, capsys, monkeypatch):
    module = example("own_answers")
    monkeypatch.syspath_prepend(str(Path(module.__file__).parent))
    module.main()
    shown = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["right", "wrong", "right", "wrong"]


def test_the_command_line_takes_it_from_the_current_folder(example, run_aurify, tmp_path):
    (tmp_path / "own_answers.py").write_text(Path(example("own_answers").__file__).read_text(encoding="utf-8"))
    preds = ["blue, green, red", "red", ""]
    rows = [json.dumps({"gold": "red, green and blue", "pred": pred}) for pred in preds]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    done = run_aurify("grade", "rows.jsonl", "--answers", "own_answers:same_list")
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["verdict"] for one in verdicts] == ["right", "wrong", "unparsable"]
    assert verdicts[1]["reason"] == "lacks blue, green"


def test_it_is_one_page(example):
    assert len(Path(example("own_answers").__file__).read_text(encoding="utf-8").splitlines()) <= 100
