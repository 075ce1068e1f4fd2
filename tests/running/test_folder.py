from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from aurify.errors import AurifyError, UsageError
from aurify.running.folder import RunFolder, difference, named_folder
from aurify.settings import resolve
from aurify.training.settings import TrainSettings


def settings(**more) -> TrainSettings:
    return TrainSettings(**{"method": "rloo", "model": "nugget", "data": "a.jsonl", "out": "run", **more})


def named(**more) -> str:
    with named_folder(settings(**more)) as found:
        return found.out


def test_a_run_gets_a_free_folder_of_its_method_and_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "rloo-a").mkdir(parents=True)
    assert named(out="") == "runs/rloo-a-2"
    assert named(out="", data="hf:openai/gsm8k:main") == "runs/rloo-gsm8k-main"
    assert named() == "run"
    assert not (tmp_path / "run").exists()


def test_runs_that_begin_together_get_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(8) as pool, ExitStack() as stack:
        begun = pool.map(lambda _: stack.enter_context(named_folder(settings(out=""))).out, range(8))
        assert sorted(begun) == ["runs/rloo-a", *(f"runs/rloo-a-{number}" for number in range(2, 9))]
    assert not list((tmp_path / "runs").iterdir())


def test_a_folder_that_something_came_of_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with named_folder(settings(out="")) as found:
        (tmp_path / found.out / "config.toml").write_text("")
    assert named(out="") == "runs/rloo-a-2"


def test_processes_of_one_run_choose_alike(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with named_folder(settings(out="")) as one, named_folder(settings(out="")) as other:
        assert one.out == other.out == "runs/rloo-a"
    assert not (tmp_path / "runs").exists()


def test_only_what_changes_the_result_is_a_difference(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(settings().to_toml())
    assert difference(config, settings(save_every=7, resume=True, profile=True)) is None
    found = difference(config, settings(lr=0.5, seed=3))
    assert str(found) == "lr was None and is now 0.5"


def test_an_entry_says_which_of_its_settings_may_change(tmp_path):
    def by_vllm(**more) -> TrainSettings:
        asked = {"method": "rloo", "model": "nugget", "data": "a.jsonl", "out": "run", "sampler": "vllm", **more}
        return resolve(TrainSettings, asked)

    config = tmp_path / "config.toml"
    config.write_text(by_vllm(vllm_url="http://one").to_toml())
    assert difference(config, by_vllm(vllm_url="http://two")) is None
    assert str(difference(config, by_vllm(seed=3))) == "seed was 0 and is now 3"


def test_a_folder_in_use_is_refused_with_the_command_that_goes_on(tmp_path):
    folder = RunFolder(tmp_path / "run", command="distill")
    folder.claim(settings())
    with pytest.raises(UsageError, match="already there and not empty"):
        folder.refuse_others(settings())
    folder.claim(settings(resume=True))
    with pytest.raises(
        UsageError, match=r"seed was 0 and is now 1; .*: aurify distill --config .*config\.toml --resume"
    ):
        folder.refuse_others(settings(resume=True, seed=1))
    folder.model.mkdir()
    with pytest.raises(UsageError, match=r"; this run has ended: begin another from it by --model .*run/model, with"):
        folder.refuse_others(settings(resume=True, steps=1))


def test_a_run_goes_on_with_the_data_that_it_began_with_alone(tmp_path):
    folder, before = RunFolder(tmp_path / "run"), {"training questions": {"a": "1", "b": "2"}}
    folder.claim(settings(), before)
    folder.refuse_others(settings(resume=True), before)
    with pytest.raises(UsageError, match=r"--resume: the data is not what the run began with \(.*: 1 gone \(b\)\)"):
        folder.refuse_others(settings(resume=True), {"training questions": {"a": "1"}})
    folder.refuse_others(settings(resume=True), before)
    folder.read.write_text("[1]")
    with pytest.raises(AurifyError, match=r"read\.json: cannot be read"):
        folder.refuse_others(settings(resume=True), before)
    folder.read.unlink()
    folder.refuse_others(settings(resume=True), before)


def test_a_run_may_find_what_it_reads_in_another_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.jsonl").write_text("")
    folder, read = RunFolder(tmp_path / "run"), {"model": {"/old/model": "1"}}
    folder.claim(settings(model="/old/model", few_shot="Q: a\nA: b"), read)
    moved = settings(model=str(tmp_path), data="b.jsonl", few_shot="Q: a\nA: b", resume=True)
    folder.refuse_others(moved)
    folder.refuse_others(moved, {"model": {str(tmp_path): "1"}})
    with pytest.raises(UsageError, match=r"not what the run began with \(model: 1 gone .*, 1 new "):
        folder.refuse_others(moved, {"model": {str(tmp_path): "2"}})
    for change in ({"model": "hub/another"}, {"data": "nowhere.jsonl"}, {"few_shot": "Q: c\nA: d"}, {"few_shot": None}):
        (name,) = change
        with pytest.raises(UsageError, match=f"--resume: {name} was "):
            folder.refuse_others(moved.model_copy(update=change))
    folder.read.unlink()  # nothing says what stood there
    with pytest.raises(UsageError, match=r"--resume: data was 'a\.jsonl' and is now 'b\.jsonl'"):
        folder.refuse_others(moved)


def test_the_command_that_goes_on_can_be_pasted(tmp_path):
    folder = RunFolder(tmp_path / "my run é")
    assert shlex.split(folder.resume_command) == ["aurify", "train", "--config", str(folder.config), "--resume"]
