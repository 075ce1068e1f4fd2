"""A rationale that goes on from a stem: its first tokens stand already, and the model draws the rest.

The sampler is given prompt and stem as one prompt. What comes back is put together here as if the prompt alone had been
completed: a stop string may begin in the stem, and the token limit counts the stem. So, the stem given, the whole is an
exact sample of the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aurify.questions.special import text_of
from aurify.sampling.protocol import Completion
from aurify.sampling.stop import first_stop, tokens_to_stop


def with_stem(
    tokenizer: Any, stem: tuple[int, ...], drawn: Completion, *, max_new_tokens: int, stop: Sequence[str]
) -> Completion:
    """The completion of the prompt alone that begins with the stem; ``logprob`` is that of the drawn tokens.

    Its token ids are cut where a stop string is whole, or at the limit; the log-probability is then NaN where the
    sampler did not tell it token by token.
    """
    ids = stem + drawn.token_ids
    at_stop = tokens_to_stop(tokenizer, ids, stop)
    end = len(ids) if at_stop is None else max(at_stop, len(stem) + 1)
    ended = "length" if end > max_new_tokens else "stop" if at_stop is not None else drawn.finish_reason
    ids = ids[: min(end, max_new_tokens)]
    text = text_of(tokenizer, ids)
    told, logprob = drawn.token_logprobs[: len(ids) - len(stem)], drawn.logprob
    if len(ids) < len(stem) + len(drawn.token_ids):
        logprob = math.fsum(told) if told else math.nan
    return replace(
        drawn, token_ids=ids, text=text[: first_stop(text, stop)], logprob=logprob, finish_reason=ended,
        token_logprobs=told,
    )  # fmt: skip
