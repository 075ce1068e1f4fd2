"""A distillation from settings to a model folder: the order of things, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aurify.distillation.base import Prepared, check_model, load_given, prepare_student
from aurify.distillation.examples import Chosen, Example, choose
from aurify.distillation.export import export_student
from aurify.distillation.forecast import forecast_distillation
from aurify.distillation.gradient import ExampleScorer
from aurify.distillation.inherit import inherit
from aurify.distillation.likelihood import contrasting
from aurify.distillation.nce import KeptWeights, find_divergences, rationale_weights, weight_lines
from aurify.distillation.settings import DistillSettings
from aurify.distillation.stages import Builder, Stage
from aurify.distillation.task import Distillation, HeldOut
from aurify.distillation.teaching import DrawnBefore, draw_rationales, keep_given_rationales
from aurify.distillation.token_weights import evenly_spread
from aurify.distillation.unit_weights import find_unit_weights, unit_layers, unit_weight_lines
from aurify.errors import AurifyError, UsageError
from aurify.files import write_atomically
from aurify.models.beginning import n_worth_sharing
from aurify.models.load import model_hashes
from aurify.models.nat.model import adapters
from aurify.models.nat.unit import BOTH, NEG
from aurify.models.prefix import position_limit, room_behind
from aurify.models.sharding import join
from aurify.models.token_budget import TokenBudget
from aurify.models.tuning import FULL_TUNING_LIMIT
from aurify.questions import Prompts, Question
from aurify.questions.apart import on_both_sides
from aurify.questions.chosen import questions_to_learn
from aurify.questions.fingerprint import fingerprint, of_files
from aurify.questions.given import DataInPython
from aurify.rationales import Drawing, RationaleTable
from aurify.rationales.limit import PLAIN, limit_by_rule, within_room
from aurify.running.context import Run, RunContext, opened
from aurify.running.folder import named_folder
from aurify.running.form import RunForm
from aurify.running.loop import Loop
from aurify.running.precision import with_dtype
from aurify.running.progress import Quiet, Watcher
from aurify.sampling import Occasion
from aurify.sampling.chosen import declared_sampler
from aurify.sampling.protocol import Publishing


def run_distillation(
    settings: DistillSettings,
    *,
    questions: DataInPython | None = None,
    held_out: DataInPython | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Distil as the settings say and leave model, table, metrics and checkpoints in the run's folder.

    Args:
        questions: in the place of reading ``settings.data``.
        held_out: in the place of ``settings.eval_data`` or of a part of the questions.

    Raises:
        AurifyError: bad data, a model that cannot be loaded, a diverged run, or a wish to stop (then resumable).
    """
    settings = inherit(settings, reads=questions is None)
    check_model(settings)
    with named_folder(settings) as named:
        return _distilled(named, questions, held_out, watcher or Quiet())


def _distilled(
    settings: DistillSettings, questions: DataInPython | None, held_out: DataInPython | None, watcher: Watcher
) -> Run:
    settings = with_dtype(settings, watcher.say)
    for line in settings.unused:
        watcher.say(line)
    train, held = questions_to_learn(settings, questions, held_out, watcher.say)
    if both := on_both_sides(train, held):
        raise AurifyError(f"{settings.eval_data}: question {both[0].id!r} is in {settings.data} too ({len(both)} such)")
    with ExitStack() as stack:
        context = stack.enter_context(opened(settings, "distill", watcher))
        read = fingerprint({"training questions": train, "held-out questions": held})
        read = {**read, "rationales": of_files([settings.from_]), "model": model_hashes(settings.model)}
        context.claim(settings, read, train=train, held_out=held)
        loaded, base = load_given(settings, context.world.device, context.folder.path / "base", context.say)
        prepared = prepare_student(loaded, base, settings)
        model, tokenizer = prepared.model, loaded.tokenizer
        if settings.fsdp != "none":
            context.say(context.world.shard(model))
        asked = RunForm.of(settings, tokenizer, context)
        template = asked.template
        prompts = Prompts(template, tokenizer)
        if asked.form.max_new_tokens is None:
            rule = limit_by_rule(asked.form.prompt, thinking=template.thinks)
            asked = asked.limited(within_room(rule, room_behind(model, prompts([*train, *held]))).tokens)
        form = asked.form
        asked.tell(context, train[0])
        asked.save(context)
        occasion = Occasion(
            settings.model, settings.dtype, folder=context.folder.path, once=context.world.once,
            progress=context.drawn, say=context.say,
        )  # fmt: skip
        sampler = stack.enter_context(declared_sampler(settings, occasion).of_model(model, tokenizer, occasion))
        if isinstance(sampler, Publishing):
            raise UsageError(
                f"--sampler {settings.sampler}: it has a copy of the weights, and distill brings no adapters there: "
                "take --sampler local"
            )
        drawing = Drawing(
            sampler, context.grader, settings.model, settings.seed, form.max_new_tokens or PLAIN, template.stop,
            opening=template.opening,
        )  # fmt: skip
        known = [*train, *held]
        table = RationaleTable(context.folder.rationales)
        keep_given_rationales(settings.from_, known, context.grader, table, context.world)
        drawn = DrawnBefore()
        if settings.samples_first and settings.samples:
            with adapters(model, prepared.start_mode):
                drawn = draw_rationales(
                    train, drawing, prompts, table, context, samples=settings.samples,
                    temperature=settings.temperature,
                )  # fmt: skip
        by_id = dict(zip((one.id for one in known), prompts(known), strict=True))
        at_a_time = TokenBudget(
            settings.token_budget, context.say, repeats=settings.fsdp == "none" or context.world.alone
        )
        scorer = ExampleScorer(
            model, by_id, int(tokenizer.pad_token_id or 0), at_a_time, bf16=settings.dtype == "bfloat16"
        )
        limit = min(settings.max_tokens, position_limit(model) or settings.max_tokens)

        def decode(token: int) -> str:
            return str(tokenizer.decode([token]))

        def chosen_of(asked: Sequence[Question], repeats: str, prefixes: bool = False) -> Chosen:
            own = {question.id: by_id[question.id] for question in asked}
            return choose(
                table.read(), own, tokenizer, template, negatives=settings.negatives, repeats=repeats,
                max_tokens=limit, prefixes=prefixes,
            )  # fmt: skip

        chosen, measured = chosen_of(train, settings.repeats, settings.method == "prefix"), chosen_of(held, "once")
        context.say(_counted(chosen, sum(map(len, table.batches(["question_id"])))))
        stages = _stages(settings, prepared, Builder(settings, model, scorer, context.world, chosen), context, decode)
        task = Distillation(
            settings, stages, scorer, prompts, drawing, context.world, context.say, context.stop,
            held_out=HeldOut(held, contrasting(measured.examples)), start_mode=prepared.start_mode,
            peak_rate=settings.lr or default_rate(prepared), drawn=drawn,
        )  # fmt: skip
        lengths = [len(by_id[one.question_id]) + len(one.token_ids) for one in chosen.examples]
        shared = n_worth_sharing(list({by_id[one.question_id] for one in chosen.examples}))
        predicted = forecast_distillation(settings, model, lengths, shared=shared, processes=context.world.size)
        scorer.budget.tokens = predicted.token_budget
        for line in predicted.lines:
            context.say(line)
        Loop(task, context, resume=settings.resume, save_every=settings.save_every).run()
        join(model)
        if prepared.nat is not None and prepared.nat.unit != "fixed":
            with adapters(model, BOTH):
                _tell_unit_weights(scorer, evenly_spread(measured.examples or chosen.examples), decode, context)
        return context.finish(lambda to, found: export_student(prepared, tokenizer, to, settings, form, found))


def default_rate(prepared: Prepared) -> float:
    """The peak rate where none is given: the paper's 3e-4, and more for small models, which need it."""
    n_base = sum(p.numel() for name, p in prepared.model.named_parameters() if "lora_" not in name)
    return 2e-3 if n_base < FULL_TUNING_LIMIT else 3e-4


def _stages(
    settings: DistillSettings,
    prepared: Prepared,
    builder: Builder,
    context: RunContext,
    decode: Callable[[int], str],
) -> list[Stage]:
    if settings.method not in ("nce", "self-kd"):
        return builder.stages()
    examples = builder.chosen.right()
    if not examples:
        raise AurifyError(f"--from {settings.from_}: no right rationale of a training question, nor a sampled one")
    if settings.method == "self-kd":

        def halves(asked: Sequence[Example]) -> list[Tensor]:
            return [torch.full((len(one.token_ids),), 0.5) for one in asked]

        return [builder.distillation(halves, teacher=prepared.start_mode)]

    def divergences(asked: Sequence[Example]) -> list[Tensor]:
        nat, neg = (partial(adapters, prepared.model, mode) for mode in (BOTH, NEG))
        return find_divergences(builder.scorer, asked, nat=nat, neg=neg)

    def weights(kl: Sequence[Tensor]) -> list[Tensor]:
        return [rationale_weights(kl_T, settings.nce_weights == "token") for kl_T in kl]

    shown = evenly_spread(examples)
    kl = context.world.map(divergences, shown)
    lines = weight_lines(shown, weights(kl), kl, decode)
    context.say(f"nce weights of {len(shown)} rationales: {_span(lines[0])}")
    _write_lines(context, "nce_weights.jsonl", lines)
    kept = KeptWeights(lambda asked: weights(divergences(asked)))
    return [builder.distillation(kept, teacher=prepared.start_mode)]


def _tell_unit_weights(
    scorer: ExampleScorer, examples: Sequence[Example], decode: Callable[[int], str], context: RunContext
) -> None:
    """Write the distribution of the unit's weights on the negative side, and say it in a line."""
    weights = context.world.map(lambda mine: find_unit_weights(scorer, mine), examples)
    lines = unit_weight_lines(unit_layers(scorer.model), examples, weights, decode)
    context.say(f"the unit's weights on the negative side in {len(examples)} rationales: {_span(lines[0])}")
    _write_lines(context, "unit_weights.jsonl", lines)


def _span(summary: dict[str, Any]) -> str:
    """The spread of weights in words; the file that they stand in has more."""
    at = summary["quantiles"]
    return f"{at['0']:.3g} to {at['1']:.3g}, median {at['0.5']:.3g}"


def _write_lines(context: RunContext, name: str, lines: Sequence[dict[str, Any]]) -> None:
    if context.world.main:
        path: Path = context.folder.path / name
        write_atomically(path, "".join(json.dumps(line) + "\n" for line in lines))


def _counted(chosen: Chosen, n: int) -> str:
    left = Counter({"of held-out questions": chosen.left_out["of other questions"], **chosen.left_out})
    del left["of other questions"]
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left.items()) if count)
    others = f"; left out: {reasons}" if reasons else ""
    return f"{n} rationales: {len(chosen.right())} right and {len(chosen.wrong())} wrong to learn from{others}"
