from __future__ import annotations

import pytest

from aurify.errors import UsageError
from aurify.methods import METHODS
from aurify.settings import resolve
from aurify.training.settings import TrainSettings

AS_EVERYWHERE = ("prompt", "few_shot", "system", "template_args", "max_new_tokens", "fsdp", "stalled_after")
"""How a model is asked, and how several processes share a run: the same words for every command."""


def test_a_method_has_few_enough_settings_to_read_each_explained():
    for method in METHODS.words():
        fields = TrainSettings.opened({"method": method}).model_fields
        assert len(fields.keys() - {"method", "model", "data", "out", *AS_EVERYWHERE}) <= 43
        assert all(field.description for field in fields.values())


def test_a_method_has_its_own_settings_and_no_others():
    trice, rloo = (TrainSettings.opened({"method": word}).model_fields for word in ("trice", "rloo"))
    assert trice.keys() - rloo.keys() == {"estimator", "baseline", "subsample", "moves", "visits"}
    assert rloo.keys() - TrainSettings.model_fields.keys() == {"sample_dtype"}, "the local sampler's own"
    assert rloo["samples"].description.endswith("[4]")
    assert TrainSettings.opened({"method": "gspo"}).model_fields["samples"].description.endswith("[8]")
    assert type(TrainSettings(method="star", model="m", data="d")) is TrainSettings.opened({"method": "star"})


def test_words_that_name_nothing_make_no_class_that_is_kept():
    unknown = {TrainSettings.opened({"method": f"tric{n}"}) for n in range(20)}
    assert unknown == {TrainSettings.opened({"method": "nobody:Nothing"})}
    assert unknown != {TrainSettings.opened({"method": "trice"})}
    (without_sampler,) = {TrainSettings.opened({"method": "trice", "sampler": f"x{n}"}) for n in range(20)}
    assert without_sampler.model_fields.keys() >= {"estimator"}


def test_a_file_of_before_is_read_and_its_neutral_settings_of_other_methods_are_left_out(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('method = "rloo"\nmodel = "m"\ndata = "d"\nestimator = "control-variate"\nsubsample = 64\n')
    assert "estimator" not in resolve(TrainSettings, {}, file).to_toml()
    file.write_text(file.read_text().replace("64", "65"))
    with pytest.raises(UsageError, match="--subsample means nothing for rloo, only for trice"):
        resolve(TrainSettings, {}, file)
    assert resolve(TrainSettings, {"method": "trice"}, file).subsample == 65
    assert resolve(TrainSettings, {"method": "trice", "subsample": "7"}, file).subsample == 7
    file.write_text(file.read_text().replace("rloo", "trice").replace("65", "'x'"))
    with pytest.raises(UsageError, match=r"config.toml:5: subsample 'x': input should be a valid integer"):
        resolve(TrainSettings, {}, file)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "rloo", "estimator": "basic"}, "--estimator means nothing for rloo"),
        ({"method": "trice", "refits": 3}, "only for star and rest-em"),
        ({"method": "rest-em", "refits": 0}, "rest-em always fits from the base model"),
        ({"method": "star", "samples": 4}, "leave --samples"),
        ({"method": "trice", "prompt": "direct"}, "trice learns from rationales: take the method direct"),
        ({"method": "direct", "prompt": "chat"}, "direct asks for the answer alone: leave --prompt"),
        ({"method": "direct", "memory": "guide"}, "direct learns from what is given: gold"),
        ({"method": "cot", "memory": "none"}, "gold, table or guide"),
        ({"method": "rloo", "samples": 1}, "give --samples 2 or more"),
        ({"method": "tric"}, r"--method 'tric': did you mean 'trice'\? \(known: trice, trice-likelihood"),
        ({"method": "tric", "estimator": "basic"}, "--method 'tric': did you mean 'trice'"),
        ({"method": "gsop"}, "did you mean 'gspo'"),
        ({"method": "trice-likelihood", "estimator": "subsampled"}, "known: control-variate, basic"),
    ],
)
def test_settings_that_a_method_does_not_have(given, message):
    with pytest.raises(UsageError, match=message):
        resolve(TrainSettings, {"model": "nugget", "data": "d", **given})


def test_what_follows_from_the_method_is_in_the_resolved_settings():
    direct = resolve(TrainSettings, {"method": "direct", "model": "nugget", "data": "d"})
    assert (direct.prompt, direct.memory) == ("direct", "gold")
    cot = resolve(TrainSettings, {"method": "cot", "model": "nugget", "data": "d"})
    assert (cot.prompt, cot.memory) == ("auto", "auto"), "the questions decide between gold and the guide"
    again = TrainSettings(**direct.model_dump())
    assert again == direct


@pytest.mark.parametrize(
    ("kind", "adapted", "given", "lines"),
    [
        ("full", False, {"lora_rank": 4, "lora_targets": ["q_proj"]},
         ["--lora-rank, --lora-targets: no setting that --tuning full looks at"]),
        ("lora", True, {"lora_rank": 4, "lora_alpha": 8},
         ["--lora-rank, --lora-alpha: the adapter of --model goes on as it is"]),
        ("lora", False, {"lora_rank": 4, "soft_prompt_init": "5"},
         ["--soft-prompt-init: no setting that --tuning lora looks at"]),
        ("prompt", False, {"soft_prompt_init": "5"}, []),
        ("full", False, {"memory": "none", "memory_from": "a.jsonl"},
         ["--memory-from: no setting that --memory none looks at"]),
        ("full", False, {"memory": "table", "memory_from": "a.jsonl"}, []),
        ("full", False, {"method": "rloo", "memory": "table", "memory_from": "a.jsonl"},
         ["--memory, --memory-from: rloo learns from no remembered or given rationale"]),
        ("full", False, {"method": "star", "memory": "guide"},
         ["--memory: star learns from no remembered or given rationale"]),
        ("full", False, {"method": "rloo", "memory": "none"}, []),
        ("full", False, {"method": "trice-likelihood", "memory": "guide"}, []),
        ("full", False, {"method": "cot", "memory": "guide"}, []),
        ("full", False, {"method": "direct"}, []),
        ("prompt", False, {"weight_decay": 0.1}, ["--weight-decay: no setting that --tuning prompt looks at"]),
        ("lora", False, {"weight_decay": 0.1}, []),
        ("full", False, {"holdout": 0.1, "eval_data": "e.jsonl"},
         ["--holdout: nothing of --data is held out beside --eval-data"]),
        ("lora", False, {"lora_rank": 16, "holdout": 0.1}, []),
        ("full", False, {"method": "prompting", "steps": 5, "lr": 1e-3},
         ["--steps, --lr: prompting learns nothing, and takes no step"]),
        ("full", False, {"method": "prompting"}, []),
    ],
)  # fmt: skip
def test_what_means_nothing_is_said(kind, adapted, given, lines):
    asked = {"method": "trice", "model": "nugget", "data": "d.jsonl", **given}
    assert resolve(TrainSettings, asked).unused(kind, adapted=adapted) == lines
