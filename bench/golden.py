"""Golden runs: what small runs of every method leave, as hashes, so that a refactoring can show that nothing changed.

    .venv/bin/python bench/golden.py record before.json --source ../base/src   # of another checkout
    .venv/bin/python bench/golden.py record after.json                         # of this one
    .venv/bin/python bench/golden.py compare before.json after.json            # exits with 1 where two differ

``record`` runs ``aurify train``, ``distill`` and ``compare`` on the embedded model: every method, tuning kind, memory
and variant, runs that are killed and go on, and runs of two processes. Of each run it hashes the model's weights, the
optimiser's state and the chains of the last checkpoint, the rows of the rationale tables, and the metrics without what
depends on the machine. It hashes what these files say, not how they are laid out, and gives every setting a value, so
that neither another format nor another default counts as a difference. About five minutes on one core; the numbers of
two machines, or of two versions of torch, are not comparable. A run of settings that the other source does not know is
told as failed. ``--only WORD`` runs those whose names hold the word
(and what they start from); ``--keep FOLDER`` keeps the runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]

COMMON = (
    "--data questions.jsonl --answers text --seed 3 --holdout 0.25 --eval-limit 500 --max-new-tokens 90 "
    "--lr-final 0.1 --warmup 0 --clip 1.0 --token-budget 4096 --dtype float32 --lora-targets q_proj "
    "--lora-targets v_proj"
)
TRAIN = (
    f"{COMMON} --model nugget --steps 3 --questions 6 --save-every 2 --eval-every 2 --weight-decay 0 --lora-rank 4 "
    "--lora-alpha 8 --soft-prompt-init 5 --sampler local"
)
DISTILL = (
    f"{COMMON} --rationales 6 --steps 2 --negatives wrong --repeats keep --max-tokens 1024 --prompt plain --samples 2 "
    "--temperature 1.0 --lora-rank 2 --lora-alpha 4 --unit-width 3 --lr 2e-3 --save-every 1"
)
PLAIN = "--tuning full --lr 5e-4 --prompt plain"
BOUNDED = "--tuning full --target-kl 0.05 --prompt plain"
CONTROLLED = "--estimator control-variate --baseline batch"

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


class Run(NamedTuple):
    """A command and how it is run. ``way``: "plain", "kill N" (after step N; then it goes on), "stop N" or "two"."""

    name: str
    command: str
    way: str = "plain"

    @property
    def words(self) -> list[str]:
        """The command line, its folder included."""
        out = [] if self.command.startswith("compare") else ["--out", f"runs/{self.name}"]
        return [*self.command.split(), *out]

    @property
    def needs(self) -> list[str]:
        """The runs that it starts from."""
        return [word.split("/")[1] for word in self.command.split() if word.startswith("runs/")]


def train(name: str, method: str, more: str, way: str = "plain") -> Run:
    return Run(name, f"train {method} {TRAIN} {more}", way)


def distill(name: str, method: str, more: str, way: str = "plain") -> Run:
    return Run(name, f"distill {method} {DISTILL} {more}", way)


def runs() -> Iterator[Run]:
    """All golden runs, each after those that it starts from."""
    for estimator, memory in (("control-variate", "guide"), ("basic", "none"), ("subsampled", "auto")):
        more = f"{PLAIN} --samples 1 --estimator {estimator} --memory {memory}"
        yield train(f"trice-{estimator}", "trice", f"{more} --baseline batch --subsample 8")
    yield train("trice-running", "trice", f"{PLAIN} --samples 3 --memory none --estimator control-variate "
                "--baseline running")  # fmt: skip
    yield train("trice-bounded", "trice", f"{BOUNDED} --samples 1 --memory none {CONTROLLED}")
    for tuning, rate in (("lora", "1e-3"), ("prompt", "1.0")):
        yield train(f"trice-{tuning}", "trice", f"--tuning {tuning} --lr {rate} --prompt plain --samples 1 "
                    f"--memory guide {CONTROLLED}")  # fmt: skip
    yield train("trice-few-shot", "trice", f"{PLAIN} --samples 1 {CONTROLLED} --memory few-shot "
                "--memory-from examples.txt")  # fmt: skip
    yield train("trice-checkpointed", "trice", f"{PLAIN} --samples 1 --memory none {CONTROLLED} "
                "--gradient-checkpointing --warmup 1 --weight-decay 0.1")  # fmt: skip
    for method, samples in (("rejection", 2), ("rloo", 4), ("grpo", 3), ("incorrect-only", 2), ("jepo", 2),
                            ("jepo-single", 2), ("maxrl", 3), ("negative-reinforcement", 2)):  # fmt: skip
        yield train(method, method, f"{PLAIN} --samples {samples} --memory none")
    for estimator in ("control-variate", "basic"):
        yield train(f"likelihood-{estimator}", "trice-likelihood", f"{PLAIN} --samples 2 --memory none "
                    f"--estimator {estimator}")  # fmt: skip
    yield train("star", "star", f"{PLAIN} --samples 1 --refits 2 --memory none")
    yield train("star-online", "star", f"{PLAIN} --samples 1 --refits 0 --memory none")
    yield train("rest-em", "rest-em", f"{PLAIN} --samples 2 --refits 2 --memory none")
    yield train("direct", "direct", "--tuning full --lr 5e-4 --prompt direct --samples 1 --memory gold")
    yield train("cot-gold", "cot", f"{PLAIN} --samples 2 --memory gold")
    yield train("cot-guide", "cot", f"{PLAIN} --samples 2 --memory guide")
    yield train("cot-table", "cot", f"{PLAIN} --samples 2 --memory table --memory-from runs/rloo")
    yield Run("prompting", f"train prompting {COMMON} --model nugget --prompt plain --tuning full --memory none")
    yield Run("budget", "compare plan.toml")
    yield train("trice-killed", "trice", f"{PLAIN} --samples 1 --memory guide {CONTROLLED} --steps 6", "kill 3")
    yield train("bounded-killed", "trice", f"{BOUNDED} --samples 1 --memory none {CONTROLLED} --steps 6", "kill 3")
    yield train("star-killed", "star", f"{PLAIN} --samples 1 --refits 2 --memory none --steps 7", "kill 4")
    yield train("trice-stopped", "trice", f"{PLAIN} --samples 1 --memory auto {CONTROLLED} --steps 6", "stop 1")
    yield train("trice-two", "trice", f"{PLAIN} --samples 1 --memory guide {CONTROLLED}", "two")
    yield train("likelihood-two", "trice-likelihood", f"{PLAIN} --samples 2 --memory none --estimator basic", "two")

    source = "--model nugget --from runs/rloo"
    for variant in ("full", "linear-value", "no-offset", "fixed", "no-negatives", "wide-lora", "sequential"):
        yield distill(f"nat-{variant}", "nat", f"{source} --variant {variant}")
    for method in ("kd", "mix", "cl"):
        yield distill(method, method, source)
    for method in ("nt", "ul"):
        yield distill(method, method, f"{source} --negative-weight 0.1")
    for weights in ("sequence", "token"):
        yield distill(f"nce-{weights}", "nce", f"--model runs/nat-full/model --from runs/rloo --nce-weights {weights}")
    yield distill("self-kd", "self-kd", "--model runs/nat-full/model --from runs/rloo")
    yield distill("augment", "augment", source)
    yield distill("kd-of-a-run", "kd", "--from runs/trice-lora")
    yield distill("kd-epochs", "kd", f"{source} --epochs 2 --rationales 9 --repeats once --negatives all")
    yield distill("nat-killed", "nat", f"{source} --variant full --steps 4 --save-every 2", "kill 5")
    yield distill("nat-two", "nat", f"{source} --variant full", "two")
    yield distill("cl-two", "cl", source, "two")


# Recording


def record(out: Path, source: Path, only: str, keep: Path | None) -> None:
    """Run all, or those whose names hold ``only`` and what they start from, and write what they left."""
    begun = time.perf_counter()
    chosen = selected(list(runs()), only)
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ, "PYTHONPATH": str(source.resolve()), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true",
            "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        write_inputs(folder, environment)
        found: dict[str, Any] = {}
        plain = Worker(folder, environment)
        for run in chosen:
            started = time.perf_counter()
            failed = plain.run(run) if run.way == "plain" else WAYS[run.way.split()[0]](run, folder, environment)
            found[run.name] = {"failed": failed} if failed else what_it_left(run, folder)
            print(f"{run.name:24} {time.perf_counter() - started:6.1f} s  {failed}", flush=True)
            out.write_text(json.dumps({"source": str(source), "runs": found}, indent=1) + "\n", encoding="utf-8")
        plain.close()
    failures = sum("failed" in run for run in found.values())
    spent = os.times()
    processor = spent.children_user + spent.children_system
    seconds = f"{time.perf_counter() - begun:.0f} s ({processor:.0f} s of processor time)"
    print(f"{len(found)} runs in {seconds}, {failures} failed: {out}")


def selected(every: Sequence[Run], only: str) -> list[Run]:
    """The runs whose names hold the word, and those that they start from."""
    wanted = {run.name for run in every if only in run.name}
    for run in reversed(every):  # a run stands after what it starts from
        if run.name in wanted:
            wanted.update(run.needs)
    return [run for run in every if run.name in wanted]


def write_inputs(folder: Path, environment: dict[str, str]) -> None:
    """Questions with rationales of their own, worked examples, and the plan of a comparison."""
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
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")


class Worker:
    """One process that runs plain commands in turn, so that the libraries are imported once."""

    CODE = (
        "import json, sys\n"
        "from aurify.cli.app import build, exit_status\n"
        "for line in sys.stdin:\n"
        "    status = exit_status(build, json.loads(line))\n"
        "    sys.stdout.write(f'@@ {status}\\n')\n"
        "    sys.stdout.flush()\n"
    )

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in close()
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.CODE], cwd=folder, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip

    def run(self, run: Run) -> str:
        """Run a command; why it failed, or nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(run.words) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return self._why()
        for line in self._process.stdout:
            if line.startswith("@@ "):
                return "" if line == "@@ 0\n" else self._why()
        return self._why()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._log.close()

    def _why(self) -> str:
        self._log.seek(0)
        return last_line(self._log.read())


def run_killed(run: Run, folder: Path, environment: dict[str, str]) -> str:
    """Kill it after a step, and let it go on."""
    return interrupted(run, folder, environment, signal.SIGKILL)


def run_stopped(run: Run, folder: Path, environment: dict[str, str]) -> str:
    """Ask it to stop after a step, and let it go on."""
    return interrupted(run, folder, environment, signal.SIGTERM)


def interrupted(run: Run, folder: Path, environment: dict[str, str], number: int) -> str:
    metrics, after = folder / "runs" / run.name / "metrics.jsonl", int(run.way.split()[1])
    command = [sys.executable, "-m", "aurify", *run.words]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        while process.poll() is None and steps_of(metrics) < after:
            time.sleep(0.01)
        process.send_signal(number)
        if process.wait() == 0:
            return "it ended before it could be interrupted"
    return in_one_process([*command, "--resume"], folder, environment)


def run_in_two(run: Run, folder: Path, environment: dict[str, str]) -> str:
    """Two processes on one core, over gloo."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "aurify"]
    return in_one_process([*torchrun, *run.words], folder, environment)


def in_one_process(command: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return last_line(done.stderr) if done.returncode else ""


WAYS: dict[str, Callable[[Run, Path, dict[str, str]], str]] = {
    "kill": run_killed, "stop": run_stopped, "two": run_in_two,
}  # fmt: skip


def steps_of(metrics: Path) -> int:
    """How many steps a run has written."""
    return metrics.read_text(encoding="utf-8").count('"updated"') if metrics.exists() else 0


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


# What a run left, as hashes of what the files say


def what_it_left(run: Run, folder: Path) -> dict[str, str]:
    """Hashes by name; of a comparison, those of each of its runs."""
    out = folder / "runs" / run.name
    if out.is_dir():
        return of_folder(out)
    inner = sorted(path.parent for path in (folder / "runs" / "compared").rglob("config.toml"))
    return {f"{path.name}: {name}": value for path in inner for name, value in of_folder(path).items()}


def of_folder(out: Path) -> dict[str, str]:
    left = {
        "weights": digest(tensors((out / "model").rglob("*.safetensors"), out)),
        "rationales": digest(rows(out / "rationales")),
        "held out": digest(rows(out / "held_out")),
        "metrics": digest(metrics_of(out / "metrics.jsonl")),
    }
    if checkpoints := sorted((out / "checkpoints").glob("step-*")):
        left["optimizer"] = digest(tensors([checkpoints[-1] / "optimizer.safetensors"], checkpoints[-1]))
        left["checkpoint"] = digest(tensors([checkpoints[-1] / "weights.safetensors"], checkpoints[-1]))
        chains = [row for file in checkpoints[-1].rglob("*memory*.parquet") for row in parquet(file)]
        left["chains"] = digest(sorted(chains, key=lambda row: str(row["question_id"])))
    for name in ("unit_weights.jsonl", "nce_weights.jsonl"):
        if (out / name).exists():
            left[name] = digest((out / name).read_text(encoding="utf-8").splitlines())
    return left


def tensors(files: Iterable[Path], base: Path) -> Iterator[Any]:
    """Name, shape, type and bytes of every tensor, in the order of names."""
    import torch
    from safetensors import safe_open

    for file in sorted(files):
        with safe_open(file, "pt") as opened:
            for name in sorted(opened.keys()):
                tensor = opened.get_tensor(name).contiguous()
                raw = hashlib.sha256(tensor.flatten().view(torch.uint8).numpy().tobytes()).hexdigest()
                yield [file.relative_to(base).as_posix(), name, list(tensor.shape), str(tensor.dtype), raw]


def rows(folder: Path) -> Iterator[Any]:
    for part in sorted(folder.glob("step-*.parquet")):
        yield from parquet(part)


def parquet(file: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(file, partitioning=None).to_pylist()
    return found


def metrics_of(file: Path) -> Iterator[Any]:
    """The lines without what depends on the machine."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield {key: value for key, value in json.loads(line).items() if key not in ("timing", "sampler")}


def digest(items: Iterable[Any]) -> str:
    """SHA-256 of the items as JSON, keys sorted."""
    whole = hashlib.sha256()
    for item in items:
        whole.update(json.dumps(item, sort_keys=True).encode() + b"\n")
    return whole.hexdigest()


# Comparing


def compare(before: Path, after: Path) -> int:
    """Print what is equal and what is not, run by run; 1 where something differs or is missing."""
    one, two = (json.loads(path.read_text(encoding="utf-8"))["runs"] for path in (before, after))
    equal = 0
    for name in dict.fromkeys([*one, *two]):
        if name not in one or name not in two:
            print(f"{name:24} only in {before if name in one else after}")
            continue
        parts = dict.fromkeys([*one[name], *two[name]])
        different = [part for part in parts if one[name].get(part) != two[name].get(part)]
        failed = "failed" in one[name] or "failed" in two[name]
        equal += not different and not failed
        said = f"FAILED: {one[name].get('failed') or two[name].get('failed')}" if failed else f"differs: {different}"
        print(f"{name:24} {said if different or failed else f'equal ({len(parts)} parts)'}")
    total = len(one.keys() | two.keys())
    print(f"{equal} of {total} runs equal")
    return int(equal < total)


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
