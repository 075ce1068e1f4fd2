"""A distillation from settings to a model folder: the order of things, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import torch

from aurify.answers import Grader
from aurify.distillation.base import Prepared, check_model, load_given, prepare_student
from aurify.distillation.examples import Chosen, Example, choose
from aurify.distillation.export import export_student
from aurify.distillation.gradient import Scorer
from aurify.distillation.inherit import inherit
from aurify.distillation.likelihood import few
from aurify.distillation.nce import find_weights, weight_lines
from aurify.distillation.settings import DistillSettings
from aurify.distillation.stages import Builder, Stage
from aurify.distillation.teaching import drawn_rationales, given_rationales
from aurify.distillation.trainer import Distiller, HeldOut
from aurify.distillation.unit_weights import find_unit_weights, some, unit_layers, unit_weight_lines
from aurify.errors import AurifyError
from aurify.files import write_atomically
from aurify.models.nat.layer import BOTH, NEG
from aurify.models.nat.model import set_mode
from aurify.models.prefix import position_limit
from aurify.models.tuning import FULL_TUNING_LIMIT
from aurify.questions import PromptTemplate, Question
from aurify.questions.chosen import questions_to_learn
from aurify.rationales import Drawing, RationaleTable
from aurify.sampling import LocalSampler
from aurify.statistics import Accuracy
from aurify.training.folder import RunFolder, default_folder
from aurify.training.interrupt import StopRequest
from aurify.training.metrics import MetricsLog
from aurify.training.progress import Quiet, Watcher
from aurify.training.run import Run
from aurify.training.world import World

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def run_distillation(
    settings: DistillSettings,
    *,
    questions: Sequence[Question] | None = None,
    held_out: Sequence[Question] | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Distil as the settings say and leave model, table, metrics and checkpoints in the run's folder.

    Args:
        questions: in the place of reading ``settings.data``.
        held_out: in the place of ``settings.eval_data`` or of a part of the questions.

    Raises:
        AurifyError: bad data, a model that cannot be loaded, a diverged run, or a wish to stop (then resumable).
    """
    watcher = watcher or Quiet()
    settings = inherit(settings)
    check_model(settings)
    if not settings.out:
        settings = settings.model_copy(update={"out": default_folder(settings.method, settings.data)})
    train, held = questions_to_learn(settings, questions, held_out, watcher.say)
    _apart(train, held, settings)
    folder = RunFolder(settings.out)
    with ExitStack() as stack:
        world = World(track=settings.track, folder=settings.out)
        stack.callback(world.close)
        if world.main:
            folder.claim(settings, command="distill")
        world.wait()
        world.start_trackers(settings.model_dump())
        loaded, base = load_given(settings, world.device, folder.path / "base")
        prepared = prepare_student(loaded, base, settings)
        tokenizer = loaded.tokenizer
        template = PromptTemplate.named(settings.prompt, tokenizer, settings.few_shot)
        grader = stack.enter_context(Grader())
        sampler = LocalSampler(prepared.model, tokenizer)
        drawing = Drawing(sampler, grader, settings.model, settings.seed, settings.max_new_tokens, template.stop)
        stop = stack.enter_context(StopRequest())

        def say(text: str) -> None:
            if world.main:
                watcher.say(text)

        table = RationaleTable(folder.rationales)
        rationales = given_rationales(settings.from_, [*train, *held], grader, table, world)
        set_mode(prepared.model, prepared.start_mode)
        if settings.samples_first and settings.samples:
            rationales += drawn_rationales(
                train, drawing, template, tokenizer, table, world, samples=settings.samples,
                temperature=settings.temperature, say=say,
            )  # fmt: skip
        known = [*train, *held]
        prompts = dict(zip((one.id for one in known), template.encode_all(tokenizer, known), strict=True))
        scorer = Scorer(prepared.model, prompts, int(tokenizer.pad_token_id or 0), settings.token_budget)
        limit = min(settings.max_tokens, position_limit(prepared.model) or settings.max_tokens)

        def chosen_of(asked: Sequence[Question], repeats: str) -> Chosen:
            own = {question.id: prompts[question.id] for question in asked}
            return choose(
                rationales, own, tokenizer, negatives=settings.negatives, repeats=repeats, max_tokens=limit
            )  # fmt: skip

        chosen, measured = chosen_of(train, settings.repeats), chosen_of(held, "once")
        say(_counted(chosen, len(rationales)))
        stages = _stages(settings, prepared, Builder(settings, prepared.model, scorer, world, chosen), folder, say)
        distiller = Distiller(
            settings, stages, scorer, tokenizer, template, drawing, world, folder, watcher,
            held_out=HeldOut(held, few(measured.examples)), start_mode=prepared.start_mode,
            peak_rate=settings.lr or default_rate(prepared), stop=stop,
        )  # fmt: skip
        distiller.run()
        if prepared.nat is not None and prepared.nat.unit != "fixed":
            set_mode(prepared.model, BOTH)
            _tell_unit_weights(scorer, some(measured.examples or chosen.examples), tokenizer, world, folder, say)
        before, after = _measured(MetricsLog(folder.metrics))
        if world.main:
            export_student(prepared, tokenizer, folder.model, settings, before=before, after=after)
        world.wait()
    return Run(folder.path, folder.model, before, after)


def default_rate(prepared: Prepared) -> float:
    """The peak rate where none is given: the paper's 3e-4, and more for small models, which need it."""
    n_base = sum(p.numel() for name, p in prepared.model.named_parameters() if "lora_" not in name)
    return 2e-3 if n_base < FULL_TUNING_LIMIT else 3e-4


def _apart(train: Sequence[Question], measured: Sequence[Question], settings: DistillSettings) -> None:
    """Refuse to measure on what is trained on.

    Raises:
        AurifyError: an id is among both.
    """
    asked = {question.id for question in train}
    if both := [question.id for question in measured if question.id in asked]:
        raise AurifyError(f"{settings.eval_data}: {len(both)} of its ids are also in {settings.data}, as {both[0]}")


def _stages(
    settings: DistillSettings, prepared: Prepared, builder: Builder, folder: RunFolder, say: Callable[[str], None]
) -> list[Stage]:
    if settings.method not in ("nce", "self-kd"):
        return builder.stages()
    examples = builder.chosen.right()
    if not examples:
        raise AurifyError(f"--from {settings.from_}: no right rationale of a training question, nor a sampled one")
    if settings.method == "nce":
        weights = builder.world.map(
            lambda mine: find_weights(
                builder.scorer, mine, nat=lambda: set_mode(prepared.model, BOTH),
                neg=lambda: set_mode(prepared.model, NEG), by_token=settings.nce_weights == "token",
            ),
            examples,
        )  # fmt: skip
        lines = weight_lines(examples, weights)
        say(f"nce weights of {len(examples)} rationales, quantiles: {lines[0]['quantiles']}")
        if builder.world.main:
            write_atomically(folder.path / "nce_weights.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    else:
        weights = [torch.full((len(example.token_ids),), 0.5) for example in examples]
    by_example = dict(zip(examples, weights, strict=True))
    return [builder.distillation(by_example, teacher=prepared.start_mode, student="student")]


def _tell_unit_weights(
    scorer: Scorer,
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    world: World,
    folder: RunFolder,
    say: Callable[[str], None],
) -> None:
    """Write the distribution of the unit's weights on the negative side, and say it in a line."""
    weights = world.map(lambda mine: find_unit_weights(scorer, mine), examples)
    lines = unit_weight_lines(
        unit_layers(scorer.model), examples, weights, lambda token: str(tokenizer.decode([token]))
    )  # fmt: skip
    say(f"the unit's weights on the negative side in {len(examples)} rationales, quantiles: {lines[0]['quantiles']}")
    if world.main:
        write_atomically(folder.path / "unit_weights.jsonl", "".join(json.dumps(line) + "\n" for line in lines))


def _counted(chosen: Chosen, n: int) -> str:
    left = Counter({"of held-out questions": chosen.left_out["of other questions"], **chosen.left_out})
    del left["of other questions"]
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left.items()) if count)
    others = f"; left out: {reasons}" if reasons else ""
    return f"{n} rationales: {len(chosen.right())} right and {len(chosen.wrong())} wrong to learn from{others}"


def _measured(log: MetricsLog) -> tuple[Accuracy | None, Accuracy | None]:
    lines = [line["held_out"] for line in log.read() if "held_out" in line]
    found = [Accuracy(line["right"], line["n"], line["low"], line["high"]) for line in lines]
    return (found[0], found[-1]) if found else (None, None)
