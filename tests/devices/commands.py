"""The commands that are given on both devices, in one process: python commands.py QUESTIONS OUT."""

from __future__ import annotations

import sys
from pathlib import Path

from aurify.cli.app import build, exit_status


def commands(questions: str, out: Path) -> list[str]:
    """Every command's words, with spaces between."""
    given = f"--model nugget --data {questions} --holdout 0"
    return [
        f"train trice {given} --out {out}/trice --steps 1 --tuning lora --moves mixed --memory guide"
        " --max-new-tokens 96 --gradient-checkpointing",
        f"train grpo {given} --out {out}/grpo --steps 1 --dtype mixed --samples 4 --max-new-tokens 48",
        f"distill nat {given} --from {out}/trice --out {out}/nat --steps 1 --rationales 4",
        f"evaluate --model {out}/nat/model --data {questions} --limit 4 --samples 2 --max-new-tokens 48"
        f" --out {out}/evaluated",
    ]


if __name__ == "__main__":
    for command in commands(sys.argv[1], Path(sys.argv[2])):
        if failed := exit_status(build, command.split()):
            sys.exit(f"{command}: exit status {failed}")
