"""The neural ranker: a Hugging Face encoder, or a causal model, with a scalar head on the mean of a rationale's states.

Source: "Turning Dust into Gold" (arXiv:2312.12832), its code's ranking model. As there: question and rationale in one
row, the last hidden states averaged over the rationale's tokens, two residual ELU layers, a sigmoid. Unlike there,
the attention mask is passed, and LoRA is possible.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aurify.errors import AurifyError, UsageError
from aurify.models.autocast import products_in_bfloat16
from aurify.models.device import best_device
from aurify.models.lighter import lighten
from aurify.models.load import absolute, load_model, resolve_name
from aurify.models.logprobs import padded_batches
from aurify.models.lora import adapting, order_adapters
from aurify.models.nat.storage import is_nat
from aurify.models.precision import WORTH, bfloat16_speedup
from aurify.models.token_budget import TokenBudget
from aurify.models.tuning import FULL_TUNING_LIMIT
from aurify.models.untrusted import pretrained, pretrained_adapter, pretrained_weights, reading
from aurify.voting.pool import CandidatePool

Loss = Literal["pair", "pointwise"]
RankerRow = tuple[str, str]
"""A question and a rationale."""
Encoded = tuple[list[int], tuple[int, int]]
"""Token ids of a row, and where the rationale's begin and end."""
Tell = Callable[[int, int], None]
"""Is told how much is done, of how much."""
HEAD, ENCODER, SETTINGS_FILE = "head.safetensors", "encoder", "neural.json"


@dataclass(frozen=True)
class NeuralSettings:
    """How a neural ranker is trained."""

    model: str
    """A trained ranker's own settings name a local folder from the root on."""
    loss: Loss = "pair"
    power: float = 3.0
    """p of the pair loss."""
    lora_rank: int = 0
    """0: all weights are trained."""
    learning_rate: float = 2e-5
    epochs: int = 5
    questions: int = 8
    """A step."""
    max_tokens: int = 512
    seed: int = 0
    dtype: str = "float32"
    """Of the weights that LoRA leaves as they are."""
    token_budget: int = 4096
    """Tokens at once."""


def silent(done: int, asked: int) -> None:
    """Tell nobody."""


class Head(nn.Module):
    """s = sigmoid(w h2), h1 = ELU(W1 h) + h, h2 = ELU(W2 h1) + h1, of a pooled state h [B, D]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.last = nn.Linear(width, 1)

    def forward(self, pooled_BD: Tensor) -> Tensor:
        """The log-odds [B]."""
        hidden_BD = nn.functional.elu(self.first(pooled_BD)) + pooled_BD
        hidden_BD = nn.functional.elu(self.second(hidden_BD)) + hidden_BD
        logits_B: Tensor = self.last(hidden_BD).squeeze(-1)
        return logits_B


def losses(logits_B: Tensor, right_B: Tensor, loss: Loss, power: float) -> Tensor:
    """The loss of each rationale [B], of its log-odds: (1 - s+)^p or (s-)^p, or log loss."""
    signed_B = torch.where(right_B, logits_B, -logits_B)
    return nn.functional.softplus(-signed_B) if loss == "pointwise" else torch.sigmoid(-signed_B) ** power


class NeuralRanker:
    """A trained neural ranker; it looks at every candidate by itself."""

    alone = True

    def __init__(self, encoder: Any, tokenizer: Any, head: Head, settings: NeuralSettings) -> None:
        self.encoder = encoder.eval()
        self._tokenizer = tokenizer
        self._head = head.eval()
        self.settings = settings
        self.budget = TokenBudget(settings.token_budget)

    @classmethod
    def begin(cls, settings: NeuralSettings) -> NeuralRanker:
        """A ranker that is not trained: the encoder as it was given, LoRA where it is asked for, and a new head.

        Raises:
            UsageError: the model is of a kind that is no ranker's base.
            AurifyError: the model cannot be loaded.
        """
        settings = replace(settings, model=absolute(settings.model))
        encoder, tokenizer = load_encoder(settings.model)
        settings = replace(settings, dtype=_settled(settings, encoder))
        with adapting(settings.seed, settings.model):
            if settings.lora_rank:
                from peft import LoraConfig, get_peft_model

                encoder.to(getattr(torch, settings.dtype))
                rank = settings.lora_rank
                encoder = get_peft_model(encoder, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear"))
                lighten(encoder)
            head = Head(encoder.config.hidden_size)
        return cls(encoder, tokenizer, head.to(encoder.device), settings)

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""
        parts = {"encoder": self.encoder, "head": self._head}
        return {
            f"{part}.{name}": parameter
            for part, module in parts.items()
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        }

    def accumulate(self, rows: Sequence[RankerRow], right: Sequence[bool]) -> float:
        """Add the gradient of some pairs' mean loss to ``grad``, in micro-batches of the token budget; the loss.

        Raises:
            AurifyError: the loss is not finite.
        """
        share = 1 / (len(rows) if self.settings.loss == "pointwise" else sum(right))
        encoded = [self._encode(*row) for row in rows]

        def work() -> float:
            total = 0.0
            for places in self._batches(encoded):
                right_B = torch.tensor([right[i] for i in places], device=self.encoder.device)
                logits_B = self._logits([encoded[i] for i in places])
                loss = share * losses(logits_B, right_B, self.settings.loss, self.settings.power).sum()
                if not torch.isfinite(loss):
                    raise AurifyError("the ranker's loss is not finite: lower --lr")
                torch.autograd.backward(loss)
                total += float(loss.detach())
            return total

        def undo() -> None:
            for parameter in self.trained.values():
                parameter.grad = None

        return self.budget.spend(work, undo)

    @torch.no_grad()
    def scores(self, pools: Sequence[CandidatePool], tell: Tell = silent) -> list[NDArray[np.float64]]:
        """The score of every candidate of every pool, in order; candidates of like length are scored together."""
        encoded = [self._encode(pool.question, candidate.text) for pool in pools for candidate in pool.candidates]
        scores = np.zeros(len(encoded))

        def work() -> None:
            done = 0
            for places in self._batches(encoded):
                logits_B = self._logits([encoded[i] for i in places])
                scores[places] = torch.sigmoid(logits_B).cpu().double().numpy()
                done += len(places)
                tell(done, len(encoded))

        self.budget.spend(work)
        return np.split(scores, np.cumsum([len(pool.candidates) for pool in pools])[:-1]) if pools else []

    def save(self, folder: Path) -> None:
        """Write encoder (or adapter), tokenizer and head into a folder."""
        from safetensors.torch import save_file

        self.encoder.save_pretrained(folder / ENCODER)
        order_adapters(folder / ENCODER)
        self._tokenizer.save_pretrained(folder / ENCODER)
        save_file(self._head.state_dict(), folder / HEAD)
        (folder / SETTINGS_FILE).write_text(json.dumps(asdict(self.settings), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> NeuralRanker:
        """Read what ``save`` wrote.

        Raises:
            AurifyError: a file is missing or damaged.
        """
        from safetensors.torch import load_file

        with reading(f"{folder}: cannot be loaded as a ranker"):
            settings = NeuralSettings(**json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8")))
            if settings.lora_rank:
                encoder, tokenizer = load_encoder(settings.model)
                encoder = pretrained_adapter(encoder.to(getattr(torch, settings.dtype)), str(folder / ENCODER))
                lighten(encoder)
            else:
                encoder, tokenizer = load_encoder(str(folder / ENCODER))
            head = Head(encoder.config.hidden_size)
            head.load_state_dict(load_file(folder / HEAD))
        return cls(encoder, tokenizer, head.to(encoder.device), settings)

    def _batches(self, encoded: Sequence[Encoded]) -> list[list[int]]:
        return padded_batches([len(ids) for ids, _ in encoded], self.budget.tokens)

    def _logits(self, encoded: Sequence[Encoded]) -> Tensor:
        """The log-odds of encoded rows [B]."""
        ids, spans = zip(*encoded, strict=True)
        width = max(map(len, ids))
        ids_BT = torch.tensor([row + [self._tokenizer.pad_token_id] * (width - len(row)) for row in ids])
        mask_BT = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
        pooled_BT = torch.tensor([[float(start <= t < end) for t in range(width)] for start, end in spans])
        device = self.encoder.device
        with products_in_bfloat16(self.encoder, self.settings.dtype == "bfloat16"):
            states_BTD = self.encoder(input_ids=ids_BT.to(device), attention_mask=mask_BT.to(device)).last_hidden_state
        states_BTD = states_BTD.float()
        pooled_BT = pooled_BT.to(device)
        pooled_BD = (states_BTD * pooled_BT[..., None]).sum(1) / pooled_BT.sum(1, keepdim=True)
        logits_B: Tensor = self._head(pooled_BD)
        return logits_B

    def _encode(self, question: str, text: str) -> Encoded:
        """Token ids, and where the rationale's begin and end; what is too long loses the question's beginning first."""
        limit = self.settings.max_tokens
        asked = list(self._tokenizer(question + "\n", add_special_tokens=False)["input_ids"])
        written = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])[-limit + 1 :]
        written = written or [self._tokenizer.pad_token_id]
        asked = asked[max(0, len(asked) + len(written) - limit) :]
        return asked + written, (len(asked), len(asked) + len(written))


def _settled(settings: NeuralSettings, encoder: nn.Module) -> str:
    """The dtype of the frozen weights: bfloat16 for large ones under LoRA where the device is fast in it.

    Raises:
        UsageError: bfloat16 for weights that are trained, whose small steps it would round away.
    """
    if not settings.lora_rank and settings.dtype == "bfloat16":
        raise UsageError("--dtype bfloat16 is for frozen weights: give --lora-rank, or leave it")
    if settings.dtype != "auto":
        return settings.dtype
    large = settings.lora_rank and sum(p.numel() for p in encoder.parameters()) >= FULL_TUNING_LIMIT
    return "bfloat16" if large and bfloat16_speedup() >= WORTH else "float32"


def load_encoder(name: str) -> tuple[Any, Any]:
    """The model without its language head, a LoRA adapter merged, and its tokenizer, with a pad token.

    Raises:
        UsageError: a NAT model, or a soft prompt.
        AurifyError: there is no such model, or its files cannot be read.
    """
    path = resolve_name(name)
    if is_nat(path):
        raise UsageError(
            f"--model {name}: a NAT model is no ranker's base: give the LoRA that aurify distill nce makes of it"
        )
    body, tokenizer = _merged(name) if (Path(path) / "adapter_config.json").is_file() else _body(name, path)
    return body.to(best_device()), tokenizer


def _merged(name: str) -> tuple[Any, Any]:
    """The body of an adapter's base, with the adapter merged into it."""
    loaded: Any = load_model(name)
    if loaded.model.active_peft_config.is_prompt_learning:
        raise UsageError(f"--model {name}: a soft prompt is no ranker's base: give a LoRA, or full weights")
    return loaded.model.merge_and_unload().base_model, loaded.tokenizer


def _body(name: str, path: str) -> tuple[Any, Any]:
    """An encoder, or the body of a causal model; safetensors only."""
    from transformers import AutoConfig, AutoModel, AutoModelForTextEncoding, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    with reading(f"--model {name}: cannot be loaded"):
        kind = AutoModelForTextEncoding if pretrained(AutoConfig, path).is_encoder_decoder else AutoModel
        model = pretrained_weights(kind, path, dtype=torch.float32)
        tokenizer = pretrained(AutoTokenizer, path)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer
