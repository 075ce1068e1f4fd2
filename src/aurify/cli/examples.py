"""An example of each command, which ends its help."""

from __future__ import annotations

COMMAND_EXAMPLES = {
    "quickstart": "aurify quickstart --steps 30",
    "check": "aurify check questions.jsonl --model nugget",
    "doctor": "aurify doctor --model nugget --data questions.jsonl",
    "grade": "aurify grade rows.jsonl --answers number",
    "import": "aurify import samples.jsonl --data questions.jsonl --out runs/teacher",
    "export": "aurify export runs/mine --to dpo --out pairs.jsonl",
    "sample": "aurify sample --model nugget --data questions.jsonl --samples 8 --out runs/samples",
    "train": "aurify train trice --model nugget --data questions.jsonl --out runs/mine",
    "distill": "aurify distill nat --model nugget --data questions.jsonl --from runs/samples --out runs/nat",
    "rank": "aurify rank --from runs/samples --data questions.jsonl --out runs/ranker",
    "vote": "aurify vote runs/samples --data questions.jsonl --out answers.jsonl",
    "evaluate": "aurify evaluate --model runs/mine/model --data test.jsonl --samples 8",
    "compare": "aurify compare runs/mine runs/other",
    "overlap": "aurify overlap runs/one runs/other",
    "report": "aurify report runs/mine",
    "watch": "aurify watch runs/mine",
    "chat": "aurify chat runs/mine",
}


def example_line(name: str) -> str | None:
    """The last line of a command's help; None of a command that is not ours."""
    return f"Example: {COMMAND_EXAMPLES[name]}" if name in COMMAND_EXAMPLES else None
