"""``--overlap``: a real server draws for the next step, from the weights that this one still computes with."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_vllm import Toy, completion

import aurify
from aurify.errors import AurifyError, UsageError
from aurify.methods import Term
from aurify.models import load_model
from aurify.models.logprobs import token_logprobs
from aurify.nugget import generate, path
from aurify.rationales import read_rationales
from aurify.running.progress import Quiet
from aurify.sampling import LocalSampler, Prompt
from aurify.training.ahead import TOLD, with_draws

STEPS = 4


class Following:
    """Has a toy draw and score as the nugget with the weights that were brought last, and note with which it drew."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.version, self.drawn, self.alone = 0, dict[int, int](), threading.Lock()
        self.loaded = load_model("nugget")
        toy.serve(str(path()))
        toy.answers["/collective_rpc"] = self.take
        toy.answers["/reset_prefix_cache"] = lambda _: (200, {"success": True})
        toy.answers["/health"] = lambda _: (200, "")
        toy.answers["/v1/completions"] = self.complete

    def take(self, body):
        with self.alone:
            for file in Path(body["kwargs"]["weights_path"]).glob("*.safetensors"):
                self.loaded.model.load_state_dict(load_file(file), strict=False)
            self.version += 1
        return 200, {"results": [None]}

    def complete(self, body):
        with self.alone:
            model, tokenizer = self.loaded
            if "prompt_logprobs" in body:
                ids = body["prompt"]
                with torch.no_grad():
                    (scores,) = token_logprobs(model, [(tuple(ids[:1]), tuple(ids[1:]))], pad_token_id=0)
                rows = [None, *({str(i): {"logprob": float(s)}} for i, s in zip(ids[1:], scores, strict=True))]
                return 200, {"choices": [{"prompt_logprobs": rows}]}
            self.drawn[body["seed"]] = self.version
            asked = Prompt(tuple(body["prompt"]), (body["seed"],))
            ((one,),) = LocalSampler(model, tokenizer).sample(
                [asked], max_new_tokens=body["max_tokens"], temperature=body["temperature"], stop=body["stop"]
            )
            return 200, completion(list(one.token_ids), list(one.token_logprobs), one.finish_reason)


@pytest.fixture
def server():
    toy = Toy()
    yield Following(toy), toy.url
    toy.close()


def run(out: Path, url: str, **more):
    said: list[str] = []

    class Told(Quiet):
        def say(self, text: str) -> None:
            said.append(text)

    aurify.train(
        **{"method": "trice", "steps": STEPS, "memory": "none", "samples": 3, **more}, model="nugget",
        data=generate("web_of_lies", 12, seed=5), out=out, holdout=0, questions=6, max_new_tokens=60, tuning="full",
        sampler="vllm", vllm_url=(url,), save_every=2, watcher=Told(),
    )  # fmt: skip
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "updated" in line], said


@pytest.mark.parametrize("method", ["trice", "rloo"])
def test_each_step_but_the_first_learns_from_draws_one_update_older(server, tmp_path, method):
    following, url = server
    lines, said = run(tmp_path / "run", url, method=method, overlap=True)
    assert TOLD in said
    assert [line["updated"] for line in lines] == [True] * STEPS
    assert [line["behind"] for line in lines] == [0, 1, 1, 1]
    rows = read_rationales(tmp_path / "run")
    assert {row.step for row in rows} == set(range(1, STEPS + 1))
    assert all(following.drawn[row.seed] == max(1, row.step - 1) for row in rows)
    assert len(following.drawn) == len(rows), "nothing is drawn twice, and nothing for a step that is not taken"
    assert ["importance" in line for line in lines] == [False, True, True, True]
    for line in lines[1:]:
        assert 0.5 < line["importance"]["mean"] <= 2.0
        assert 0 < line["importance"]["effective"] <= 1
        assert line["importance"]["mean"] != 1.0
    compared = [line["sampler"]["logprob_abs_difference"] for line in lines[:-1]]
    assert max(compared) < 1e-4, "with the weights that drew, though an update followed"


def test_a_server_that_fails_meanwhile_ends_the_run_in_one_line(server, tmp_path):
    following, url = server
    complete = following.complete
    following.toy.answers["/v1/completions"] = lambda body: (
        (400, {"message": "full"}) if following.version == 2 and "prompt_logprobs" not in body else complete(body)
    )
    with pytest.raises(AurifyError) as caught:
        run(tmp_path / "run", url, overlap=True)
    assert "full" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_it_each_step_draws_from_its_own_weights(server, tmp_path):
    following, url = server
    lines, said = run(tmp_path / "run", url)
    assert TOLD not in said
    assert all(following.drawn[row.seed] == row.step for row in read_rationales(tmp_path / "run"))
    assert not any({"behind", "importance"} & line.keys() for line in lines)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, "--sampler local draws in this process, so that nothing could overlap"),
        ({"sampler": "vllm", "method": "star"}, "star has no fresh whole samples at every step"),
        ({"sampler": "vllm", "moves": "suffix"}, "trice --moves suffix has no fresh whole samples"),
        ({"sampler": "vllm", "method": "trice-likelihood"}, "trice-likelihood has no fresh whole samples"),
    ],
)
def test_where_nothing_overlaps_or_nothing_could_be_corrected_it_is_refused(tmp_path, more, why):
    given = {"method": "trice", "model": "nugget", "data": "q.jsonl", "out": tmp_path / "run", "tuning": "full", **more}
    with pytest.raises(UsageError, match=why) as caught:
        aurify.train(**given, overlap=True)
    assert "\n" not in str(caught.value)


def test_terms_of_whole_own_proposals_know_with_what_they_were_drawn(server, tmp_path):
    _, url = server
    run(tmp_path / "run", url, steps=1)
    rows = read_rationales(tmp_path / "run")
    own = rows[0]
    terms = [Term(own.question_id, own.token_ids, 0.5), Term(own.question_id, (1, 2), 0.25)]
    assert [term.drawn for term in with_draws(terms, [rows])] == [own.logprob, None]
    assert own.logprob is not None
