"""Log-probabilities of completions given their prompts: what the trainer ascends and the sampler must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from aurify.errors import AurifyError
from aurify.models.head import target_logprobs
from aurify.models.packed_attention import forwards_packs, states_of
from aurify.models.packing import Pack, Scored, Unpackable, packed_batches
from aurify.models.prefix import (
    causal_lm,
    keeps_states,
    last_states,
    n_virtual_tokens,
    next_token_logits,
    soft_prompt,
)
from aurify.models.sharding import even, in_pieces, within
from aurify.models.trials import head_is_plain, in_float32, trial
from aurify.models.vocabulary import n_ids

__all__ = [
    "IDLE",
    "Scored",
    "batches",
    "no_sequences",
    "padded_batches",
    "sequence_logprobs",
    "takes_packs",
    "token_logits",
    "token_logprobs",
]

_PROBE = [((3, 2), (2, 3, 4)), ((3, 2), (4,)), ((2,), (3, 3, 2, 2))]
IDLE: Scored = ((0,), (0,))
"""What a process computes that has nothing to compute while others have, where each pass is one of all."""
_takes_packs: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
_plain_head: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def token_logprobs(model: nn.Module, sequences: Sequence[Scored], *, pad_token_id: int) -> list[Tensor]:
    """log p(z_t | x, z_<t) of every completion token, in nats and float32: one tensor (T_n,) a sequence.

    The sequences run as one pack where the model takes packs: no padding, and each prompt once for all its
    completions; else padded on the right, where causal attention keeps the padding from every real token. The soft
    prompt of a PEFT model stands in front. The end of sequence is scored if and only if a completion holds it.
    Differentiable; whether dropout acts is the caller's ``model.train()`` or ``model.eval()``.
    ``model`` is the module itself, not its distributed wrapper: PEFT and plain models are both right.

    Raises AurifyError for a completion that nothing stands in front of.
    """
    n_virtual = n_virtual_tokens(model)
    if not any(len(completion) for _, completion in sequences):
        nothing = no_sequences(model)
        return [nothing for _ in sequences]
    if n_virtual == 0 and any(len(completion) and not len(prompt) for prompt, completion in sequences):
        raise AurifyError("a completion has an empty prompt, so its first token has no probability; give the prompt")
    known = n_ids(model)
    if known is not None and (largest := max(max(z) for _, z in sequences if z)) >= known:
        raise AurifyError(f"a completion holds the id {largest}, and the tokenizer has {known}: it is of another model")
    logprobs_K = within(model, lambda: _predicted(model, sequences, pad_token_id).logprobs())
    return list(torch.split(logprobs_K, [len(completion) for _, completion in sequences]))


def token_logits(model: nn.Module, sequences: Sequence[Scored], *, pad_token_id: int) -> Tensor:
    """The logits from which each completion token is drawn, (K, V) in float32, one sequence behind the other.

    V counts the ids that the tokenizer has. Everything else is as in :func:`token_logprobs`; of no sequences (0, V), of
    a pass that other processes take part in.
    """
    if not sequences:
        return token_logits(model, [IDLE], pad_token_id=pad_token_id)[:0]
    return within(model, lambda: _predicted(model, sequences, pad_token_id).logits())


def no_sequences(model: nn.Module) -> Tensor:
    """No log-probabilities, (0,); where the weights lie in pieces, of a pass that the other processes need."""
    if not in_pieces(model):
        return torch.zeros(0, device=next(model.parameters()).device)
    return token_logprobs(model, [IDLE], pad_token_id=0)[0][:0]


def takes_packs(model: nn.Module, sequences: Sequence[Scored]) -> bool:
    """Whether the model computes these as packs, and the same as padded rows: tried once a model, on a few tokens.

    A pack knows no sliding window; where all sequences fit into it, none is needed. Layers that mix tokens otherwise
    than by attention, by a convolution or a recurrence, would mix the sequences of a pack.
    """
    window = getattr(causal_lm(model).config.get_text_config(), "sliding_window", None)
    if window and n_virtual_tokens(model) + max(len(prompt) + len(z) for prompt, z in sequences) > window:
        return False
    if model not in _takes_packs:
        _takes_packs[model] = _agrees(model)
    return _takes_packs[model] and forwards_packs(causal_lm(model))


def _agrees(model: nn.Module) -> bool:
    lm = causal_lm(model)
    if head_of(model) is None or keeps_states(model) or not forwards_packs(lm):
        return False
    with trial(model), in_float32():
        try:
            packed = _packed(model, _PROBE).logprobs()
        except Exception:  # a forward of another form fails in its own way, and its sequences are padded
            return False
        padded = _padded(model, _PROBE, pad_token_id=0).logprobs()
    return bool(torch.allclose(packed, padded, atol=2e-4, rtol=1e-4))


def head_of(model: nn.Module) -> nn.Linear | None:
    """The output layer, where its product with the hidden states is all that the logits are; tried once a model."""
    if model not in _plain_head:
        _plain_head[model] = head_is_plain(model)
    return causal_lm(model).get_output_embeddings() if _plain_head[model] else None


class _Predicted(NamedTuple):
    """The K completion tokens of some sequences, one sequence behind the other, and what they are drawn from."""

    lm: Any
    states_KE: Tensor
    """The hidden states that a plain output layer reads; the logits where it is none."""
    target_K: Tensor
    plain: bool = True

    def logprobs(self) -> Tensor:
        """log p of each token, (K,)."""
        if self.plain:
            return target_logprobs(self.states_KE, *_rows_of(self.lm), self.target_K)
        return self.states_KE.log_softmax(-1).gather(1, self.target_K[:, None]).sum(1)

    def logits(self) -> Tensor:
        """(K, V), float32."""
        return nn.functional.linear(self.states_KE, *_rows_of(self.lm)).float() if self.plain else self.states_KE


def _predicted(model: nn.Module, sequences: Sequence[Scored], pad_token_id: int) -> _Predicted:
    if takes_packs(model, sequences):
        return _packed(model, sequences)
    return _padded(model, sequences, pad_token_id)


def _packed(model: nn.Module, sequences: Sequence[Scored]) -> _Predicted:
    lm = causal_lm(model)
    head = lm.get_output_embeddings()
    n_virtual = n_virtual_tokens(model)
    pack = Pack.of(sequences, n_virtual, head.weight.device)
    ids_1N = torch.tensor([pack.token_ids], device=head.weight.device)
    inputs = {"input_ids": ids_1N}
    if n_virtual:
        embeds_1ND = lm.get_input_embeddings()(ids_1N)
        inputs = {"inputs_embeds": torch.cat([soft_prompt(model).to(embeds_1ND)[None], embeds_1ND], 1)}
    states_NE = states_of(lm, pack, inputs)
    if pack.uses != lm.config.get_text_config().num_hidden_layers:
        raise Unpackable("the model does not pass packs on to its attention")
    return _Predicted(lm, states_NE.index_select(0, pack.predicted_from_K), pack.target_K)


def _padded(model: nn.Module, sequences: Sequence[Scored], pad_token_id: int) -> _Predicted:
    lm, n_virtual = causal_lm(model), n_virtual_tokens(model)
    starts = [n_virtual + len(prompt) for prompt, _ in sequences]
    lengths = [len(completion) for _, completion in sequences]
    device = next(model.parameters()).device
    width = max(start + length for start, length in zip(starts, lengths, strict=True))
    ids_NC = torch.full((len(sequences), width), pad_token_id, dtype=torch.long)
    for row, (prompt, completion) in enumerate(sequences):
        ids_NC[row, n_virtual : n_virtual + len(prompt) + len(completion)] = torch.tensor([*prompt, *completion])
    # Column c predicts the token at c + 1, so the completion at start..start+length needs one column before it.
    first = min(start for start, length in zip(starts, lengths, strict=True) if length) - 1
    rows = [row for row, length in enumerate(lengths) for _ in range(length)]
    columns = [start + t for start, length in zip(starts, lengths, strict=True) for t in range(length)]
    ids_NC, rows_K, columns_K = ids_NC.to(device), torch.tensor(rows).to(device), torch.tensor(columns).to(device)

    inputs: dict[str, Any] = {
        "soft_prompt_at_B": torch.zeros(len(sequences), dtype=torch.long, device=device),
        # All ones, as no real token sees the padding; without a mask GPT-2 warns, with a true one SDPA is slower.
        "attention_mask": torch.ones_like(ids_NC),
        "use_cache": False,
    }
    target_K = ids_NC[rows_K, columns_K]
    if head_of(model) is not None:
        return _Predicted(lm, last_states(model, ids_NC, **inputs)[rows_K, columns_K - 1], target_K)
    logits_NCV = next_token_logits(model, ids_NC, keep=torch.arange(first, width - 1, device=device), **inputs)
    return _Predicted(lm, logits_NCV[rows_K, columns_K - 1 - first, : n_ids(model)].float(), target_K, plain=False)


def _rows_of(lm: Any) -> tuple[Tensor, Tensor | None]:
    """The output layer's matrix and bias, without the rows of ids that no token has."""
    head, n = lm.get_output_embeddings(), n_ids(lm)
    return head.weight[:n], None if head.bias is None else head.bias[:n]


def sequence_logprobs(model: nn.Module, sequences: Sequence[Scored], *, pad_token_id: int) -> Tensor:
    """log p(z_n | x_n) = Σ_t log p(z_t | x, z_<t): the differentiable sum for each sequence, shape (N,), in nats.

    A sum and never a mean: dividing by the length would bias the score (its mean under the model is then not 0).
    An empty completion scores 0. Everything else is as in :func:`token_logprobs`.
    """
    if not sequences:
        return no_sequences(model)
    return torch.stack([tokens.sum() for tokens in token_logprobs(model, sequences, pad_token_id=pad_token_id)])


def padded_batches(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Group sequences so that each group, padded to its longest, takes at most ``token_budget`` tokens.

    Returns indices into ``lengths``, every one once, longest first, equal lengths in the order given. A sequence
    longer than the budget stands alone.

    Raises ValueError for a budget below 1.
    """
    if token_budget < 1:
        raise ValueError(f"the token budget is {token_budget}, and must be at least 1")
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if groups and (len(groups[-1]) + 1) * lengths[groups[-1][0]] <= token_budget:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def batches(model: nn.Module, sequences: Sequence[Scored], token_budget: int) -> list[list[int]]:
    """Indices of the sequences in micro-batches of about ``token_budget`` tokens, as this model runs them.

    Where its weights lie in pieces all processes call this together, and some micro-batches at the end may be empty:
    they are to be run as well.
    """
    n_virtual = n_virtual_tokens(model)
    if not sequences:
        return even(model, [])
    if takes_packs(model, sequences):
        return even(model, packed_batches(sequences, token_budget, n_virtual))
    lengths = [n_virtual + len(prompt) + len(completion) for prompt, completion in sequences]
    return even(model, padded_batches(lengths, token_budget))
