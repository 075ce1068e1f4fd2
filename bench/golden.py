"""Golden runs: what small runs of every method leave, as hashes, so that a refactoring can show that nothing changed.

    .venv/bin/python bench/golden.py record before.json --source ../base/src   # of another checkout
    .venv/bin/python bench/golden.py record after.json                         # of this one
    .venv/bin/python bench/golden.py compare before.json after.json            # exits with 1 where two differ

``record`` runs ``aurify train``, ``distill`` and ``compare`` on the embedded model: every method, tuning kind, memory
and variant, runs that are killed and go on, and runs of two processes. Of each run it takes hashes of the model's
weights, of the optimiser's state of the last checkpoint, and of each column of its chains and of the rationale tables;
and the metrics without what depends on the machine. It hashes what these files say, not how they are laid out, and
gives every setting a value, so that neither another format nor another default counts as a difference. ``compare`` says
by run and by artefact what is equal in all that both have, and which columns and metrics only one has. About six
minutes of processor time on one core; the numbers of two machines, or of two versions of torch, are not comparable. A
run of settings that the other source does not know is told as failed. The same command goes on with a recording that
was broken off. ``--only WORD`` runs those whose names hold the word (and what they start from); ``--keep FOLDER`` keeps
the runs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from golden_parts.comparing import compare
from golden_parts.recording import record

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="run them all, and write the hashes")
    recording.add_argument("out", type=Path)
    recording.add_argument("--source", type=Path, default=ROOT / "src", help="the library's source [this checkout's]")
    recording.add_argument("--only", default="", metavar="WORD", help="those whose names hold it")
    recording.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the runs there")
    comparing = commands.add_parser("compare", help="two recordings")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    args = parser.parse_args()
    if args.command == "record":
        record(args.out, args.source, args.only, args.keep)
    else:
        sys.exit(compare(args.before, args.after))


if __name__ == "__main__":
    main()
