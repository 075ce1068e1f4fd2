from typing import get_args

import pytest

from aurify.collecting.settings import SampleSettings
from aurify.distillation.settings import DistillSettings
from aurify.doctor.settings import DoctorSettings
from aurify.evaluation.settings import EvaluateSettings
from aurify.methods import METHODS
from aurify.other_names import (
    DISTILL_METHODS,
    METHODS_ELSEWHERE,
    OTHER_NAMES,
    TRAIN_METHODS,
    WITHOUT,
    in_its_place,
    meant_by,
    method_elsewhere,
    unknown_setting,
)  # fmt: skip
from aurify.settings import spelling
from aurify.training.settings import TrainSettings

FLAGS = ["--lr", "--lr-final", "--questions", "--samples", "--max-new-tokens", "--quantize", "--out", "--steps"]


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("--learning-rate", "--lr"),
        ("--learning_rate", "--lr"),
        ("--batch-size", "--questions"),
        ("--num-generations", "--samples"),
        ("--MAX_TOKENS", "--max-new-tokens"),
        ("--output-dir", "--out"),
        ("--sample", "--samples"),
        ("--max_new_tokens", "--max-new-tokens"),
        ("--lrfinal", "--lr-final"),
        ("--top-p", ""),  # no setting is like it
        ("--system-prompt", ""),  # the setting that it means is not there
        ("--tuning", ""),
    ],
)
def test_an_unknown_flag_means_what_others_call_so_or_what_is_spelled_nearly_so(unknown, meant):
    assert meant_by(unknown, FLAGS) == meant


def test_without_a_likely_one_all_are_named():
    assert unknown_setting("learning_rate", ["lr", "steps"]) == "unknown setting 'learning_rate': did you mean 'lr'?"
    assert unknown_setting("zzz", ["lr", "steps"]) == "unknown setting 'zzz': known: lr, steps"


def test_ours_are_settings_and_no_other_name_means_two():
    kinds = [TrainSettings, DistillSettings, EvaluateSettings, SampleSettings, DoctorSettings]
    flags = {spelling(field).lstrip("-") for kind in kinds for field in kind.with_all_own().model_fields}
    assert set(OTHER_NAMES) <= flags
    elsewhere = [name for table in (OTHER_NAMES, WITHOUT) for others in table.values() for name in others]
    assert len(elsewhere) == len(set(elsewhere))
    of_train = {spelling(field).lstrip("-") for field in TrainSettings.with_all_own().model_fields}
    assert not of_train & {name for others in WITHOUT.values() for name in others}
    said = {word.strip(":,").lstrip("-") for ours in WITHOUT for word in ours.split() if word.startswith("--")}
    assert said - {"push"} <= of_train


@pytest.mark.parametrize(
    "key", ["beta", "--beta", "num_iterations", "gradient_accumulation_steps", "max_prompt_length"]
)
def test_what_has_no_like_here_is_answered_by_what_is_in_its_place(key):
    known = ["data", "questions", "samples", "gradient_checkpointing", "target_kl"]
    assert meant_by(key, known, cutoff=0.1) == ""
    assert in_its_place(key, known) in WITHOUT
    assert unknown_setting(key, known) == f"unknown setting '{key}': {in_its_place(key, known)}"
    assert not in_its_place("dat", known)


def test_that_is_not_said_of_a_command_of_which_it_does_not_hold():
    assert in_its_place("top-p", ["lr"]).startswith("rationales are drawn at temperature 1")
    assert not in_its_place("top-p", ["samples", "temperature"]), "one that draws at other temperatures"
    assert meant_by("--Temperature", ["--temperature"]) == "--temperature"
    assert not in_its_place("beta", ["samples"]), "there is no --target-kl"
    assert in_its_place("push-to-hub", []) == "aurify export RUN --push OWNER/NAME"


def test_methods_of_others_and_of_the_other_command():
    train, distill = METHODS.words(), list(get_args(DistillSettings.model_fields["method"].annotation))
    assert method_elsewhere("sft", train) == method_elsewhere("SFT", distill) != ""
    assert "aurify distill nat" in method_elsewhere("DPO", train)
    assert method_elsewhere("self_kd", train) == "it learns from samples that are there: aurify distill self-kd"
    assert method_elsewhere("grpo", distill) == "it learns from samples of its own: aurify train grpo"
    assert not any(method_elsewhere(word, train) for word in (*train, *METHODS.aliases, "tric", "sftt"))
    assert not any(method_elsewhere(word, distill) for word in (*distill, "na"))
    assert set(DISTILL_METHODS) == set(distill)
    assert set(TRAIN_METHODS) == set(METHODS.entries)
    others = [word for words in METHODS_ELSEWHERE.values() for word in words]
    assert len(set(others)) == len(others)
    assert not set(others) & {*train, *METHODS.aliases, *distill}


@pytest.mark.parametrize(
    ("unknown", "meant"), [("--tasks", "--data"), ("--model_args", "--model"), ("--apply_chat_template", "--prompt")]
)
def test_flags_of_lm_evaluation_harness(unknown, meant):
    flags = [spelling(field) for field in EvaluateSettings.with_all_own().model_fields]
    assert meant_by(unknown, flags) == meant
    assert in_its_place("--log_samples", flags) == "--out keeps the samples"
