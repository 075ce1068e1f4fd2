"""The newcomer's first command, on the real command line, for two steps."""

import json


def test_the_quickstart_leaves_a_model_a_table_and_its_questions_and_says_where(run_aurify, tmp_path):
    out = tmp_path / "first"
    done = run_aurify("quickstart", "--steps", "2", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "before" in done.stdout
    assert "after" in done.stdout
    assert str(out / "model") in done.stdout
    assert (out / "model" / "config.json").is_file()
    assert list((out / "rationales").glob("*.parquet"))
    questions = tmp_path / "first-questions"
    train, held_out = (
        {json.loads(line)["question"] for line in (questions / name).read_text(encoding="utf-8").splitlines()}
        for name in ("train.jsonl", "held_out.jsonl")
    )
    assert (len(train), len(held_out)) == (360, 150)
    assert not train & held_out

    again = run_aurify("quickstart", "--steps", "2", "--out", str(out))
    assert again.returncode == 2
    assert again.stderr.splitlines() == [f"aurify: {questions}: already there: choose another --out"]
