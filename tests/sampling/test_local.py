from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from scipy import stats
from transformers import MambaConfig, MambaForCausalLM

from aurify.errors import AurifyError, UsageError
from aurify.models.logprobs import sequence_logprobs
from aurify.models.memory import cache_bytes
from aurify.sampling import Completion, LocalSampler, Prompt, local
from aurify.sampling.fused import FusedEngine

FAMILIES = ("llama", "qwen2", "qwen3", "gpt2", "gemma2", "llama+lora", "gpt2+lora", "llama+prompt", "gemma2+prompt")
EOS = 1
ModelOf = Callable[..., Any]


def prompts_of(n: int, samples: int, vocab: int = 24) -> list[Prompt]:
    draw = random.Random(n)
    return [
        Prompt(
            tuple(draw.randrange(2, vocab) for _ in range(draw.randrange(1, 20))),
            tuple(draw.randrange(2**63) for _ in range(samples)),
        )
        for _ in range(n)
    ]


def ids(completions: list[list[Completion]]) -> list[list[tuple[int, ...]]]:
    return [[completion.token_ids for completion in row] for row in completions]


@pytest.mark.parametrize("kind", FAMILIES)
def test_log_probability_is_the_trainers(kind: str, model_of: ModelOf, tokenizer: Any) -> None:
    model, prompts = model_of(kind), prompts_of(8, 3)
    drawn = LocalSampler(model, tokenizer, max_rows=9).sample(prompts, max_new_tokens=40)
    flat = [(prompt.token_ids, completion) for prompt, row in zip(prompts, drawn, strict=True) for completion in row]
    scored = sequence_logprobs(model, [(prompt, done.token_ids) for prompt, done in flat], pad_token_id=0)
    assert max(abs(score - done.logprob) for score, (_, done) in zip(scored.tolist(), flat, strict=True)) < 1e-4
    for _, done in flat:
        assert (done.token_ids[-1] == EOS) == (done.finish_reason == "stop")
        assert EOS not in done.token_ids[:-1]


@pytest.mark.parametrize("kind", ["llama", "gpt2+lora", "gemma2+prompt"])
def test_a_sample_does_not_depend_on_its_neighbours(kind: str, model_of: ModelOf, tokenizer: Any) -> None:
    model, prompts = model_of(kind), prompts_of(9, 3)
    expected = ids(LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=30))
    order = random.Random(1).sample(range(9), 9)
    few = LocalSampler(model, tokenizer, max_rows=3).sample([prompts[i] for i in order], max_new_tokens=30)
    assert ids(few) == [expected[i] for i in order]
    tight = LocalSampler(model, tokenizer, max_cache_tokens=120).sample(prompts, max_new_tokens=30)
    assert ids(tight) == expected
    alone = LocalSampler(model, tokenizer)
    for prompt, row in zip(prompts[:4], expected[:4], strict=True):
        split = [alone.sample([Prompt(prompt.token_ids, (seed,))], max_new_tokens=30)[0][0] for seed in prompt.seeds]
        assert [one.token_ids for one in split] == row


def test_no_more_rows_than_fit_into_what_is_free(
    model_of: ModelOf, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, prompts, said = model_of("llama"), prompts_of(4, 2), list[str]()
    wide = LocalSampler(model, tokenizer, say=said.append).sample(prompts, max_new_tokens=30)
    assert said == []
    a_token = cache_bytes(model, torch.float32)
    assert a_token is not None
    monkeypatch.setattr(local, "available", lambda: 130 * a_token)  # 64 tokens: one sample, or none, at a time
    rows: list[int] = []
    step = FusedEngine.step
    monkeypatch.setattr(FusedEngine, "step", lambda self, token_R: rows.append(len(token_R)) or step(self, token_R))
    sampler = LocalSampler(model, tokenizer, say=said.append)
    assert ids(sampler.sample(prompts, max_new_tokens=30)) == ids(wide)
    assert set(rows) == {1}
    assert ids(sampler.sample(prompts, max_new_tokens=30)) == ids(wide)
    assert len(said) == 1
    assert said[0].startswith("samples drawn at a time: at most 1, since one of ")
    monkeypatch.setattr(local, "available", lambda: None)
    assert ids(sampler.sample(prompts, max_new_tokens=30)) == ids(wide)


def test_what_a_token_takes_of_a_cache(model_of: ModelOf) -> None:
    assert cache_bytes(model_of("gpt2"), torch.float32) == 2 * 2 * 32 * 4  # keys and values, layers, width, bytes
    mamba = MambaForCausalLM(MambaConfig(vocab_size=24, hidden_size=8, num_hidden_layers=1, state_size=4))
    assert cache_bytes(mamba, torch.float32) is None


def test_a_longer_limit_continues_the_same_sample(model_of: ModelOf, tokenizer: Any) -> None:
    sampler, prompts = LocalSampler(model_of("llama"), tokenizer), prompts_of(4, 4)
    short, long = sampler.sample(prompts, max_new_tokens=5), sampler.sample(prompts, max_new_tokens=25)
    for a, b in zip(itertools.chain(*short), itertools.chain(*long), strict=True):
        assert b.token_ids[: len(a.token_ids)] == a.token_ids


@pytest.mark.parametrize("kind", ["llama", "llama+prompt"])
def test_the_distribution_is_the_models(kind: str, model_of: ModelOf, tokenizer: Any) -> None:
    """Every sequence of up to 3 tokens over 5, its probability enumerated, against 6,000 draws."""
    model, prompt, n = model_of(kind, vocab=5, sharpness=20.0), (3, 2, 4), 6000
    outcomes = [z for z in itertools.product(range(5), repeat=3) if EOS not in z[:-1]]
    outcomes += [(a, EOS) for a in (0, 2, 3, 4)] + [(EOS,)]
    with torch.no_grad():
        exact = sequence_logprobs(model, [(prompt, z) for z in outcomes], pad_token_id=0).double().exp()
    assert float(exact.sum()) == pytest.approx(1, abs=1e-5)
    drawn = LocalSampler(model, tokenizer, max_rows=1500).sample([Prompt(prompt, tuple(range(n)))], max_new_tokens=3)
    counts = Counter(completion.token_ids for completion in drawn[0])
    assert set(counts) <= set(outcomes)
    often = [(counts[z], n * p) for z, p in zip(outcomes, exact.tolist(), strict=True) if n * p >= 5]
    seldom = (n - sum(seen for seen, _ in often), n - sum(expected for _, expected in often))
    cells = [*often, seldom] if seldom[1] >= 1 else often
    chi2 = sum((seen - expected) ** 2 / expected for seen, expected in cells)
    assert len(often) > 10
    assert 1e-3 < stats.chi2.sf(chi2, len(cells) - 1) < 1 - 1e-3


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gpt2", "gemma2", "llama+lora"])
def test_greedy_is_generate(kind: str, model_of: ModelOf, tokenizer: Any) -> None:
    model, prompts = model_of(kind), prompts_of(10, 1)
    drawn = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=25, temperature=0)
    for prompt, [completion] in zip(prompts, drawn, strict=True):
        inputs = torch.tensor([prompt.token_ids])
        generated = model.generate(
            input_ids=inputs, attention_mask=torch.ones_like(inputs), do_sample=False, max_new_tokens=25
        )
        assert list(completion.token_ids) == generated[0, len(prompt.token_ids) :].tolist()


def test_temperature_changes_the_draw_and_not_what_is_reported(model_of: ModelOf, tokenizer: Any) -> None:
    model, prompts = model_of("llama"), prompts_of(3, 200)
    means = []
    for temperature in (0.5, 1.0, 1.5):
        drawn = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=10, temperature=temperature)
        [first, *_] = drawn[0]
        scored = sequence_logprobs(model, [(prompts[0].token_ids, first.token_ids)], pad_token_id=0)
        assert first.logprob == pytest.approx(scored.item(), abs=1e-4)
        means.append(
            sum(c.logprob for c in itertools.chain(*drawn)) / sum(len(c.token_ids) for c in itertools.chain(*drawn))
        )
    assert means[0] > means[1] > means[2]


def test_every_eos_id_ends_a_sample(model_of: ModelOf, tokenizer: Any) -> None:
    model, prompts = model_of("llama"), prompts_of(6, 20)
    model.generation_config.eos_token_id = [7, 1]
    model.config.eos_token_id = 9
    drawn = itertools.chain(*LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=60))
    stops = [completion.token_ids for completion in drawn if completion.finish_reason == "stop"]
    assert {tokens[-1] for tokens in stops} == {1, 7, 9}
    assert not {1, 7, 9} & {token for tokens in stops for token in tokens[:-1]}


def test_the_generation_config_has_no_say(model_of: ModelOf, tokenizer: Any) -> None:
    prompts = prompts_of(5, 5)
    plain = LocalSampler(model_of("llama"), tokenizer).sample(prompts, max_new_tokens=30)
    trapped = model_of("llama")
    trapped.generation_config.update(
        do_sample=True, top_k=1, top_p=0.1, temperature=0.1, repetition_penalty=9.0, max_length=3, min_new_tokens=29
    )
    assert LocalSampler(trapped, tokenizer).sample(prompts, max_new_tokens=30) == plain


def test_stop_strings_cut_the_text_and_keep_what_was_drawn(model_of: ModelOf, tokenizer: Any) -> None:
    model, prompts = model_of("llama"), prompts_of(12, 12)
    free = list(itertools.chain(*LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=50)))
    stop = (free[0].text[3:5], free[1].text[10:11])
    drawn = list(itertools.chain(*LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=50, stop=stop)))
    asked = [prompt.token_ids for prompt in prompts for _ in range(12)]
    scored = sequence_logprobs(model, [(x, z.token_ids) for x, z in zip(asked, drawn, strict=True)], pad_token_id=0)
    n_cut = 0
    for whole, cut, score in zip(free, drawn, scored.tolist(), strict=True):
        at = min((whole.text.find(word) for word in stop if word in whole.text), default=None)
        if at is None:
            assert (cut.token_ids, cut.text, cut.finish_reason) == (whole.token_ids, whole.text, whole.finish_reason)
            continue
        n_cut += 1
        prefixes = [tokenizer.decode(whole.token_ids[:n], skip_special_tokens=True) for n in range(51)]
        ends = next(n for n, text in enumerate(prefixes) if any(word in text for word in stop))
        assert cut.text == whole.text[:at]
        assert cut.finish_reason == "stop"
        assert cut.token_ids == whole.token_ids[:ends]
        assert cut.logprob == pytest.approx(score, abs=1e-4)
    assert 20 < n_cut < 144


def test_dropout_is_off_while_sampling_and_every_mode_is_restored(model_of: ModelOf, tokenizer: Any) -> None:
    model, prompts = model_of("gpt2+lora"), prompts_of(3, 3)
    expected = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=10)
    model.train()
    frozen = next(module for module in model.modules() if isinstance(module, torch.nn.LayerNorm))
    frozen.eval()
    assert LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=10) == expected
    assert [module for module in model.modules() if not module.training] == [frozen]


def test_training_goes_on_after_sampling(model_of: ModelOf, tokenizer: Any) -> None:
    model = model_of("llama")
    LocalSampler(model, tokenizer).sample(prompts_of(2, 2), max_new_tokens=5)
    sequence_logprobs(model, [((2, 3), (4, 1))], pad_token_id=0).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_progress_counts_every_completion(model_of: ModelOf, tokenizer: Any) -> None:
    calls: list[tuple[int, int]] = []
    sampler = LocalSampler(model_of("llama"), tokenizer, max_rows=4, progress=lambda *call: calls.append(call))
    sampler.sample(prompts_of(5, 3), max_new_tokens=20)
    assert calls == sorted(calls)
    assert calls[-1] == (15, 15)
    assert len(calls) > 3


def test_progress_is_told_while_nothing_is_done_yet(model_of: ModelOf, tokenizer: Any) -> None:
    calls: list[tuple[int, ...]] = []
    sampler = LocalSampler(model_of("llama"), tokenizer, progress=lambda *call: calls.append(call))
    tried = sampler.sample([Prompt((3, 4), tuple(range(64)))], max_new_tokens=40)[0]
    slow = [seed for seed, one in enumerate(tried) if len(one.token_ids) > 34][:2]
    calls.clear()
    sampler.sample([Prompt((3, 4), tuple(slow))], max_new_tokens=40)
    assert calls[:3] == [(0, 2)] * 3, "before the first token, and after every 16 of them"
    assert calls[-1] == (2, 2)


def test_nothing_asked(model_of: ModelOf, tokenizer: Any) -> None:
    sampler = LocalSampler(model_of("llama"), tokenizer)
    assert sampler.sample([], max_new_tokens=5) == []
    assert ids(sampler.sample([Prompt((2,), ()), Prompt((2,), (5,))], max_new_tokens=1))[0] == []


def test_each_prompt_is_prefilled_once(model_of: ModelOf, tokenizer: Any) -> None:
    model, widths = model_of("llama"), Counter[int]()
    model.model.register_forward_pre_hook(
        lambda _module, _args, kwargs: widths.update({kwargs["input_ids"].shape[1]: len(kwargs["input_ids"])}),
        with_kwargs=True,
    )
    prompts = [Prompt(tuple(range(2, 2 + length)), tuple(range(7))) for length in (9, 6, 3)]
    LocalSampler(model, tokenizer, max_rows=4).sample(prompts, max_new_tokens=12)
    assert sum(n for width, n in widths.items() if width > 1) == 3


@pytest.mark.parametrize(
    ("prompt", "options", "message"),
    [
        (Prompt((2,) * 100, (1,)), {"max_new_tokens": 29}, "lower the token limit to 28"),
        (Prompt((), (1,)), {"max_new_tokens": 2}, "empty"),
        (Prompt((24,), (1,)), {"max_new_tokens": 2}, "token id 24"),
        (Prompt((2,), (1,)), {"max_new_tokens": 0}, "at least 1"),
        (Prompt((2,), (1,)), {"max_new_tokens": 2, "temperature": -1.0}, "temperature"),
        (Prompt((2,), (1,)), {"max_new_tokens": 2, "temperature": math.nan}, "temperature"),
        (Prompt((2,), (1,)), {"max_new_tokens": 2, "stop": [""]}, "stop string"),
    ],
)
def test_what_cannot_be_sampled_is_said(
    prompt: Prompt, options: dict[str, Any], message: str, model_of: ModelOf, tokenizer: Any
) -> None:
    with pytest.raises(AurifyError, match=message):
        LocalSampler(model_of("llama"), tokenizer).sample([prompt], **options)


def test_soft_prompts_count_towards_the_position_limit(model_of: ModelOf, tokenizer: Any) -> None:
    sampler = LocalSampler(model_of("gpt2+prompt"), tokenizer)
    sampler.sample([Prompt((2,) * 100, (1,))], max_new_tokens=25)
    with pytest.raises(AurifyError, match="3 of them a soft prompt"):
        sampler.sample([Prompt((2,) * 100, (1,))], max_new_tokens=26)
    with pytest.raises(
        AurifyError, match="lower the token limit to 1, or leave out long questions, which aurify check"
    ):
        sampler.sample([Prompt((2,) * 124, (1,))], max_new_tokens=2)
    with pytest.raises(AurifyError, match="128 positions: leave out long questions, which aurify check"):
        sampler.sample([Prompt((2,) * 125, (1,))], max_new_tokens=1)


def test_rows_that_are_done_never_leave_the_models_positions(model_of: ModelOf, tokenizer: Any) -> None:
    prompts = [Prompt((2,) * length, (1, 2, 3)) for length in (98, 97, 60, 5)]
    drawn = LocalSampler(model_of("gpt2"), tokenizer, max_rows=12).sample(prompts, max_new_tokens=30)
    assert all(len(completion.token_ids) <= 30 for completion in itertools.chain(*drawn))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_an_error(value: float, model_of: ModelOf, tokenizer: Any) -> None:
    model = model_of("gpt2")
    with torch.no_grad():
        model.lm_head.weight[5] = value
    with pytest.raises(AurifyError, match="not finite"):
        LocalSampler(model, tokenizer).sample(prompts_of(3, 3), max_new_tokens=5)


def test_max_rows_must_hold_a_row(tokenizer: Any) -> None:
    with pytest.raises(UsageError, match="max_rows"):
        LocalSampler(torch.nn.Linear(1, 1), tokenizer, max_rows=0)


@pytest.mark.parametrize("kind", ["qwen2+lora", "gpt2"])
def test_in_bfloat16_samples_are_nearly_the_models(kind: str, model_of: ModelOf, tokenizer: Any) -> None:
    """With either engine; the model keeps its weights, and the log-probabilities are near its own."""
    model = model_of(kind, sharpness=2.0)
    prompts = [Prompt((3 + i % 5, 4), tuple(range(10 * i, 10 * i + 4))) for i in range(10)]
    lowered = LocalSampler(model, tokenizer, dtype=torch.bfloat16).sample(prompts, max_new_tokens=12)
    exact = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=12)
    assert lowered != exact, "the numbers are other ones"
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    scored = [(prompt.token_ids, one.token_ids) for prompt, row in zip(prompts, lowered, strict=True) for one in row]
    with torch.no_grad():
        own = sequence_logprobs(model, scored, pad_token_id=0).tolist()
    told = [one.logprob for row in lowered for one in row]
    assert max(abs(a - b) for a, b in zip(own, told, strict=True)) < 0.5
    assert max(abs(a - b) for a, b in zip(own, told, strict=True)) > 1e-5
