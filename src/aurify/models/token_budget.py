"""How many tokens a micro-batch takes: as many as were asked for, and half as many wherever memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

from aurify.errors import AurifyError, out_of_memory

Result = TypeVar("Result")


class TokenBudget:
    """Tokens a micro-batch. Results do not depend on it, so work that did not fit is repeated in smaller pieces.

    Args:
        tokens: the most at a time.
        say: is told when it is lowered.
        repeats: whether this process may repeat work by itself, as it may not where others take part in each pass.
    """

    def __init__(self, tokens: int, say: Callable[[str], None] = lambda text: None, *, repeats: bool = True) -> None:
        self.tokens, self.say, self.repeats = tokens, say, repeats
        self.lowered = False

    def spend(self, work: Callable[[], Result], undo: Callable[[], object] = lambda: None) -> Result:
        """What ``work`` gives, which reads ``tokens``; where memory runs out ``tokens`` are halved, and it is repeated.

        Args:
            undo: takes back what a part of the work has done, before it is repeated.

        Raises:
            AurifyError: one token at a time does not fit either, or it may not be repeated.
        """
        while True:
            try:
                return work()
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                if not self.repeats:
                    raise AurifyError(
                        f"out of memory with --token-budget {self.tokens}: --resume with a lower one (with --fsdp no "
                        "process can repeat a pass by itself)"
                    ) from None
                if self.tokens == 1:
                    raise AurifyError(
                        "out of memory, even with one rationale at a time: lower --max-new-tokens, or take "
                        "--gradient-checkpointing, --tuning lora or a smaller model"
                    ) from None
            # the error is gone here, and with it what its frames held
            undo()
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self.tokens, self.lowered = max(1, self.tokens // 2), True
            self.say(f"out of memory: repeated with --token-budget {self.tokens}, and so it goes on")


def drop_gradients(model: torch.nn.Module) -> None:
    """Forget the gradients of all parameters."""
    for parameter in model.parameters():
        parameter.grad = None
