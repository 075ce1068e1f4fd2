"""Fuzzing: mutated inputs to what reads others' files and texts. No traceback, no hang, no growth of memory.

    nice .venv/bin/python bench/fuzz.py --seconds 300 --seed 1        # prints a table; --only WORD: one target

An input is made of a seed's bytes by a few random changes: bits flipped, pieces cut out, doubled, moved, taken from
another seed, or hostile pieces put in (deep brackets, huge numbers, NaN, escapes, lone surrogates, NUL). A target takes
it or refuses it with an ``AurifyError`` of one printable line; anything else is a fault and is printed with its input.
An input that takes over five seconds of processor time is a hang. The growth is that of resident memory after the
first tenth of a target's inputs. ``bench/fuzz_guided.py`` lets atheris choose the inputs, by what code they reach.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SLOW = 5.0
HEAD = ("| reads | inputs | refused in a line | faults | slowest, s | growth, MiB |\n"
        "| --- | --- | --- | --- | --- | --- |")  # fmt: skip

HOSTILE = (
    b"[" * 3000, b"{" * 500, b"(" * 500, b"\\frac{" * 200, b"9" * 5000, b"1e999", b"-1", b"NaN", b"Infinity", b"null",
    b"true", b'""', b"\x1b]0;x\x07", b"\x1b[31m", b"\r\n", b"\n", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b'"\\ud800"',
    "\u202e".encode(), "\u2028".encode(), b",", b'"', b"\\", b"boxed{", b"....", b"=", b"The answer is ", b"(A)", b"%",
    b"1,000", b"3/0", b"10^10^10", b"<think>", b"</think>", b"####", b"```", b"$$",
)  # fmt: skip


def mutated(seeds: list[bytes], draw: random.Random) -> bytes:
    """A seed after one to six random changes."""
    content = draw.choice(seeds)
    for _ in range(draw.randint(1, 6)):
        here, there = sorted((draw.randint(0, len(content)), draw.randint(0, len(content))))
        how = draw.randrange(6)
        if how == 0 and content:
            place = draw.randrange(len(content))
            content = content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :]
        elif how == 1:
            content = content[:here] + content[there:]
        elif how == 2:
            content = content[:there] + content[here:there] * draw.randint(1, 3) + content[there:]
        elif how == 3:
            other = draw.choice(seeds)
            cut = sorted((draw.randint(0, len(other)), draw.randint(0, len(other))))
            content = content[:here] + other[cut[0] : cut[1]] + content[here:]
        else:
            content = content[:here] + draw.choice(HOSTILE) + content[here if how == 4 else there :]
    return content[:200_000]


class Target(NamedTuple):
    """Something that reads: its seeds, and what is done with an input."""

    seeds: list[bytes]
    take: Callable[[bytes], object]


def targets(folder: Path) -> dict[str, Target]:
    """Everything that reads, by name; inputs are written into the folder."""
    from aurify.answers.compare import compare, extract
    from aurify.answers.reading import Unreadable
    from aurify.distillation.settings import DistillSettings
    from aurify.models.load import base_name
    from aurify.models.prompting import PromptForm
    from aurify.questions import load_questions
    from aurify.rationales import Chain, Memory, Rationale, RationaleTable, read_rationales
    from aurify.running.folder import difference
    from aurify.running.metrics import MetricsLog
    from aurify.settings import resolve
    from aurify.training.settings import TrainSettings

    def file(name: str, take: Callable[[Path], object]) -> Callable[[bytes], object]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)

        def taken(content: bytes) -> object:
            path.write_bytes(content)
            return take(path)

        return taken

    rows = [{"id": f"q{n}", "question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(6)]
    letters = [
        {"question": "Which?\n(A) a\n(B) b", "answer": "(A)"},
        {"question": "What?\n(A) c\n(B) d", "answer": "B"},
    ]
    options = [{"question": f"q{n}?", "choices": ["x", "y", "z"], "answer": n % 3} for n in range(5)]
    chats = [{"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"\\boxed{{{n}}}"}]}
             for n in range(4)]  # fmt: skip
    lists = [json.dumps(one) + "\n" for one in (rows, letters, options, chats)]
    lines = ["".join(json.dumps(row) + "\n" for row in one) for one in (rows, letters, options, chats)]
    csv = "question,answer\n" + "".join(f'"{row["question"]}",{row["answer"]}\n' for row in rows)
    samples = [json.dumps({"question_id": "q1", "text": "So 2.", "verdict": "right", "logprob": -1.5}) + "\n",
               json.dumps({"question": "What?", "answer": "2", "samples": ["The answer is 2.", "3"]}) + "\n",
               json.dumps({"prompt": "a", "completion": "b", "reward": 1.0}) + "\n"]  # fmt: skip
    texts = ["So the answer is 12.", "\\boxed{\\frac{1}{2}}", "The answer is (B).", "**Answer:** yes",
             "#### 1,234.5 km", "x = 3 or x \\in [1, 2)", "<think>2</think> Therefore 7 %", '{"answer": "D"}',
             "3½ × 10⁻⁴"]  # fmt: skip

    rationale = Rationale("a", (1, 2), "t", "2", None, "", "self", "m", 1, 0, 5, "stop", -1.0)
    table = RationaleTable(folder / "table" / "rationales")
    table.append([rationale] * 3)
    table.flush(1)
    part = (folder / "table" / "rationales" / "step-00000001.parquet").read_bytes()
    ((piece, kept),) = Memory([Chain("a", rationale), Chain("b")]).save(1).items()
    memory = kept.content()
    toml = 'method = "trice"\nmodel = "nugget"\ndata = "a.jsonl"\nout = "b"\nlr = 0.1\nlora_targets = ["a"]\n'
    metrics = b'{"step": 0, "held_out": {"n": 1}}\n{"step": 1, "updated": true, "timing": {"seconds": 1.0}}\n'
    adapter = b'{"base_model_name_or_path": "nugget", "peft_type": "LORA", "r": 4}'
    form = b'{"prompt": "plain", "few_shot": "a\\nb", "max_new_tokens": 64, "template_args": {"a": 1}}'

    def answers(content: bytes) -> None:
        text = content.decode("utf-8", "surrogatepass" if content.count(b"\xed") else "replace")
        for kind in ("number", "choice", "text", "math"):
            try:
                compare(extract(text, kind, {"A": "x", "B": "y"} if kind == "choice" else {}), "2", kind, {})
            except Unreadable:
                continue

    def tolerant(content: bytes) -> None:
        try:
            answers(content)
        except UnicodeDecodeError:
            answers(content.decode("utf-8", "replace").encode())

    as_bytes = [text.encode() for text in (*lines, *lists)]
    train = {"method": "trice", "model": "nugget", "data": "a"}
    return {
        "questions, JSON Lines": Target(as_bytes, file("q.jsonl", load_questions)),
        "questions, JSON": Target(as_bytes, file("q.json", load_questions)),
        "questions, CSV": Target([csv.encode(), csv.replace(",", ";").encode()], file("q.csv", load_questions)),
        "questions, Parquet": Target([part, memory], file("q.parquet", load_questions)),
        "answers, all types": Target([text.encode() for text in texts], tolerant),
        "samples, JSON Lines": Target([*map(str.encode, samples), *as_bytes], file("s.jsonl", read_rationales)),
        "rationale table": Target([part, memory], file("table/rationales/step-00000001.parquet", lambda path:
                                                       list(RationaleTable(path.parent).read()))),
        "memory of a checkpoint": Target([memory, part], lambda content: Memory.saved({piece: content})),
        "metrics": Target([metrics], file("metrics.jsonl", lambda path: MetricsLog(path).read())),
        "configuration, train": Target([toml.encode()], file("c.toml", lambda path: resolve(TrainSettings, {}, path))),
        "configuration, distill": Target([toml.replace("trice", "nat").encode()],
                                         file("d.toml", lambda path: resolve(DistillSettings, {"from_": "x"}, path))),
        "configuration of a run": Target([toml.encode()], file("config.toml", lambda path:
                                                               difference(path, TrainSettings(**train)))),
        "an adapter's configuration": Target([adapter], file("adapter/adapter_config.json", lambda path:
                                                             base_name(str(path.parent)))),
        "the record of a prompt": Target([form], file("form/prompt.json", lambda path: PromptForm.read(path.parent))),
    }  # fmt: skip


class Found:
    """What came of a target's inputs so far."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.inputs = self.refused = 0
        self.slowest = 0.0
        self.faults: list[str] = []
        self._base = 0.0

    def take(self, content: bytes) -> None:
        """Try an input."""
        from aurify.errors import AurifyError

        self.inputs += 1
        started = time.process_time()
        try:
            self.target.take(content)
        except AurifyError as error:
            self.refused += 1
            if "\n" in str(error) or "\x1b" in str(error):
                self.faults.append(f"a line that is none: {str(error)!r:.300} of {content!r:.300}")
        except Exception as error:
            self.faults.append(f"{type(error).__name__}: {str(error)!r:.300} of {content!r:.300}")
        took = time.process_time() - started
        self.slowest = max(self.slowest, took)
        if took > SLOW:
            self.faults.append(f"took {took:.1f} s: {content!r:.300}")

    def count_memory(self) -> None:
        """What the process holds from now on is growth; but for the first call, nothing."""
        self._base = self._base or resident_mb()

    @property
    def growth_mb(self) -> float:
        """MiB since ``count_memory``."""
        return resident_mb() - (self._base or resident_mb())

    def row(self, name: str) -> str:
        """A line of the table."""
        return (f"| {name} | {self.inputs} | {self.refused} | {len(self.faults)} | {self.slowest:.2f} "
                f"| {self.growth_mb:.0f} |")  # fmt: skip


def fuzz(target: Target, draw: random.Random, *, seconds: float = 1e9, inputs: int = 10**9) -> Found:
    """Try a target on mutated inputs, for ``seconds`` of the processor or until there were ``inputs`` of them."""
    found, begun = Found(target), time.process_time()
    while found.inputs < inputs and (passed := time.process_time() - begun) < seconds:
        found.take(mutated(target.seeds, draw))
        if found.inputs >= inputs / 10 or passed > seconds / 10:
            found.count_memory()
    return found


def resident_mb() -> float:
    """Resident memory of this process, in MiB."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return 0.0


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for inputs, in memory where there is such a file system."""
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)


def arguments(about: str | None) -> argparse.Namespace:
    """What a person asks of a fuzzer; the library can be imported from here on."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300, help="of the processor, for all targets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="targets whose names hold this word")
    sys.path.insert(0, str(HERE.parent / "src"))
    return parser.parse_args()


def main() -> None:
    asked = arguments(__doc__)
    failed = 0
    with scratch() as folder:
        chosen = {name: one for name, one in targets(folder).items() if asked.only in name}
        print(HEAD)
        total, told = 0, []
        for name, target in chosen.items():
            found = fuzz(target, random.Random(f"{asked.seed} {name}"), seconds=asked.seconds / len(chosen))
            total, failed = total + found.inputs, failed + len(found.faults)
            told += [f"{name}: {fault}" for fault in found.faults[:5]]
            print(found.row(name), flush=True)
            for fault in found.faults[:5]:
                print(f"{name}: {fault}", file=sys.stderr, flush=True)
        print(f"\n{total} inputs, {failed} faults")
        print("\n".join(told))
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
