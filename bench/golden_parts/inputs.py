"""The files that the golden runs read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PLAN = """
model = "nugget"
data = "questions.jsonl"
answers = "text"
holdout = 0.25
questions = 4
max_new_tokens = 90
steps = 9
tuning = "full"
lr = 5e-4
prompt = "plain"
memory = "none"
budget = "40 samples"
seeds = [1]
out = "runs/compared"
[methods.trice]
samples = 1
[methods.star]
refits = 2
"""


def write_inputs(folder: Path, environment: dict[str, str]) -> None:
    """Questions with rationales of their own, worked examples, samples with equations, and the plan of a comparison."""
    code = (
        "import json, random\n"
        "from aurify.nugget import generate, rationale\n"
        "for q in generate('web_of_lies', 16, 5):\n"
        "    text = rationale(q, 'careful', random.Random(q.id)).text\n"
        "    print(json.dumps({'id': q.id, 'question': q.text, 'answer': q.answer,"
        " 'rationale': text, 'task': 'even' if int(q.id[-1], 36) % 2 else 'odd'}))\n"
    )
    made = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SystemExit(f"golden: the questions cannot be made: {made.stderr}")
    (folder / "questions.jsonl").write_text(made.stdout, encoding="utf-8")
    rows = [json.loads(line) for line in made.stdout.splitlines()[-2:]]
    shots = [f"Question: {row['question']}\nAnswer: Let's think step by step.\n{row['rationale']}" for row in rows]
    (folder / "examples.txt").write_text("\n\n".join(shots) + "\n", encoding="utf-8")
    (folder / "sums.jsonl").write_text("".join(map(_with_sums, made.stdout.splitlines())), encoding="utf-8")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")


def _with_sums(line: str) -> str:
    """A question with a right sample and a wrong one, whose second equation is false."""
    row = json.loads(line)
    wrong = f"1 + 1 = 2 and 2 + 1 = 4. The answer is not {row['answer']}."
    samples = [{"text": row["rationale"]}, {"text": wrong}]
    return json.dumps({"question": row["question"], "answer": row["answer"], "samples": samples}) + "\n"
