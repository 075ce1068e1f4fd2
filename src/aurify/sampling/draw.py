"""Exact draws of tokens, each from its own sample's stream of uniforms."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def uniforms(seed: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The first ``n`` uniforms in [0, 1) of a seed; token t of a sample uses the t-th, whatever it is batched with.

    Philox (Salmon et al., 2011) is counter-based: its stream depends on the key alone. 52 bits, one fewer than a
    float64 holds, so that a uniform times the sum of the weights stays below that sum after rounding.
    """
    bits = np.random.Philox(key=seed).random_raw(n)
    return np.asarray((bits >> np.uint64(12)) * 2.0**-52)


def draw_tokens(logits_RV: Tensor, uniform_R: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """A token a row, and its log-probability at temperature 1, whatever the temperature it is drawn at.

    Inverts the cumulative distribution in token order: the token is the first k with C_k > u C_V. The sum runs in
    float64, so only noise in the logits themselves can move a draw. Temperature 0 takes the most likely token.
    Logits with a NaN or +inf give a NaN log-probability, which the caller must look for.
    """
    logprobs_RV = logits_RV.float().log_softmax(-1)
    if temperature == 0.0:
        token_R = logprobs_RV.argmax(-1)
    else:
        tempered_RV = logprobs_RV if temperature == 1.0 else (logprobs_RV / temperature).log_softmax(-1)
        cumulative_RV = tempered_RV.exp().cumsum(-1, dtype=torch.float64)
        target_R1 = uniform_R[:, None] * cumulative_RV[:, -1:]
        token_R = torch.searchsorted(cumulative_RV, target_R1, right=True)[:, 0].clamp_(max=logits_RV.shape[1] - 1)
    return token_R, logprobs_RV.gather(1, token_R[:, None])[:, 0]
