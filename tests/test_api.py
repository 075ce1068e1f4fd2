"""The ten lines of the README, shortened."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import make_dataclass
from types import SimpleNamespace

import pandas as pd
import pytest

import aurify
from aurify.errors import AurifyError, UsageError
from aurify.methods import EStep, Method
from aurify.nugget import generate
from aurify.questions import Question
from aurify.rationales import read_rationales
from aurify.registry import setting
from aurify.running.progress import Quiet
from aurify.settings import resolve
from aurify.toml import tomllib
from aurify.training.settings import TrainSettings


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


def test_without_a_folder_the_run_names_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = aurify.train("rloo", data=ROWS, watcher=Quiet(), **SHORT)
    assert str(run.out) == "runs/rloo-questions-given-in-Python"
    assert (run.model / "config.json").is_file()


def test_distil_and_evaluate_from_python(tmp_path, run_aurify, capfd):
    file = tmp_path / "test.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    taught = aurify.train("rloo", data=file, out=tmp_path / "taught", max_new_tokens=100, **LITTLE)
    student = aurify.distill("nat", from_=taught.out, steps=1, rationales=4, out=tmp_path / "student", watcher=Quiet())
    assert student.before.n == student.after.n == taught.after.n  # the run says the questions, and the model
    config = tomllib.loads((student.out / "config.toml").read_text())
    assert (config["model"], config["data"]) == (str(taught.model), str(file))
    again = aurify.distill(
        "kd", from_=taught.out, model="nugget", data=ROWS, held_out=[], steps=1, out=tmp_path / "kd", watcher=Quiet()
    )
    assert (again.before, (again.model / "adapter_config.json").is_file()) == (None, True)
    capfd.readouterr()
    found = aurify.evaluate(student.model, file, samples=2, max_new_tokens=60, limit=4)
    assert "prompt: plain" in capfd.readouterr().err
    told = run_aurify(
        "evaluate", "--model", student.model, "--data", file, "--samples", 2, "--max-new-tokens", 60, "--limit", 4,
        "--json", tmp_path / "told.json",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    same = json.loads((tmp_path / "told.json").read_text())["overall"]
    assert found.to_dict()["overall"] == same
    assert {"greedy", "maj@2", "pass@2"} <= found.overall.scores.keys()


def test_the_questions_of_a_run_are_known_by_their_texts_under_other_ids(tmp_path, run_aurify, capfd):
    taught = aurify.train("rloo", data=ROWS, held_out=[], out=tmp_path / "taught", **LITTLE)
    others = tmp_path / "others.jsonl"
    others.write_text("".join(json.dumps({"id": f"other-{i}", **row}) + "\n" for i, row in enumerate(ROWS)))
    voted = run_aurify("vote", taught.out, "--data", others, "--out", tmp_path / "votes.jsonl")
    assert voted.returncode == 0, voted.stderr
    asked = {json.loads(line)["question_id"] for line in (tmp_path / "votes.jsonl").open()}
    assert len(asked) == 4
    assert asked <= {f"other-{i}" for i in range(8)}
    begun = aurify.train(
        "trice", data=others, held_out=[], memory="table", memory_from=taught.out, out=tmp_path / "begun",
        model="nugget", steps=1, questions=2, max_new_tokens=4,
    )  # fmt: skip
    right = sum(rationale.right for rationale in read_rationales(taught.out))
    lacking = 8 - len({rationale.question_id for rationale in read_rationales(taught.out)})
    assert right > 0
    assert f"nothing of {lacking} of 8 training questions" in capfd.readouterr().err
    assert begun.before is None


@pytest.mark.parametrize("call", [aurify.train, aurify.distill, aurify.evaluate])
def test_a_mistake_is_one_line_whatever_is_called(call, tmp_path):
    words = {"model": SimpleNamespace(), "data": ROWS, **({"from_": tmp_path} if call is aurify.distill else {})}
    with pytest.raises(UsageError, match=r"^model: found a SimpleNamespace"):
        call(**words)
    with pytest.raises(UsageError, match=r"'sede': did you mean 'seed'"):
        call(**{**words, "model": "nugget"}, sede=1)


def test_a_run_is_shown_as_by_the_command_unless_it_is_told_otherwise(tmp_path, capfd):
    aurify.train("rloo", data=ROWS, out=tmp_path / "shown", **SHORT)
    out, err = capfd.readouterr()
    assert out == ""
    assert "first step: 0 of 4 rationales right, 4 truncated" in err
    assert "--max-new-tokens sets another limit" in err
    aurify.train("rloo", data=ROWS, out=tmp_path / "quiet", watcher=Quiet(), **SHORT)
    assert capfd.readouterr() == ("", "")


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


ROWS = [{"question": question.text, "answer": question.answer} for question in generate("object_counting", 8, seed=1)]
LITTLE = {"model": "nugget", "steps": 1, "questions": 4, "samples": 2, "watcher": Quiet()}
SHORT = {"model": "nugget", "steps": 1, "questions": 2, "samples": 2, "max_new_tokens": 4}


def test_rows_train_as_a_file_of_them_does(tmp_path):
    train, held_out = ROWS[:6], ROWS[6:]
    for name, rows in (("train", train), ("test", held_out)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    runs = {
        "file": aurify.train(
            "rloo", data=tmp_path / "train.jsonl", eval_data=tmp_path / "test.jsonl", out=tmp_path / "file", **SHORT
        ),
        "rows": aurify.train(
            "rloo", data=pd.DataFrame(train), held_out=(row for row in held_out), out=tmp_path / "rows", **SHORT
        ),
    }
    asked = {name: [json.loads(row) for row in (run.out / "questions.jsonl").open()] for name, run in runs.items()}
    same = ("question", "answer", "answer_type", "part")
    assert [[row[key] for key in same] for row in asked["rows"]] == [
        [row[key] for key in same] for row in asked["file"]
    ]
    assert tuple(runs["rows"].before) == tuple(runs["file"].before)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"data": None}, "data: found None"),
        ({"data": {"train": ROWS}}, "data: found one dict of 'train'"),
        ({"data": [*ROWS, {"question": "x"}]}, "data: row 9: no answer"),
        ({"held_out": 5}, "held_out: found a value of type int"),
        ({"held_out": ROWS, "eval_data": "test.jsonl"}, "held_out and eval_data both say what to evaluate on"),
        ({"data": [Question(1, "a", "1", "number")]}, r"data: question 1 \(1\): its id is 1: expected text"),
        ({"data": [Question("a", "a", "1", "number")], "answers": "math"}, "--answers math: the questions of data say"),
        ({"model": SimpleNamespace()}, "model: found a SimpleNamespace"),
        ({"out": None}, "--out None"),
        ({"lora_targets": ("x" * 10_000, 5)}, "--lora-targets .{,300}$"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_the_folder_alone(tmp_path, values, said):
    out = tmp_path / "run"
    with pytest.raises(AurifyError, match=f"^{said}") as error:
        aurify.train("rloo", **{"data": ROWS, "out": out, **SHORT, **values})
    assert "\n" not in str(error.value)
    assert not out.exists()


def edited(**settings: float) -> type[Method]:
    """A method as a notebook's cell makes it each time that it is run, by a name that the module does not have."""

    def e_step(self, key, step, chains, proposals):
        return EStep(list(chains), [], {})

    fields = [("samples", int, 2), *((name, float, setting(value, "How much.")) for name, value in settings.items())]
    made = make_dataclass("Edited", fields, bases=(Method,), namespace={"e_step": e_step}, frozen=True)
    made.__module__ = __name__
    return made


def test_the_class_that_is_passed_is_trained_by_whatever_else_has_its_name(tmp_path):
    versions = [({"strength": 1.0}, {}), ({"strength": 0.25}, {}), ({"strength": 0.5, "bonus": 1.0}, {"bonus": 2.0})]
    for number, (has, told) in enumerate(versions):
        run = aurify.train(edited(**has), data=ROWS, out=tmp_path / str(number), **SHORT, **told)
        config = tomllib.loads((run.out / "config.toml").read_text())
        assert {name: config.get(name) for name in ("strength", "bonus")} == {"bonus": None, **has, **told}
        assert config["method"] == f"{__name__}:Edited"
    with pytest.raises(UsageError, match="unknown setting 'bonus'"):
        aurify.train(edited(strength=1.0), data=ROWS, out=tmp_path / "none", bonus=2, **SHORT)
    with pytest.raises(UsageError, match="has no 'Edited'"):
        aurify.train(f"{__name__}:Edited", data=ROWS, out=tmp_path / "none", **SHORT)


def test_a_reloaded_module_has_its_new_settings(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "reloaded_method.py"
    text = (
        "from dataclasses import dataclass\nfrom aurify.methods import EStep, Method\n"
        "from aurify.registry import setting\n\n@dataclass(frozen=True)\nclass M(Method):\n"
        "    samples: int = 2\n    w: float = setting(1.0, 'W.')\n"
        "    def e_step(self, key, step, chains, proposals): return EStep(list(chains), [], {})\n"
    )
    file.write_text(text)
    given = {**SHORT, "data": "q.jsonl"}
    assert resolve(TrainSettings, {"method": "reloaded_method:M", **given}).w == 1.0
    file.write_text(text.replace("1.0", "0.25"))
    importlib.reload(sys.modules["reloaded_method"])
    assert resolve(TrainSettings, {"method": "reloaded_method:M", **given}).w == 0.25


class Killed(BaseException):
    """What no code of ours catches."""


def test_a_function_judges_here_and_is_given_again_to_resume(tmp_path):
    asked: list[str] = []

    def score(completions, answer, **columns):
        asked.extend(completions)
        if len(asked) == 10:
            raise Killed
        return [float(completions[0].rstrip(".").endswith(f" {answer[0]}"))]

    given = {"data": ROWS, "out": tmp_path / "run", **SHORT, "max_new_tokens": 100, "steps": 3, "save_every": 1}
    with pytest.raises(Killed):
        aurify.train("rloo", answers=score, **given)
    again = r"answers was '.*<locals>.score' and is now None; .*: the same call with resume=True"
    with pytest.raises(UsageError, match=again):
        aurify.train("rloo", resume=True, **given)
    run = aurify.train("rloo", answers=score, resume=True, **given)
    rows = [one for one in read_rationales(run.out) if one.score is not None]
    assert {one.step for one in rows} == {1, 2, 3}
    assert len(asked) > 10


@pytest.mark.parametrize("method", [None, 5, edited(w=1.0)()])
def test_a_method_is_a_word_or_a_class(tmp_path, method):
    with pytest.raises(UsageError, match=r"^method: found a .*expected a word or a class"):
        aurify.train(method, data=ROWS, out=tmp_path / "run", **SHORT)
    with pytest.raises(UsageError, match="it is no method"):
        aurify.train(dict, data=ROWS, out=tmp_path / "run", **SHORT)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = aurify.nothing
