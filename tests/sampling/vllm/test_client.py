from __future__ import annotations

import threading

import pytest
from toy_vllm import Toy, completion

from aurify import nugget
from aurify.errors import AurifyError, UsageError
from aurify.questions.chat import eos_known
from aurify.sampling import Prompt
from aurify.sampling.vllm.client import VllmSampler
from aurify.sampling.vllm.endpoints import VllmEndpoint
from aurify.sampling.vllm.http import Http
from aurify.sampling.vllm.source import read_source, tokenizer_of


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of(read_source("nugget"))[0]


@pytest.fixture
def sampler(toy: Toy, tokenizer):
    toy.serve("base")
    made = VllmSampler([VllmEndpoint(Http(toy.url), "base")], tokenizer, eos={1, 7}, max_length=64)
    yield made
    made.close()


def test_every_sample_is_a_request_with_its_own_seed_and_the_whole_distribution(toy, sampler):
    prompts = [Prompt((3, 4), (11, 12)), Prompt((9,), (11,))]
    sampler.sample(prompts, max_new_tokens=20, stop=("\nQ:",))
    bodies = [body for path, body in toy.asked if path == "/v1/completions"]
    assert sorted((tuple(body["prompt"]), body["seed"]) for body in bodies) == [((3, 4), 11), ((3, 4), 12), ((9,), 11)]
    for body in bodies:
        del body["prompt"], body["seed"]
        assert body == {
            "model": "base", "max_tokens": 20, "temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0,
            "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0, "stop": ["\nQ:"],
            "stop_token_ids": [1, 7], "logprobs": 0, "return_token_ids": True,
        }  # fmt: skip


def test_answers_come_back_in_the_order_asked(toy, sampler):
    others_told = threading.Event()

    def slow_first(body):
        if body["seed"] == 0:
            others_told.wait(60)
        return 200, completion([body["seed"] + 10, 1], [-1.0, -float(body["seed"])], "stop")

    toy.answers["/v1/completions"] = slow_first
    told = []

    def tell(*one):
        told.append(one)
        if len(told) == 2:
            others_told.set()

    rows = sampler.sample([Prompt((3,), (0, 1)), Prompt((4,), (2,))], max_new_tokens=5, on_completion=tell)
    assert told[-1] == (0, rows[0][0])  # each is told as it comes, and the first one waited
    assert sorted(told[:2], key=str) == [(0, rows[0][1]), (1, rows[1][0])]
    assert [[one.token_ids for one in row] for row in rows] == [[(10, 1), (11, 1)], [(12, 1)]]
    assert [[one.logprob for one in row] for row in rows] == [[-1.0, -2.0], [-3.0]]


def test_the_text_is_that_of_the_ids_and_ends_before_a_stop_string(toy, sampler, tokenizer):
    ids = tokenizer("so there are 3.\nQ: more", add_special_tokens=False)["input_ids"]
    toy.answers["/v1/completions"] = lambda _: (200, completion(ids, [-1.0] * len(ids), "length"))
    ((cut,),) = sampler.sample([Prompt((3,), (0,))], max_new_tokens=50, stop=("\nQ:",))
    ((whole,),) = sampler.sample([Prompt((3,), (0,))], max_new_tokens=50)
    assert (cut.text, whole.text) == ("so there are 3.", "so there are 3.\nQ: more")
    assert cut.token_ids == whole.token_ids == tuple(ids)
    assert whole.finish_reason == "length"


def test_progress_is_told(toy, tokenizer):
    toy.serve("base")
    told: list[tuple[int, int]] = []
    sampler = VllmSampler(
        [VllmEndpoint(Http(toy.url), "base")], tokenizer, eos={1}, progress=lambda *now: told.append(now)
    )
    sampler.sample([Prompt((3,), (0, 1, 2))], max_new_tokens=5)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert sampler.sample([], max_new_tokens=5) == []
    assert len(told) == 4


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, completion(None, [-1.0])), "no token ids with log-probabilities: not a vLLM server, or one before"),
        ((200, completion([1], [])), "no token ids with log-probabilities"),
        ((200, "fine"), "no token ids with log-probabilities"),
        ((200, completion([5], [-1.0], "abort")), "broke a sample off"),
        ((400, {"error": {"message": "no room"}}), "the server answered 400: no room"),
        ((500, ""), "the server answered 500: without a reason"),
        (None, "the vLLM server no longer answers: .*the connection broke.*--resume"),
    ],
)
def test_a_misbehaving_server_is_one_clear_line(toy, sampler, answer, message):
    toy.answers["/v1/completions"] = lambda _: answer
    with pytest.raises(AurifyError, match=message) as caught:
        sampler.sample([Prompt((3,), tuple(range(20)))], max_new_tokens=5)
    assert "\n" not in str(caught.value)


def test_a_server_of_our_own_says_why_it_died(toy, tokenizer):
    toy.answers["/v1/completions"] = lambda _: None
    own = VllmEndpoint(Http(toy.url), "base", lambda: "it has ended: out of memory")
    sampler = VllmSampler([own], tokenizer, eos={1})
    with pytest.raises(AurifyError, match="it has ended: out of memory; start again"):
        sampler.sample([Prompt((3,), (0,))], max_new_tokens=5)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"max_new_tokens": 0}, UsageError, "must be at least 1"),
        ({"temperature": -1.0}, UsageError, "0 .greedy. or above"),
        ({"temperature": float("nan")}, UsageError, "0 .greedy. or above"),
        ({"stop": ("",)}, UsageError, "a stop string is empty"),
        ({"max_new_tokens": 63}, AurifyError, "lower the token limit to 62"),
    ],
)
def test_what_cannot_be_asked_is_not_asked(toy, sampler, given, error, message):
    with pytest.raises(error, match=message):
        sampler.sample([Prompt((3, 4), (0,))], **{"max_new_tokens": 5, **given})
    with pytest.raises(AurifyError, match="a prompt is empty"):
        sampler.sample([Prompt((), (0,))], max_new_tokens=5)
    assert toy.asked == []


def test_the_eos_ids_are_read_without_the_weights(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((nugget.path() / name).read_bytes())
    (folder / "generation_config.json").write_text('{"eos_token_id": [1, 42]}')
    tokenizer, eos = tokenizer_of(read_source(str(folder)))
    assert eos == {1, 42}
    assert eos_known(tokenizer) == {1, 42}, "its chat template may end a turn with either"
