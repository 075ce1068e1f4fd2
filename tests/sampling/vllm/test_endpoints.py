"""Several servers: they share the work, one that fails leaves its part to the others, and stale weights are refused."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import torch
from toy_vllm import Toy, completion

from aurify.errors import AurifyError
from aurify.models import load_model, prepare
from aurify.models.logprobs import token_logprobs
from aurify.nugget import path
from aurify.sampling import Prompt
from aurify.sampling.vllm import wire
from aurify.sampling.vllm.client import VllmSampler
from aurify.sampling.vllm.connect import fixed_sampler, trained_sampler
from aurify.sampling.vllm.endpoints import VllmEndpoint
from aurify.sampling.vllm.http import Http
from aurify.sampling.vllm.source import read_source, tokenizer_of

PROMPTS = [Prompt((3,), tuple(range(40)))]
WANTED = [(seed + 10, 1) for seed in range(40)]


def by_seed(body):
    return 200, completion([body["seed"] + 10, 1], [-0.5, -0.5])


@pytest.fixture
def toys():
    """Two servers that draw the same of the same seed."""
    both = [Toy(), Toy()]
    for number, toy in enumerate(both):
        toy.serve(f"name-{number}")
        toy.answers["/v1/completions"] = by_seed
    yield both
    for toy in both:
        toy.close()


@pytest.fixture
def said():
    return []


@pytest.fixture
def sampler(toys, said):
    tokenizer = tokenizer_of(read_source("nugget"))[0]
    endpoints = [VllmEndpoint(Http(toy.url), f"name-{number}") for number, toy in enumerate(toys)]
    made = VllmSampler(endpoints, tokenizer, eos={1}, say=said.append)
    yield made
    made.close()


def asked(toy):
    return [body for way, body in toy.asked if way == wire.PATH]


def drawn(sampler):
    (row,) = sampler.sample(PROMPTS, max_new_tokens=5)
    return [one.token_ids for one in row]


def test_each_is_asked_by_its_own_name_and_all_of_them_work(toys, sampler):
    assert drawn(sampler) == WANTED
    for number, toy in enumerate(toys):
        assert {body["model"] for body in asked(toy)} == {f"name-{number}"}
    assert Counter(body["seed"] for toy in toys for body in asked(toy)) == Counter(range(40))


def test_who_owes_fewest_answers_is_asked(toys, sampler):
    release = threading.Event()

    def busy(body):
        release.wait(60)
        return by_seed(body)

    toys[0].answers[wire.PATH] = busy
    done = []
    thread = threading.Thread(target=lambda: done.append(drawn(sampler)))
    thread.start()
    while len(asked(toys[0])) + len(asked(toys[1])) < len(WANTED):
        assert thread.is_alive()
    release.set()
    thread.join(60)
    assert done == [WANTED]
    assert len(asked(toys[0])) <= len(WANTED) / 2  # the other one owed fewer, or as many, all the time


@pytest.mark.parametrize(
    "answer",
    [
        None,  # the connection breaks
        (404, {"detail": "no such model"}),  # it was started again, and has no adapter
        (500, {"error": "engine dead"}),
        (200, completion([5], [-1.0], "abort")),
    ],
)
def test_what_one_does_not_answer_the_other_does(toys, sampler, said, answer):
    given = threading.Semaphore(5)
    toys[0].answers[wire.PATH] = lambda body: by_seed(body) if given.acquire(blocking=False) else answer
    assert drawn(sampler) == WANTED
    assert len(said) == 1
    assert said[0].startswith("the vLLM server no longer answers: " + toys[0].url)
    assert said[0].endswith("; its requests go to the 1 left of 2 servers")
    before = len(asked(toys[0]))
    assert drawn(sampler) == WANTED
    assert len(asked(toys[0])) == before  # it is not asked again


def test_a_connection_that_breaks_is_not_yet_a_server_that_is_gone(toys, sampler, said):
    once = threading.Semaphore(1)
    toys[0].answers["/health"] = lambda _: (200, "")
    toys[0].answers[wire.PATH] = lambda body: None if once.acquire(blocking=False) else by_seed(body)
    assert drawn(sampler) == WANTED
    assert said == []


def test_one_that_breaks_every_connection_is(toys, sampler, said):
    toys[0].answers["/health"] = lambda _: (200, "")
    toys[0].answers[wire.PATH] = lambda body: None
    assert drawn(sampler) == WANTED
    assert len(said) == 1


def test_a_killed_server_is_no_loss(toys, sampler, said):
    toys[1].close()
    assert drawn(sampler) == WANTED
    assert "Connection refused" in said[0] or "the connection broke" in said[0]


@pytest.mark.parametrize("answer", [(400, {"error": "no room"}), (200, "fine")])
def test_a_refusal_and_garbage_end_the_call(toys, sampler, answer):
    toys[0].answers[wire.PATH] = lambda body: answer
    with pytest.raises(AurifyError, match=r"no room|no token ids"):
        drawn(sampler)


def test_without_any_the_call_ends_and_names_all(toys, sampler):
    for toy in toys:
        toy.answers[wire.PATH] = lambda body: None
    with pytest.raises(AurifyError) as caught:
        drawn(sampler)
    assert all(toy.url in str(caught.value) for toy in toys)
    assert str(caught.value).endswith("start again (a training run goes on with --resume)")


def test_an_adapter_is_loaded_on_all_and_the_shortest_context_counts(toys, tmp_path):
    loaded = load_model("nugget")
    prepare(loaded.model, loaded.tokenizer, kind="lora", lora_rank=4).model.save_pretrained(tmp_path)
    for toy, length in zip(toys, (64, 32), strict=True):
        toy.serve(str(path()), max_length=length)
        toy.answers["/v1/load_lora_adapter"] = toy.answers["/v1/unload_lora_adapter"] = lambda _: (200, "Success")
    with fixed_sampler(str(tmp_path), urls=[toy.url for toy in toys]) as (sampler, _):
        sampler.sample([Prompt((3,), (0, 1, 2, 3))], max_new_tokens=5)
        with pytest.raises(AurifyError, match="lower the token limit to 31"):
            sampler.sample([Prompt((3,), (0,))], max_new_tokens=40)
    names = {body["model"] for toy in toys for body in asked(toy)}
    assert len(names) == 1
    for toy in toys:
        assert [body["lora_name"] for way, body in toy.asked if "lora_adapter" in way] == [*names] * 2


class Serving:
    """Has a toy serve the nugget as it was when weights last came: scores and greedy draws are a real model's."""

    def __init__(self, toy: Toy, model: torch.nn.Module) -> None:
        self.toy, self.model, self.taken, self.takes = toy, model, 0, True
        toy.serve(str(path()))
        self.held = {name: value.clone() for name, value in model.state_dict().items()}
        toy.answers["/collective_rpc"] = self.take
        toy.answers["/reset_prefix_cache"] = lambda _: (200, {"success": True})
        toy.answers["/health"] = lambda _: (200, "")
        toy.answers[wire.PATH] = self.complete
        self.other, self.alone = load_model("nugget").model, threading.Lock()

    def take(self, body):
        self.taken += 1
        if self.takes:
            self.held = {name: value.clone() for name, value in self.model.state_dict().items()}
        return 200, {"results": [None]}

    def complete(self, body):
        if "prompt_logprobs" in body:
            ids = body["prompt"]
            scores = self.scores(ids[:1], ids[1:])
            rows = [None, *({str(i): {"logprob": float(s)}} for i, s in zip(ids[1:], scores, strict=True))]
            return 200, {"choices": [{"prompt_logprobs": rows}]}
        ids = (50 + body["seed"] % 7, 60, 1)
        return 200, completion(list(ids), self.scores(body["prompt"], ids).tolist())

    @torch.no_grad()
    def scores(self, prompt, ids):
        with self.alone:
            self.other.load_state_dict(self.held)
            return token_logprobs(self.other, [(tuple(prompt), tuple(ids))], pad_token_id=0)[0]


@pytest.fixture
def trained(toys, said):
    loaded = load_model("nugget")
    model = prepare(loaded.model, loaded.tokenizer, kind="full", lora_rank=4).model
    servers = [Serving(toy, model) for toy in toys]
    with trained_sampler(
        model, loaded.tokenizer, name="nugget", urls=[toy.url for toy in toys], say=said.append
    ) as sampler:
        yield model, sampler, servers


def nudge(model, size):
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(size * torch.randn_like(parameter))


def draw(sampler):
    return sampler.sample([Prompt(tuple(range(20, 40)), tuple(range(16)))], max_new_tokens=5)


def test_weights_come_to_all_after_each_update(trained):
    model, sampler, servers = trained
    for turn in range(1, 4):
        sampler.publish()
        draw(sampler)
        assert sampler.report()["logprob_abs_difference"] < 1e-5
        assert [one.taken for one in servers] == [turn, turn]
        nudge(model, 1e-3)


@pytest.mark.parametrize("size", [3e-4, 3e-3])
def test_a_server_that_keeps_the_weights_of_the_step_before_is_refused(trained, size):
    model, sampler, servers = trained
    sampler.publish()
    draw(sampler)
    nudge(model, size)
    servers[1].takes = False
    with pytest.raises(AurifyError, match=f"{servers[1].toy.url}: the server has not followed the last update"):
        sampler.publish()


def test_an_update_too_small_to_be_seen_is_no_reason_to_refuse(trained):
    model, sampler, servers = trained
    sampler.publish()
    draw(sampler)
    nudge(model, 1e-7)
    servers[1].takes = False
    sampler.publish()


def test_other_weights_are_found_by_the_first_draw_after_a_resume(trained):
    model, sampler, servers = trained
    nudge(model, 0.02)  # as a checkpoint that has been loaded
    servers[1].takes = False
    sampler.publish()
    with pytest.raises(AurifyError, match=f"{servers[1].toy.url}: the vLLM server's log-probabilities are"):
        draw(sampler)


def test_a_server_that_comes_back_is_asked_once_it_has_the_weights(trained, said):
    model, sampler, servers = trained
    sampler.publish()
    servers[1].toy.answers[wire.PATH] = lambda body: None
    draw(sampler)
    assert "1 left of 2" in said[-1]
    nudge(model, 0.02)
    servers[1].toy.answers["/health"] = lambda _: (503, "starting")
    sampler.publish()
    before = len(asked(servers[1].toy))
    draw(sampler)
    assert len(asked(servers[1].toy)) == before
    assert servers[1].taken == 1
    servers[1].toy.answers["/health"] = lambda _: (200, "")
    servers[1].toy.answers[wire.PATH] = servers[1].complete
    sampler.publish()
    assert said[-1].endswith("answers again, and has the present weights")
    draw(sampler)
    assert len(asked(servers[1].toy)) > before
