from __future__ import annotations

import json

import pytest

from aurify import nugget
from aurify.errors import AurifyError, UsageError
from aurify.sampling.vllm.connect import fixed_sampler
from aurify.sampling.vllm.http import Http
from aurify.sampling.vllm.served import Served, served_model
from aurify.sampling.vllm.source import WeightsSource, read_source


def test_a_model_is_known_by_its_name_or_by_where_its_weights_are(toy, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    base = {"id": "short", "root": str(tmp_path / "real"), "max_model_len": 99}
    adapter = {"id": "tuned", "root": "elsewhere", "parent": "short"}
    toy.answers["/v1/models"] = lambda _: (200, {"data": [adapter, base]})
    found = Served("short", str(tmp_path / "real"), 99)
    for wanted in ("short", str(tmp_path / "real"), str(tmp_path / "link")):
        assert served_model(Http(toy.url), wanted) == found
    with pytest.raises(AurifyError, match="not tuned"):  # an adapter is no base
        served_model(Http(toy.url), "tuned")


def test_another_model_is_named(toy):
    toy.serve("Qwen/Qwen2.5-0.5B")
    path = nugget.path()
    with pytest.raises(AurifyError, match=rf"serves Qwen/Qwen2.5-0.5B, not {path}: start it with --model {path}"):
        served_model(Http(toy.url), str(path))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, {"models": []}), "not the answer of a vLLM server"),
        ((200, "<html>"), "not the answer of a vLLM server"),
        ((200, {"data": []}), "serves no model"),
        ((401, {"error": "Unauthorized"}), "Unauthorized; is VLLM_API_KEY set?"),
        ((404, {"detail": "Not Found"}), "is it a vLLM server?"),
        (None, "start the server, or leave --vllm-url out"),
    ],
)
def test_the_first_contact_fails_in_one_line(toy, answer, message):
    toy.answers["/v1/models"] = lambda _: answer
    with pytest.raises(AurifyError) as caught, fixed_sampler("nugget", urls=[toy.url]):
        pass
    assert message in str(caught.value)
    assert toy.url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_key_comes_from_the_environment(toy, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "secret")
    toy.serve(str(nugget.path()))
    with fixed_sampler("nugget", urls=[toy.url]):
        pass
    assert toy.headers[0]["Authorization"] == "Bearer secret"


def test_adapters_are_served_on_their_base(tmp_path):
    config = {"peft_type": "LORA", "base_model_name_or_path": "nugget", "r": 8, "rank_pattern": {"q_proj": 32}}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    assert read_source(str(tmp_path)) == WeightsSource(str(nugget.path()), str(tmp_path), 32)
    (tmp_path / "adapter_config.json").write_text(json.dumps({**config, "peft_type": "PROMPT_TUNING"}))
    with pytest.raises(UsageError, match="PROMPT_TUNING adapter, and vLLM serves LoRA ones"):
        read_source(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(AurifyError, match="not a PEFT adapter configuration"):
        read_source(str(tmp_path))


def test_a_nat_model_is_not_served(tmp_path):
    (tmp_path / "nat.json").write_text("{}")
    with pytest.raises(UsageError, match=r"is a NAT model, .* aurify distill nce"):
        read_source(str(tmp_path))


def test_a_server_that_works_elsewhere_finds_a_relative_folder(tmp_path, monkeypatch):
    (tmp_path / "runs" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "runs")
    assert read_source("model") == WeightsSource(str(tmp_path / "runs" / "model"))
    assert read_source("Qwen/Qwen2.5-0.5B") == WeightsSource("Qwen/Qwen2.5-0.5B")
