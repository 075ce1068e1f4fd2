"""A training run from settings to a model folder: the order of things, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from aurify.answers import Grader
from aurify.clock import Clock
from aurify.errors import AurifyError
from aurify.methods import (
    GRPO,
    RLOO,
    CoT,
    Direct,
    IncorrectOnly,
    Jepo,
    Method,
    Prompting,
    RejectionSampling,
    RestEM,
    Star,
    Trice,
    TriceLikelihood,
)
from aurify.models import load_model, prepare
from aurify.questions import PromptTemplate, Question
from aurify.questions.chosen import questions_to_learn
from aurify.rationales import Drawing, read_rationales
from aurify.sampling import LocalSampler, Sampler
from aurify.statistics import Accuracy
from aurify.training import first_rationales
from aurify.training.answer_scores import AnswerScorer
from aurify.training.budget import Budget
from aurify.training.export import export_model
from aurify.training.folder import RunFolder, name_folder
from aurify.training.interrupt import StopRequest
from aurify.training.m_step import checkpoint_layers
from aurify.training.metrics import MetricsLog
from aurify.training.profile import measure_limits, profile, report
from aurify.training.progress import Quiet, Watcher
from aurify.training.proposals import Proposer
from aurify.training.settings import TrainSettings
from aurify.training.trainer import Trainer
from aurify.training.world import World


class Run(NamedTuple):
    """A finished run: its folder, and the held-out greedy accuracy before and after (None with nothing held out)."""

    out: Path
    model: Path
    before: Accuracy | None
    after: Accuracy | None


def run_training(
    settings: TrainSettings,
    *,
    questions: Sequence[Question] | None = None,
    held_out: Sequence[Question] | None = None,
    watcher: Watcher | None = None,
    budget: Budget | None = None,
) -> Run:
    """Train as the settings say and leave model, table, metrics and checkpoints in the run's folder.

    Args:
        questions: in the place of reading ``settings.data``.
        held_out: in the place of ``settings.eval_data`` or of a part of the questions.
        budget: ends the run before its last step; the learning rate then falls with what is used of it.

    Raises:
        AurifyError: bad data, a model that cannot be loaded, a diverged run, or a wish to stop (then resumable).
    """
    watcher = watcher or Quiet()
    settings, method = name_folder(settings), build_method(settings)
    train, held = questions_to_learn(settings, questions, held_out, watcher.say)
    folder = RunFolder(settings.out)
    with ExitStack() as stack:
        world = World(track=settings.track, folder=settings.out)
        stack.callback(world.close)
        loaded = load_model(settings.model, dtype=settings.weights_dtype, device=world.device, trainable=True)
        tuned = prepare(
            loaded.model, loaded.tokenizer, kind=settings.tuning, lora_rank=settings.lora_rank,
            lora_alpha=settings.lora_alpha or 2 * settings.lora_rank, lora_targets=settings.lora_targets,
            **_soft_prompt(settings.soft_prompt_init), seed=settings.seed,
        )  # fmt: skip
        template = PromptTemplate.named(settings.prompt, loaded.tokenizer, settings.few_shot)
        if world.main:
            folder.claim(settings)
        world.wait()
        world.start_trackers(settings.model_dump())
        if settings.method == "cot" and settings.memory == "auto":
            told = any(question.rationale for question in train)
            settings = settings.model_copy(update={"memory": "gold" if told else "guide"})
        grader = stack.enter_context(Grader())
        clock = Clock()
        sampler = _sampler(settings, tuned.model, loaded.tokenizer, world, folder, watcher, stack, clock)
        drawing = Drawing(sampler, grader, settings.model, settings.seed, settings.max_new_tokens, template.stop, clock)
        written = _written(settings, loaded.tokenizer, grader)
        trainer = Trainer(
            settings, method, tuned, loaded.tokenizer, template, drawing, world, folder, watcher,
            train=train, held_out=held,
            starters=_starters(settings, template, loaded.tokenizer, written),
            propose=Proposer(method, drawing, template, loaded.tokenizer, written.get(settings.memory)),
            scorer=AnswerScorer(tuned.model, loaded.tokenizer, template, settings.token_budget),
            stop=stack.enter_context(StopRequest()), budget=budget,
        )  # fmt: skip
        if settings.gradient_checkpointing:
            checkpoint_layers(tuned.model)
        trainer.run()
        if settings.profile and world.main:
            limits = measure_limits(world.device, next(tuned.model.parameters()).dtype)
            for row in report(profile(clock, tuned.model, tuned.kind, limits), limits):
                watcher.say(row)
        before, after = _measured(MetricsLog(folder.metrics))
        if world.main:
            export_model(tuned.model, loaded.tokenizer, folder.model, settings, before=before, after=after)
        world.wait()
    return Run(folder.path, folder.model, before, after)


def build_method(settings: TrainSettings) -> Method:
    """The E-step that the settings name."""
    given = {} if settings.samples is None else {"samples": settings.samples}
    fits = {} if settings.refits is None else {"refits": settings.refits}
    build: dict[str, Callable[..., Method]] = {
        "trice": partial(Trice, estimator=settings.estimator, baseline=settings.baseline, subsample=settings.subsample),
        "trice-likelihood": partial(
            TriceLikelihood, estimator="basic" if settings.estimator == "basic" else "control-variate"
        ),
        "star": partial(Star, **fits),
        "rejection": RejectionSampling,
        "rest-em": partial(RestEM, **fits),
        "direct": Direct,
        "cot": CoT,
        "rloo": RLOO,
        "grpo": GRPO,
        "incorrect-only": IncorrectOnly,
        "jepo": Jepo,
        "jepo-single": partial(Jepo, bound="single"),
        "prompting": Prompting,
    }
    return build[settings.method](**given)


def _sampler(
    settings: TrainSettings,
    model: Any,
    tokenizer: Any,
    world: World,
    folder: RunFolder,
    watcher: Watcher,
    stack: ExitStack,
    clock: Clock,
) -> Sampler:
    if settings.sampler == "local":
        import torch

        lowered = settings.sample_dtype == "bfloat16" and settings.weights_dtype != "bfloat16"
        if lowered and world.main:
            watcher.say("samples are drawn in bfloat16: almost those of the trained model, not exact")
        return LocalSampler(model, tokenizer, dtype=torch.bfloat16 if lowered else None, clock=clock)
    from aurify.sampling.vllm import trained_sampler

    if world.main:
        watcher.say(
            f"samples come from vLLM ({settings.vllm_url or 'a server of this run'}): almost those of the trained "
            f"model, not exact; by how much the log-probabilities differ is in {folder.metrics}"
        )
    return stack.enter_context(
        trained_sampler(
            model, tokenizer, name=settings.model, url=settings.vllm_url, dtype=settings.weights_dtype,
            log=folder.path / "vllm.log", once=world.once,
        )
    )  # fmt: skip


def _starters(
    settings: TrainSettings, template: PromptTemplate, tokenizer: Any, written: dict[str, first_rationales.Given]
) -> dict[str, first_rationales.Starter]:
    """The ways to start a chain that these settings allow, by the word of ``--memory``."""
    starters: dict[str, first_rationales.Starter] = {
        "guide": first_rationales.Drawn(template, tokenizer, "guide", hinted=True),
        "none": first_rationales.Empty(),
        **written,
    }
    if settings.memory == "few-shot":
        examples = PromptTemplate.named(settings.prompt, tokenizer, settings.memory_from)
        starters["few-shot"] = first_rationales.Drawn(examples, tokenizer, "few-shot", stop=examples.stop)
    return starters


def _written(settings: TrainSettings, tokenizer: Any, grader: Grader) -> dict[str, first_rationales.Given]:
    """The rationales that somebody wrote, by the word of ``--memory``; for direct tuning they are the answers."""

    def encode(text: str) -> list[int]:
        ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return [*ids, tokenizer.eos_token_id]

    def gold(question: Question) -> list[str]:
        if settings.method == "direct":
            return [f" {question.answer}"]
        return [question.rationale] if question.rationale else []

    written = {"gold": first_rationales.Given(gold, encode, grader, source="gold", model="")}
    if settings.memory == "table" and settings.memory_from:
        texts: dict[str, list[str]] = {}
        for rationale in read_rationales(Path(settings.memory_from)):
            texts.setdefault(rationale.question_id, []).append(rationale.text)
        written["table"] = first_rationales.Given(
            lambda question: texts.get(question.id) or texts.get(question.text) or (),
            encode, grader, source="teacher", model=settings.memory_from,
        )  # fmt: skip
    return written


def _soft_prompt(wanted: str) -> dict[str, Any]:
    """What a soft prompt starts from: the text of a file, or a number of tokens."""
    if wanted.isdecimal():
        return {"prompt_tokens": int(wanted)}
    try:
        return {"prompt_text": Path(wanted).read_text(encoding="utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        raise AurifyError(f"--soft-prompt-init {wanted}: cannot be read: {error}") from None


def _measured(log: MetricsLog) -> tuple[Accuracy | None, Accuracy | None]:
    lines = [line["held_out"] for line in log.read() if "held_out" in line]
    found = [Accuracy(line["right"], line["n"], line["low"], line["high"]) for line in lines]
    return (found[0], found[-1]) if found else (None, None)
