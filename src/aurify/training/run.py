"""A training run from settings to a model folder: the order of things, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from aurify.clock import Clock
from aurify.errors import AurifyError, UsageError
from aurify.methods import METHODS, Method
from aurify.models import load_model, prepare
from aurify.models.load import model_hashes
from aurify.models.prefix import is_adapted, room_behind
from aurify.models.prompting import PromptForm
from aurify.models.sharding import join
from aurify.models.token_budget import TokenBudget
from aurify.questions import Prompts, Question
from aurify.questions.chosen import questions_to_learn
from aurify.questions.fingerprint import fingerprint, of_files
from aurify.questions.given import DataInPython
from aurify.rationales import Drawing, Rationale, RationaleTable
from aurify.rationales.limit import (
    CHAT,
    PLAIN,
    ROOM_TO_GROW,
    Limit,
    limit_by_rule,
    limit_from_pilot,
    within_room,
    worth_a_pilot,
)
from aurify.running.best import BestModel
from aurify.running.budget import Budget, Spending
from aurify.running.context import Run, RunContext, opened
from aurify.running.duration import seconds_of
from aurify.running.export import Accuracies, export, model_card
from aurify.running.folder import named_folder
from aurify.running.form import RunForm
from aurify.running.loop import Loop
from aurify.running.metrics import MetricsLog
from aurify.running.precision import with_dtype
from aurify.running.profile import profile_report
from aurify.running.progress import Quiet, Watcher
from aurify.running.world import World
from aurify.sampling import LocalSampler, Occasion, Sampler
from aurify.sampling.chosen import declared_sampler
from aurify.sampling.protocol import Publishing
from aurify.training.ahead import TOLD, DrawsAhead
from aurify.training.answer_scores import AnswerScorer
from aurify.training.em import ExpectationMaximisation
from aurify.training.fits import Fits
from aurify.training.forecast import forecast
from aurify.training.guide_scores import GuideScorer
from aurify.training.m_step import checkpoint_layers
from aurify.training.outcome import outcome, over_the_run
from aurify.training.proposals import Proposer
from aurify.training.settings import TrainSettings, build_method
from aurify.training.starts import settled_start, starters, written_rationales
from aurify.training.trust_region import OF_SURPRISE, TARGET_KL
from aurify.training.update import Update


def run_training(
    settings: TrainSettings,
    *,
    questions: DataInPython | None = None,
    held_out: DataInPython | None = None,
    watcher: Watcher | None = None,
    budget: Budget | None = None,
) -> Run:
    """Train as the settings say and leave model, table, metrics and checkpoints in the run's folder.

    Args:
        questions: in the place of reading ``settings.data``.
        held_out: in the place of ``settings.eval_data`` or of a part of the questions.
        budget: ends the run before its last step, in the place of ``settings.max_time``; the learning rate then falls
            with what is used of it.

    Raises:
        AurifyError: bad data, a model that cannot be loaded, a diverged run, or a wish to stop (then resumable).
    """
    with named_folder(settings) as named:
        return _trained(named, questions, held_out, watcher or Quiet(), budget)


def _trained(
    settings: TrainSettings,
    questions: DataInPython | None,
    held_out: DataInPython | None,
    watcher: Watcher,
    budget: Budget | None,
) -> Run:
    method = build_method(settings)
    if settings.max_time:
        if budget:
            raise UsageError(f"--max-time {settings.max_time}: the run has a budget already: leave one of them")
        budget = Budget("seconds", seconds_of(settings.max_time), recorded=True)
    settings = with_dtype(settings, watcher.say, full=settings.tuning == "full")
    if note := METHODS.note(settings.method):
        watcher.say(note)
    train, held = questions_to_learn(settings, questions, held_out, watcher.say)
    memory = settled_start(settings, method, train, watcher.say)
    with ExitStack() as stack:
        context = stack.enter_context(opened(settings, "train", watcher))
        world, folder, grader = context.world, context.folder, context.grader
        if budget and not budget.recorded:
            folder.resume_command = "the same command"
        world.once(lambda: folder.refuse_others(settings))  # and again when it is claimed: a model is slow to load
        loaded = load_model(
            settings.model, dtype=settings.weights_dtype, device=world.device, trainable=True,
            quantize=settings.quantize, say=context.say,
        )  # fmt: skip
        model, tokenizer = loaded
        adapted = is_adapted(model)
        tuned = prepare(
            model, tokenizer, kind=settings.tuning, lora_rank=settings.lora_rank,
            lora_alpha=settings.lora_alpha or 2 * settings.lora_rank, lora_targets=settings.lora_targets,
            **_soft_prompt(settings.soft_prompt_init), seed=settings.seed,
        )  # fmt: skip
        for line in settings.unused(tuned.kind, adapted=adapted):
            context.say(line)
        if settings.overlap and not world.alone:
            raise UsageError(f"--overlap: for one process, and {world.size} were started: leave one of them")
        if settings.fsdp != "none":
            context.say(world.shard(tuned.model))
        asked = RunForm.of(settings, tokenizer, context)
        template = asked.template
        read = fingerprint({"training questions": train, "held-out questions": held})
        files = of_files([settings.few_shot, settings.memory_from])
        read = {**read, "files": files, "model": model_hashes(settings.model)}
        context.claim(settings, read, train=train, held_out=held)
        asked.tell(context, train[0])
        settings = settings.model_copy(update={"memory": memory})  # after its record: a plan compares what was asked
        clock = Clock()
        sampler = stack.enter_context(_sampler(settings, tuned.model, tokenizer, context, clock))
        prompts, table = Prompts(template, tokenizer), RationaleTable(folder.rationales)
        drawing = Drawing(
            sampler, grader, settings.model, settings.seed, asked.form.max_new_tokens or PLAIN, template.stop, clock,
            template.opening, tokenizer=tokenizer,
        )  # fmt: skip
        pilot: list[Rationale] = []
        if asked.form.max_new_tokens is None:
            limit = _limit(settings, method, asked.form, prompts, tuned.model, drawing, train, held, world)
            context.say(limit.line())
            asked, pilot = asked.limited(limit.tokens), limit.drawn
            drawing = replace(drawing, max_new_tokens=limit.tokens)
        form = asked.form
        asked.save(context)
        predicted = forecast(
            settings, tuned, prompts(train[:16]), new_tokens=drawing.max_new_tokens, samples=method.samples,
            processes=world.size,
        )  # fmt: skip
        for line in predicted.lines:
            context.say(line)
        settings = settings.model_copy(update={"token_budget": predicted.token_budget})
        if isinstance(sampler, LocalSampler):
            sampler.max_cache_tokens = predicted.cache_tokens
        written = written_rationales(settings, method, prompts, grader, train, context.say)
        fits = Fits(
            train, steps=settings.updates, refits=method.refits, growth=method.growth, size=settings.questions,
            seed=settings.seed, advice=(settings.method, _advice(method)), visits=method.visits,
        )  # fmt: skip
        spending = Spending(budget, fits.starts)
        at_a_time = TokenBudget(settings.token_budget, context.say, repeats=settings.fsdp == "none" or world.alone)
        update = Update(
            settings, tuned, world, clock, budget=at_a_time, pad_token_id=tokenizer.pad_token_id,
            target_kl=_target_kl(settings, method, tuned.kind),
            of_surprise=OF_SURPRISE if settings.target_kl is None else 0.0,
        )  # fmt: skip
        propose = Proposer(method, drawing, prompts, written.get(settings.memory))
        ahead = DrawsAhead(propose) if settings.overlap else None
        if ahead:
            context.say(TOLD)
        task = ExpectationMaximisation(
            settings, method, update,
            prompts, drawing, context, train=train, held_out=held, table=table,
            starters=starters(settings, form, prompts, written),
            propose=propose,
            scorer=AnswerScorer(tuned.model, prompts, at_a_time),
            guide_scorer=GuideScorer(tuned.model, prompts, at_a_time), fits=fits, spending=spending,
            pilot=pilot, ahead=ahead,
        )  # fmt: skip
        if settings.gradient_checkpointing:
            checkpoint_layers(tuned.model)

        def write(to: Path, measured: Accuracies) -> None:
            _export(to, settings, form, tuned.model, tokenizer, measured)

        best = BestModel(context, write) if settings.eval_every and held else None
        if settings.eval_every and not held:
            context.say(f"--eval-every {settings.eval_every}: no question is held out, so nothing is evaluated")
        Loop(
            task, context, resume=settings.resume, save_every=settings.save_every, eval_every=settings.eval_every,
            tables=[table], spending=spending, clock=clock, best=best,
        ).run()  # fmt: skip
        join(tuned.model)
        if not (method.refits or method.given or method.scores_answers):
            moves = getattr(method, "moves", "independent")
            guided = task.start_from != "none" or not method.remembers or method.corrects_guide
            for line in outcome(task.memory.chains(), guided=guided, moves=moves):
                context.say(line)
        for line in over_the_run(MetricsLog(folder.metrics).read() if world.main else ()):
            context.say(line)
        if settings.profile and world.main:
            for row in profile_report(clock, tuned.model, tuned.kind):
                watcher.say(row)
        if settings.dtype == "bfloat16" and tuned.kind == "full":
            tuned.model.bfloat16()
        finished = context.finish(write)
        if best:
            context.say(best.told())
        return finished


def _target_kl(settings: TrainSettings, method: Method, kind: str) -> float:
    """What bounds a step. A rate that is given is taken at its word; so is the paper's for soft prompts."""
    if settings.target_kl is not None:
        return settings.target_kl
    return TARGET_KL if method.samples_itself and settings.lr is None and kind != "prompt" else 0.0


def _sampler(
    settings: TrainSettings, model: Any, tokenizer: Any, context: RunContext, clock: Clock
) -> AbstractContextManager[Sampler]:
    occasion = Occasion(
        settings.model, settings.weights_dtype, trained_in=settings.dtype, folder=context.folder.path,
        once=context.world.once, clock=clock, progress=context.drawn, say=context.say,
    )  # fmt: skip
    return declared_sampler(settings, occasion).of_model(model, tokenizer, occasion)


def _limit(
    settings: TrainSettings,
    method: Method,
    form: PromptForm,
    prompts: Prompts,
    model: Any,
    drawing: Drawing,
    train: Sequence[Question],
    held: Sequence[Question],
    world: World,
) -> Limit:
    """How long a rationale of this run may become, where neither the settings nor the model's record say it."""
    rule = limit_by_rule(form.prompt, thinking=prompts.template.thinks)
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    n_rationales = settings.updates * min(settings.questions, len(train)) * method.samples
    room = room_behind(model, chain(prompts(train), prompts(train, hinted=True), prompts(held)))
    if method.given or not worth_a_pilot(n_parameters, n_rationales):
        return within_room(rule, room)
    if isinstance(drawing.sampler, Publishing):
        drawing.sampler.publish(write=world.main)
        world.wait()
    return limit_from_pilot(
        train, prompts, drawing, most=max(CHAT, rule.tokens), room=room, growth=ROOM_TO_GROW,
        spread=lambda draw, asked: world.map(world.stop.breaking(draw), asked),
    )  # fmt: skip


def _soft_prompt(wanted: str) -> dict[str, Any]:
    """What a soft prompt starts from: the text of a file, or a number of tokens."""
    if wanted.isdecimal() and len(wanted) < 19:
        return {"prompt_tokens": int(wanted)}
    try:
        return {"prompt_text": Path(wanted).read_text(encoding="utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        raise AurifyError(f"--soft-prompt-init {wanted}: cannot be read: {error}") from None


def _advice(method: Method) -> str:
    """What to do where no question has a right rationale."""
    return "give others with --memory" if method.given else "try --few-shot or a better model"


def _export(
    folder: Path, settings: TrainSettings, form: PromptForm, model: Any, tokenizer: Any, measured: Accuracies
) -> None:
    made = f"from `{settings.model}`, on the questions of `{settings.data}`, with no rationales given."
    card = model_card(
        settings, "train", library="transformers", base=settings.model, made=made, measured=measured
    )  # fmt: skip
    export(folder, model.save_pretrained, tokenizer, form, card)
