from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aurify.sampling.draw import draw_tokens, uniforms


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
    uniform = torch.tensor([0.0, 0.199, 0.201, 0.699, 0.701, 0.999, 1 - 2.0**-52], dtype=torch.float64)
    tokens, logprobs = draw_tokens(logits, uniform, 1.0)
    assert tokens.tolist() == [0, 0, 1, 1, 3, 3, 3]
    assert torch.allclose(logprobs.exp(), torch.tensor([0.2, 0.2, 0.5, 0.5, 0.3, 0.3, 0.3]))


@given(st.integers(0, 10**6))
def test_a_token_of_no_probability_is_never_drawn(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(64, 30, generator=generator) * 20
    logits[torch.rand(64, 30, generator=generator) < 0.5] = -torch.inf
    logits[:, 0] = 0
    edge = torch.tensor([0.0, 1 - 2.0**-52], dtype=torch.float64).repeat(32)
    for uniform in (edge, torch.rand(64, generator=generator, dtype=torch.float64)):
        tokens, logprobs = draw_tokens(logits, uniform, 1.0)
        assert logprobs.isfinite().all()
        assert logits.gather(1, tokens[:, None]).isfinite().all()


def test_low_temperatures_tend_to_greedy_and_half_precision_is_widened() -> None:
    logits = torch.randn(50, 40, generator=torch.Generator().manual_seed(0)).bfloat16()
    uniform = torch.linspace(0, 0.99, 50, dtype=torch.float64)
    greedy, logprobs = draw_tokens(logits, uniform, 0.0)
    assert torch.equal(greedy, logits.float().argmax(-1))
    apart = logits.float() + 10 * torch.arange(40)
    assert torch.equal(draw_tokens(apart, uniform, 1e-2)[0], apart.argmax(-1))
    assert torch.allclose(logprobs, logits.float().log_softmax(-1).max(-1).values)
