"""The golden runs: every method, tuning kind, memory and variant on the embedded model; every setting has a value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

COMMON = (
    "--data questions.jsonl --answers text --seed 3 --holdout 0.25 --eval-limit 500 --max-new-tokens 90 "
    "--lr-final 0.1 --warmup 0 --clip 1.0 --token-budget 4096 --dtype float32 --lora-targets q_proj "
    "--lora-targets v_proj"
)
TRAIN = (
    f"{COMMON} --model nugget --steps 3 --questions 6 --save-every 2 --eval-every 2 --weight-decay 0 --lora-rank 4 "
    "--lora-alpha 8 --soft-prompt-init 5 --sampler local --sample-dtype weights"
)
DISTILL = (
    f"{COMMON} --rationales 6 --steps 2 --negatives wrong --repeats keep --max-tokens 1024 --prompt plain --samples 2 "
    "--temperature 1.0 --lora-rank 2 --lora-alpha 4 --unit-width 3 --lr 2e-3 --save-every 1"
)
PLAIN = "--tuning full --lr 5e-4 --prompt plain"
BOUNDED = "--tuning full --target-kl 0.05 --prompt plain"
CONTROLLED = "--estimator control-variate --baseline batch"


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
    yield train("trice-mixed", "trice", f"{PLAIN} --samples 2 --memory guide --moves mixed {CONTROLLED} --steps 6")
    yield train("trice-guide", "trice", f"{PLAIN} --samples 1 --memory none --moves guide {CONTROLLED}")
    yield train("guided", "guided", f"{PLAIN} --samples 2 --memory guide --correction self-normalised")
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
    for variant in ("full", "linear-value", "no-offset", "fixed", "no-negatives", "wide-lora", "sequential",
                    "random-negatives"):  # fmt: skip
        yield distill(f"nat-{variant}", "nat", f"{source} --variant {variant}")
    for method in ("kd", "mix", "cl"):
        yield distill(method, method, source)
    yield distill("prefix", "prefix", "--model nugget --from sums.jsonl")
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


def selected(every: Sequence[Run], only: str, done: Collection[str] = (), kept: Collection[str] = ()) -> list[Run]:
    """The runs whose names hold the word and that are not done, with those that they start from and nobody kept."""
    wanted = {run.name for run in every if only in run.name and run.name not in done}
    for run in reversed(every):  # a run stands after what it starts from
        if run.name in wanted:
            wanted.update(need for need in run.needs if need not in kept)
    return [run for run in every if run.name in wanted]
