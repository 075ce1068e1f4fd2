"""From what was tried to what to do: words, and the next command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aurify.doctor.settings import DoctorSettings
from aurify.doctor.trial import THOUGHT, Trial
from aurify.statistics.pass_rates import PassRates

HOPELESS, TOO_EASY = 0.02, 0.85
"""Shares of right rationales below which answers alone hardly teach, and above which there is little to learn."""
ENOUGH_TO_TELL = 16
"""Rationales of which none is right: then a model is not sent to learn from answers alone either."""
TOO_RARE = "right rationales are too rare for learning from answers alone"
MANY_CUT, MANY_UNREADABLE = 0.15, 0.2
"""Shares of truncated and of unreadable rationales that are worth a word."""
MOSTLY_CUT, LONGER = 0.5, 4
"""The share of truncated rationales beyond which they hide the rest, and how many times as long a limit to try then."""
CLEAR_P = 0.2
"""A way of asking is taken in the place of the first one where it is better at this p-value."""
WORTH_POINTS = 10.0
"""And worth a word where it is better by this many, which may be chance."""


class Advice(NamedTuple):
    """What to do."""

    chosen: Trial
    lines: list[str]
    command: str


def advise(settings: DoctorSettings, trials: Sequence[Trial], *, told_rationales: bool) -> Advice:
    """What the trials say.

    Args:
        trials: the first one is how the model is asked by the settings.
        told_rationales: whether the data holds gold rationales.
    """
    chosen = _best(trials)
    rate = PassRates(chosen.right_Q, chosen.samples).right().mean
    lines = []
    if chosen is not trials[0]:
        points, p = chosen.better_than(trials[0])
        lines.append(f"take {chosen.name}: {points:+.0f} points over {trials[0].name} (sign test p {p:.2g})")
    else:
        lines += _untold(settings, trials)
    lines += _troubles(chosen)
    drawn = len(chosen.right_Q) * chosen.samples
    hopeless = rate < HOPELESS or (drawn >= ENOUGH_TO_TELL and not chosen.right_Q.any())
    if hopeless and _hidden_by_limit(chosen, trials):
        lines.append("nothing can be told from rationales that are cut: look again under a longer limit")
        longest = max(len(one.token_ids) for one in chosen.all)
        more = {**chosen.flags, "--max-new-tokens": str(LONGER * longest)}
        return Advice(chosen, lines, _command("doctor", settings, more))
    if hopeless and told_rationales:
        lines.append(f"{TOO_RARE}: begin with the data's gold rationales (cot), then train that model on with trice")
        return Advice(chosen, lines, _command("train cot", settings, chosen.flags))
    if hopeless:
        lines.append(f"{TOO_RARE}: take a larger model or easier questions, or begin with a teacher's rationales, then")
        lines.append("distil them: aurify distill kd --from RUN")
        return Advice(chosen, lines, _command("sample --api openai --samples 4", settings, {"--model": "TEACHER"}))
    if rate > TOO_EASY:
        lines.append("most questions are solved already and little is left to learn; harder ones would teach more")
    told = next((trial for trial in trials if not trial.deployable), None)
    if told is not None and told.better_than(chosen).points > WORTH_POINTS and rate < 0.5:
        lines.append(
            f"told the answer it is right in {100 * told.rate:.0f} %: --memory auto, the default, may start chains so"
        )
    return Advice(chosen, lines, _command("train trice", settings, chosen.flags))


def _best(trials: Sequence[Trial]) -> Trial:
    """The trial that is clearly better than the first one, or the first one."""
    best = trials[0]
    for trial in trials[1:]:
        difference = trial.better_than(trials[0])
        clear = difference.points > 0 and difference.p < CLEAR_P
        if trial.deployable and clear and trial.rate > best.rate:
            best = trial
    return best


def _untold(settings: DoctorSettings, trials: Sequence[Trial]) -> list[str]:
    """The way of asking that looked best, where so few questions do not tell it from the first one."""
    best = max((trial for trial in trials if trial.deployable), key=lambda trial: trial.rate)
    points, p = best.better_than(trials[0])
    if points < WORTH_POINTS:
        return []
    return [
        f"{best.name} may be better: {points:+.0f} points over {trials[0].name}, which {len(best.rows)} questions do "
        f"not tell from chance (sign test p {p:.2g}): --questions {4 * settings.questions} would say more"
    ]


def _hidden_by_limit(trial: Trial, trials: Sequence[Trial]) -> bool:
    """Whether most rationales are cut, and a longer limit promises something.

    So it does where thoughts are cut. Others may have no end: twice the limit must have let some come to theirs.
    """
    cut = [one for one in trial.all if one.verdict == "truncated"]
    if len(cut) <= MOSTLY_CUT * len(trial.all):
        return False
    if sum("thought" in one.reason for one in cut) > len(cut) / 2:
        return True
    longer = next((other for other in trials if "--max-new-tokens" in other.flags), None)
    return longer is None or longer.share("truncated") < 0.9 * trials[0].share("truncated")


def _troubles(trial: Trial) -> list[str]:
    lines = []
    if (open_ := trial.share(THOUGHT)) > MANY_CUT:
        lines.append(
            f"{100 * open_:.0f} % end within their thought and state nothing: switch thinking off by --template-args "
            "where the template can"
        )
    if (cut := trial.share("truncated")) > MANY_CUT:
        lines.append(
            f"{100 * cut:.0f} % are cut at the limit: a higher --max-new-tokens, or worked examples (--few-shot), "
            "which show when to stop"
        )
    if (unread := trial.share("unparsable")) > MANY_UNREADABLE:
        lines.append(
            f"{100 * unread:.0f} % state no answer that can be read: worked examples (--few-shot) show the form"
        )
    if timeouts := trial.verdicts["timeout"]:
        lines.append(f"{timeouts} answers took too long to judge and count as wrong")
    return lines


def _command(words: str, settings: DoctorSettings, flags: Mapping[str, str | None]) -> str:
    """A command that keeps what the user said, and adds what was found."""
    said: dict[str, str | None] = {
        "--model": settings.model,
        "--data": settings.data,
        "--answers": settings.answers,
        "--question-field": settings.question_field,
        "--answer-field": settings.answer_field,
        "--prompt": None if settings.prompt == "auto" else settings.prompt,
        "--few-shot": settings.few_shot,
        "--system": settings.system,
        "--template-args": settings.template_args,
        "--max-new-tokens": str(settings.max_new_tokens) if settings.max_new_tokens else None,
        **flags,
    }
    if said["--prompt"] == "plain":  # these are for a chat
        said |= {"--system": None, "--template-args": None}
    given = [f"{flag} {shlex.quote(value)}" for flag, value in said.items() if value is not None]
    return " ".join([f"aurify {words}", *given, *(["--skip-bad"] if settings.skip_bad else [])])
