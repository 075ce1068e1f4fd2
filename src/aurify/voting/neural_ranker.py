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
from aurify.models.load import load_model, resolve_name
from aurify.models.lora import order_adapters
from aurify.models.nat.storage import is_nat
from aurify.models.untrusted import pretrained, pretrained_adapter, pretrained_weights, reading
from aurify.voting.pool import Candidate, CandidatePool

Loss = Literal["pair", "pointwise"]
HEAD, ENCODER, FACTS = "head.safetensors", "encoder", "neural.json"


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


def pair_loss(right_B: Tensor, wrong_B: Tensor, power: float) -> Tensor:
    """The mean of (1 - s+)^p + (s-)^p over pairs of one question, of the log-odds of both [B]."""
    return (torch.sigmoid(-right_B) ** power + torch.sigmoid(wrong_B) ** power).mean()


def pointwise_loss(logits_B: Tensor, right_B: Tensor) -> Tensor:
    """The mean log loss."""
    return nn.functional.binary_cross_entropy_with_logits(logits_B, right_B.to(logits_B.dtype))


class NeuralRanker:
    """A trained neural ranker; it looks at every candidate by itself."""

    alone = True

    def __init__(self, encoder: Any, tokenizer: Any, head: Head, settings: NeuralSettings) -> None:
        self.encoder = encoder.eval()
        self._tokenizer = tokenizer
        self._head = head.eval()
        self.settings = settings

    @classmethod
    def train(
        cls, pools: Sequence[CandidatePool], settings: NeuralSettings, say: Callable[[str], None] = lambda text: None
    ) -> NeuralRanker:
        """Train on questions that have both right and wrong candidates: one of each a question and epoch, at random.

        AdamW (weight decay 1e-5), cosine over the steps to 0.02 of the rate. The pointwise loss sees the same pairs.

        Raises:
            UsageError: the model is of a kind that is no ranker's base.
            AurifyError: no question has both, the model cannot be loaded, or the loss is not finite.
        """
        pairs = [pool for pool in pools if _of(pool, True) and _of(pool, False)]
        if not pairs:
            raise AurifyError("a ranker needs questions that have both a right and a wrong rationale: there is none")
        torch.manual_seed(settings.seed)
        settings = replace(settings, model=_absolute(settings.model))
        encoder, tokenizer = load_encoder(settings.model)
        if settings.lora_rank:
            from peft import LoraConfig, get_peft_model

            config = LoraConfig(r=settings.lora_rank, lora_alpha=2 * settings.lora_rank, target_modules="all-linear")
            encoder = get_peft_model(encoder, config)
        ranker = cls(encoder, tokenizer, Head(encoder.config.hidden_size).to(encoder.device), settings)
        trained = [p for p in [*encoder.parameters(), *ranker._head.parameters()] if p.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=1e-5)
        steps = settings.epochs * -(-len(pairs) // settings.questions)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, 0.02 * settings.learning_rate)
        random = np.random.default_rng(settings.seed)
        for epoch in range(settings.epochs):
            total = 0.0
            order = random.permutation(len(pairs))
            for start in range(0, len(order), settings.questions):
                chosen = [pairs[i] for i in order[start : start + settings.questions]]
                rights = [_pick(_of(pool, True), random) for pool in chosen]
                wrongs = [_pick(_of(pool, False), random) for pool in chosen]
                rows = [
                    (pool.question, c.text)
                    for picked in (rights, wrongs)
                    for pool, c in zip(chosen, picked, strict=True)
                ]
                logits_B = ranker._logits(rows)
                right_B, wrong_B = logits_B.chunk(2)
                if settings.loss == "pair":
                    loss = pair_loss(right_B, wrong_B, settings.power)
                else:
                    loss = pointwise_loss(logits_B, torch.arange(len(rows), device=logits_B.device) < len(chosen))
                if not torch.isfinite(loss):
                    raise AurifyError("the ranker's loss is not finite: lower --lr")
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(trained, 1.0)
                optimiser.step()
                schedule.step()
                total += float(loss.detach()) * len(chosen)
            say(f"epoch {epoch + 1} of {settings.epochs}: loss {total / len(pairs):.4f} over {len(pairs)} questions")
        return ranker

    @torch.no_grad()
    def scores(self, pools: Sequence[CandidatePool], batch: int = 16) -> list[NDArray[np.float64]]:
        """The score of every candidate of every pool, in order; candidates of like length are scored together."""
        rows = [(pool.question, candidate.text) for pool in pools for candidate in pool.candidates]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + len(rows[i][1]))
        scores = np.zeros(len(rows))
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            scores[places] = torch.sigmoid(self._logits([rows[i] for i in places])).double().cpu().numpy()
        return np.split(scores, np.cumsum([len(pool.candidates) for pool in pools])[:-1]) if pools else []

    def save(self, folder: Path) -> None:
        """Write encoder (or adapter), tokenizer and head into a folder."""
        from safetensors.torch import save_file

        self.encoder.save_pretrained(folder / ENCODER)
        order_adapters(folder / ENCODER)
        self._tokenizer.save_pretrained(folder / ENCODER)
        save_file(self._head.state_dict(), folder / HEAD)
        (folder / FACTS).write_text(json.dumps(asdict(self.settings), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> NeuralRanker:
        """Read what ``save`` wrote.

        Raises:
            AurifyError: a file is missing or damaged.
        """
        from safetensors.torch import load_file

        with reading(f"{folder}: cannot be loaded as a ranker"):
            settings = NeuralSettings(**json.loads((folder / FACTS).read_text(encoding="utf-8")))
            if settings.lora_rank:
                encoder, tokenizer = load_encoder(settings.model)
                encoder = pretrained_adapter(encoder, str(folder / ENCODER))
            else:
                encoder, tokenizer = load_encoder(str(folder / ENCODER))
            head = Head(encoder.config.hidden_size)
            head.load_state_dict(load_file(folder / HEAD))
        return cls(encoder, tokenizer, head.to(encoder.device), settings)

    def _logits(self, rows: Sequence[tuple[str, str]]) -> Tensor:
        """The log-odds of (question, rationale) rows [B]."""
        ids, spans = zip(*(self._encode(question, text) for question, text in rows), strict=True)
        width = max(map(len, ids))
        ids_BT = torch.tensor([row + [self._tokenizer.pad_token_id] * (width - len(row)) for row in ids])
        mask_BT = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
        pooled_BT = torch.tensor([[float(start <= t < end) for t in range(width)] for start, end in spans])
        device = self.encoder.device
        states_BTD = self.encoder(
            input_ids=ids_BT.to(device), attention_mask=mask_BT.to(device)
        ).last_hidden_state.float()
        pooled_BT = pooled_BT.to(device)
        pooled_BD = (states_BTD * pooled_BT[..., None]).sum(1) / pooled_BT.sum(1, keepdim=True)
        logits_B: Tensor = self._head(pooled_BD)
        return logits_B

    def _encode(self, question: str, text: str) -> tuple[list[int], tuple[int, int]]:
        """Token ids, and where the rationale's begin and end; what is too long loses the question's beginning first."""
        limit = self.settings.max_tokens
        asked = list(self._tokenizer(question + "\n", add_special_tokens=False)["input_ids"])
        written = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])[-limit + 1 :]
        written = written or [self._tokenizer.pad_token_id]
        asked = asked[max(0, len(asked) + len(written) - limit) :]
        return asked + written, (len(asked), len(asked) + len(written))


def _of(pool: CandidatePool, right: bool) -> list[Candidate]:
    return [candidate for candidate in pool.candidates if candidate.right is right]


def _pick(candidates: Sequence[Candidate], random: np.random.Generator) -> Candidate:
    return candidates[int(random.integers(len(candidates)))]


def _absolute(name: str) -> str:
    """A folder's name from the root on, so that it is found from anywhere; "nugget" or a hub name as it is."""
    return str(Path(name).resolve()) if resolve_name(name) == name and Path(name).exists() else name


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
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return body.to(device or "cpu"), tokenizer


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
