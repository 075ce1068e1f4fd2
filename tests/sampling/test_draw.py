from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aurify.sampling import draw
from aurify.sampling.draw import draw_tokens, levels, on_device, uniforms


@given(seed=st.integers(0, 2**63 - 1), n=st.integers(1, 50), more=st.integers(0, 50))
def test_a_stream_depends_on_its_seed_alone(seed: int, n: int, more: int) -> None:
    assert np.array_equal(uniforms(seed, n), uniforms(seed, n + more)[:n])
    assert ((uniforms(seed, n) >= 0) & (uniforms(seed, n) < 1)).all()


def test_streams_are_uniform_within_a_seed_and_across_neighbouring_seeds() -> None:
    assert stats.kstest(uniforms(3, 5000), "uniform").pvalue > 1e-3
    first = np.array([uniforms(seed, 2) for seed in range(5000)])
    assert stats.kstest(first[:, 0], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(first[1:, 0], first[:-1, 0])[0, 1]) < 0.05
    assert abs(np.corrcoef(first[:, 0], first[:, 1])[0, 1]) < 0.05


def test_a_uniform_maps_to_the_token_whose_interval_holds_it() -> None:
    logits = torch.tensor([0.2, 0.5, 0.0, 0.3]).log().expand(7, 4)
    uniform = torch.tensor([[0.0], [0.199], [0.201], [0.699], [0.701], [0.999], [1 - 2.0**-52]], dtype=torch.float64)
    tokens, logprobs = draw_tokens(logits, uniform, 1.0)
    assert tokens.tolist() == [0, 0, 1, 1, 3, 3, 3]
    assert torch.allclose(logprobs.exp(), torch.tensor([0.2, 0.2, 0.5, 0.5, 0.3, 0.3, 0.3]))


@pytest.mark.parametrize("n_tokens", [1, 7, 8, 9, 64, 100, 513])
def test_draws_follow_the_distribution_at_any_depth(n_tokens: int) -> None:
    assert [levels(n) for n in (1, 8, 9, 64, 65, 512, 513, 152_064)] == [1, 1, 2, 2, 3, 3, 4, 6]
    n, generator = 20_000, torch.Generator().manual_seed(n_tokens)
    logits = torch.randn(n_tokens, generator=generator) * 2
    uniform = torch.rand(n, levels(n_tokens), generator=generator, dtype=torch.float64)
    tokens, _ = draw_tokens(logits.expand(n, -1), uniform, 1.0)
    seen, expected = torch.bincount(tokens, minlength=n_tokens).double(), n * logits.double().softmax(0)
    often = expected >= 5
    chi2 = float(((seen - expected) ** 2 / expected)[often].sum())
    assert len(seen) == n_tokens
    assert n_tokens == 1 or stats.chi2.sf(chi2, int(often.sum()) - 1) > 1e-3


def test_noise_in_the_logits_flips_few_more_tokens_than_it_must() -> None:
    n, n_tokens, generator = 4000, 512, torch.Generator().manual_seed(0)
    logits = torch.randn(n, n_tokens, generator=generator) * 3
    noisy = logits + 1e-3 * torch.randn(n, n_tokens, generator=generator)
    uniform = torch.rand(n, levels(n_tokens), generator=generator, dtype=torch.float64)
    flips = (draw_tokens(logits, uniform, 1.0)[0] != draw_tokens(noisy, uniform, 1.0)[0]).sum()
    variation = 0.5 * (logits.double().softmax(-1) - noisy.double().softmax(-1)).abs().sum()
    assert flips < 6 * variation + 3


@given(st.integers(0, 10**6))
def test_where_there_is_no_float64_a_draw_is_nearly_the_same_and_never_of_no_probability(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(64, 100, generator=generator)
    logits[:, ::3] = float("-inf")
    exact = torch.rand(64, 3, generator=generator, dtype=torch.float64)
    exact[:8] = 1 - 2.0**-52
    with patch.object(draw, "has_float64", lambda device: False):
        coarse = on_device(exact.numpy(), torch.device("cpu"))
    assert coarse.dtype == torch.float32
    assert coarse.max() < 1
    tokens, expected = (draw_tokens(logits, uniform, 1.0)[0] for uniform in (coarse, exact))
    assert (tokens % 3 != 0).all()
    assert (tokens != expected).sum() <= 1


@given(st.integers(0, 10**6))
def test_a_token_of_no_probability_is_never_drawn(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(64, 30, generator=generator) * 20
    logits[torch.rand(64, 30, generator=generator) < 0.5] = -torch.inf
    logits[:, 0] = 0
    edge = torch.tensor([0.0, 1 - 2.0**-52], dtype=torch.float64)[torch.randint(2, (64, 2), generator=generator)]
    for uniform in (edge, torch.rand(64, 2, generator=generator, dtype=torch.float64)):
        tokens, logprobs = draw_tokens(logits, uniform, 1.0)
        assert logprobs.isfinite().all()
        assert logits.gather(1, tokens[:, None]).isfinite().all()


def test_low_temperatures_tend_to_greedy_and_half_precision_is_widened() -> None:
    logits = torch.randn(50, 40, generator=torch.Generator().manual_seed(0)).bfloat16()
    uniform = torch.linspace(0, 0.99, 100, dtype=torch.float64).view(50, 2)
    greedy, logprobs = draw_tokens(logits, uniform, 0.0)
    assert torch.equal(greedy, logits.float().argmax(-1))
    apart = logits.float() + 10 * torch.arange(40)
    assert torch.equal(draw_tokens(apart, uniform, 1e-2)[0], apart.argmax(-1))
    assert torch.allclose(logprobs, logits.float().log_softmax(-1).max(-1).values)


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.0])
def test_a_large_vocabulary_is_gone_through_in_parts(temperature: float) -> None:
    """Row by row the tokens and log-probabilities are those of a batch of a few."""
    torch.manual_seed(0)
    n_tokens = 100_003
    logits = 3 * torch.randn(50, n_tokens)
    uniform = torch.rand(50, levels(n_tokens), dtype=torch.float64)
    tokens, logprobs = draw_tokens(logits, uniform, temperature)
    assert tokens.shape == logprobs.shape == (50,)
    for at in range(0, 50, 2):
        few, their = draw_tokens(logits[at : at + 2], uniform[at : at + 2], temperature)
        assert torch.equal(few, tokens[at : at + 2])
        torch.testing.assert_close(their, logprobs[at : at + 2], atol=1e-6, rtol=0)
