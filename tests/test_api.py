"""The ten lines of the README, shortened."""

from __future__ import annotations

import pytest

import aurify
from aurify.errors import UsageError
from aurify.nugget import generate


def test_train_from_python(tmp_path):
    questions = generate("object_counting", 12, seed=1)
    train, held_out = aurify.split_questions(questions, holdout=0.25, seed=0)
    run = aurify.train(
        "trice",
        model="nugget",
        data=train,
        held_out=held_out,
        out=tmp_path / "run",
        steps=2,
        questions=4,
        memory="none",
    )
    assert run.before.n == run.after.n == 3
    model, tokenizer = aurify.load_model(run.model)
    assert tokenizer.decode(model.generate(**tokenizer("Question:", return_tensors="pt"), max_new_tokens=1)[0])
    assert "(questions given in Python)" in (run.out / "config.toml").read_text()


def test_a_path_may_stand_for_any_text(tmp_path, tiny_model_dir):
    examples = tmp_path / "examples.txt"
    examples.write_text("Q: I have a pear. How many fruits do I have?\nA: One pear. So the answer is 1.")
    run = aurify.train(
        "trice", model=tiny_model_dir, data=generate("object_counting", 4, seed=1), out=tmp_path / "run", steps=1,
        few_shot=examples, prompt="plain", max_new_tokens=2, held_out=[], memory="none",
    )  # fmt: skip
    assert f'few_shot = "{examples}"' in (run.out / "config.toml").read_text()


def test_unknown_settings_name_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="'step': did you mean 'steps'"):
        aurify.train("trice", model="nugget", data=[], out=tmp_path, step=3)
    with pytest.raises(UsageError, match="trice"):
        aurify.train("trise", model="nugget", data=[], out=tmp_path)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = aurify.nothing
