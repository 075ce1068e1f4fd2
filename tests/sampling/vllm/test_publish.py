"""What is asked of a server to publish weights, and what is said where it refuses. A real one: test_real.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from toy_vllm import completion
from transformers import AutoModelForCausalLM

from aurify.errors import AurifyError, UsageError
from aurify.models import load_model, prepare
from aurify.models.logprobs import token_logprobs
from aurify.sampling import Prompt
from aurify.sampling.protocol import Publishing
from aurify.sampling.vllm.connect import Link, trained_sampler
from aurify.sampling.vllm.untied import save_untied, ties_output


def nugget(kind: str):
    loaded = load_model("nugget")
    return prepare(loaded.model, loaded.tokenizer, kind=kind, lora_rank=4).model, loaded.tokenizer


@pytest.fixture
def published(toy):
    """A toy server of the nugget that takes weights; the list holds what every call found on the disk."""
    from aurify.nugget import path

    toy.serve(str(path()))
    found: list[tuple[str, str, list[str]]] = []

    def take(body):
        folder = body.get("lora_path") or body["kwargs"]["weights_path"]
        found.append(
            (body.get("lora_name", body.get("method")), folder, sorted(p.name for p in Path(folder).iterdir()))
        )
        return 200, {"results": [None]}

    toy.answers["/v1/load_lora_adapter"] = toy.answers["/collective_rpc"] = take
    toy.answers["/v1/unload_lora_adapter"] = lambda _: (200, "Success")
    toy.answers["/reset_prefix_cache"] = lambda _: (200, {"success": True})
    return found


def calls(toy):
    return [path for path, _ in toy.asked if path not in ("/v1/models", "/v1/completions")]


def test_every_adapter_has_a_name_of_its_own_and_the_last_one_goes_too(toy, published):
    model, tokenizer = nugget("lora")
    with trained_sampler(model, tokenizer, name="nugget", urls=[toy.url]) as sampler:
        assert isinstance(sampler, Publishing)
        sampler.publish()
        sampler.publish()
    names = [name for name, _, _ in published]
    assert len(set(names)) == 2
    assert all("adapter_model.safetensors" in files for _, _, files in published)
    assert [body["lora_name"] for path, body in toy.asked if path == "/v1/unload_lora_adapter"] == names
    assert not any(Path(folder).exists() for _, folder, _ in published)


def test_full_weights_are_reloaded_the_cache_reset_and_the_servers_own_put_back(toy, published):
    from aurify.nugget import path

    model, tokenizer = nugget("full")
    with trained_sampler(model, tokenizer, name="nugget", urls=[toy.url]) as sampler:
        sampler.publish()
    assert calls(toy) == ["/collective_rpc", "/reset_prefix_cache"] * 2
    (_, folder, files), (method, back, _) = published
    assert "model.safetensors" in files
    assert (method, back) == ("reload_weights", str(path()))
    assert not Path(folder).exists()


def test_a_process_that_does_not_write_only_learns_the_name(toy, published):
    model, tokenizer = nugget("lora")
    toy.answers["/v1/completions"] = lambda _: (200, completion([], []))
    told = iter([Link((toy.url,), "", "token"), ["the-name"], None])  # by the process that does it
    with trained_sampler(model, tokenizer, name="nugget", once=lambda act: next(told)) as sampler:
        sampler.publish(write=False)
        assert calls(toy) == []
        sampler.sample([Prompt((3,), (0,))], max_new_tokens=5)
    assert [body["model"] for path, body in toy.asked if path == "/v1/completions"] == ["the-name"]
    assert calls(toy) == []


@pytest.mark.parametrize(
    ("kind", "answer", "message"),
    [
        ("lora", (404, {"detail": "Not Found"}), "load_lora_adapter: the server does not know this call: .*--enable-l"),
        ("lora", (400, {"error": "rank 4 is too much"}), "rank 4 is too much .it must be able to read"),
        ("full", (404, {"detail": "Not Found"}), "collective_rpc: the server does not know this call: .*DEV_MODE=1"),
        ("full", (500, {"error": "no such file"}), "no such file .it must be able to read"),
        ("full", None, "the vLLM server no longer answers"),
    ],
)
def test_a_server_that_does_not_take_weights(toy, published, kind, answer, message):
    toy.answers["/v1/load_lora_adapter"] = toy.answers["/collective_rpc"] = lambda _: answer
    model, tokenizer = nugget(kind)
    with (
        pytest.raises(AurifyError, match=message) as caught,
        trained_sampler(model, tokenizer, name="nugget", urls=[toy.url]) as sampler,
    ):
        sampler.publish()
    assert "\n" not in str(caught.value)


def test_soft_prompts_are_refused_before_anything_is_asked(toy):
    model, tokenizer = nugget("prompt")
    with (
        pytest.raises(UsageError, match="no soft prompts"),
        trained_sampler(model, tokenizer, name="m", urls=[toy.url]),
    ):
        pass
    assert toy.asked == []


def test_differences_are_reported_and_other_weights_refused(toy, published):
    model, tokenizer = nugget("full")
    prompt, ids = tuple(range(20, 40)), (50, 60, 1)
    (ours,) = token_logprobs(model, [(prompt, ids)], pad_token_id=0)
    shift = {"by": torch.tensor([0.003, -0.001, 0.001])}
    toy.answers["/v1/completions"] = lambda _: (200, completion(list(ids), (ours.detach() + shift["by"]).tolist()))
    with trained_sampler(model, tokenizer, name="nugget", urls=[toy.url]) as sampler:
        sampler.sample([Prompt(prompt, (1, 2))], max_new_tokens=5)
        report = sampler.report()
        assert report.pop("logprob_difference") == pytest.approx(0.001, abs=1e-5)
        assert report.pop("logprob_abs_difference") == pytest.approx(0.005 / 3, abs=1e-5)
        assert report.pop("logprob_largest_difference") == pytest.approx(0.003, abs=1e-5)
        assert report == {"name": "vllm", "exact": False, "compared_tokens": 6}
        assert sampler.report() == {"name": "vllm", "exact": False}
        shift["by"] = torch.tensor([0.05, 0.0, 0.0])
        with pytest.raises(AurifyError, match=r"0\.017 nats a token from the trainer's, so it does not hold"):
            sampler.sample([Prompt(prompt, (1,))], max_new_tokens=5)


def test_tied_output_weights_are_written_out(tmp_path):
    model, _ = nugget("full")
    assert ties_output(model)
    save_untied(model, tmp_path)
    with safe_open(tmp_path / "output.safetensors", "pt") as file:
        assert torch.equal(file.get_tensor("lm_head.weight"), model.get_input_embeddings().weight)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["tie_word_embeddings"] is False
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert not ties_output(again)
