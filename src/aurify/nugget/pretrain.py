"""Pretrain the nugget from scratch: corpus, tokenizer and weights into one Hugging Face folder.

    ascend  sum over documents of log p(continuation, end of text | prompt)

with Muon on the matrices and AdamW on the embeddings and norms, a linear warm-up and a linear decay. Batches hold
documents of about one length, right-padded, so that plain causal attention needs no mask. The writers of the
first steps are mostly careful; the mixture by difficulty comes later (see ``corpus.CAREFUL``).

The embedded weights are what ``python -m aurify.nugget --out DIR`` made of this recipe in one sitting, with one
thread: 72 minutes. Other machines and numbers of threads round otherwise, so the bytes differ there.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from aurify.nugget import tokenizer as nugget_tokenizer
from aurify.nugget.corpus import document
from aurify.nugget.muon import Muon
from aurify.nugget.recipe import Recipe
from aurify.seeds import stable_seed

SAVED_EVERY = 250


def new_model(recipe: Recipe, vocabulary: int) -> LlamaForCausalLM:
    """A new model, its weights drawn from the recipe's seed."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.width,
        intermediate_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config)


def _blocks(recipe: Recipe, tokenizer: Tokenizer) -> Iterator[tuple[Tensor, Tensor]]:
    """(tokens [D, T], the weight of each in the loss [D, T]) for each step, without end."""
    index, step, size = 0, 0, recipe.block
    while True:
        fraction = step / recipe.steps
        early = 1.0 if fraction < recipe.early else 0.0
        opening = 1.0 if fraction < recipe.early else recipe.opening
        easy = 0.6 if fraction < 0.2 else 0.4
        drills = 0.7 if fraction < recipe.drills else 0.05 if fraction < recipe.early else 0.0
        documents = [document(recipe.seed, i, early, easy, drills) for i in range(index, index + size)]
        index += size
        prompts = tokenizer.encode_batch([d.prompt for d in documents])
        continuations = tokenizer.encode_batch([d.continuation for d in documents])
        rows = [(p.ids, [*c.ids, 1]) for p, c in zip(prompts, continuations, strict=True)]
        rows.sort(key=lambda row: len(row[0]) + len(row[1]))
        batches: list[list[tuple[list[int], list[int]]]] = [[]]
        for row in rows:
            if (len(batches[-1]) + 1) * _rounded(row) > recipe.tokens:
                batches.append([])
            batches[-1].append(row)
        random.Random(stable_seed("nugget-batches", recipe.seed, index)).shuffle(batches)
        for batch in batches:
            longest = max(_rounded(row) for row in batch)
            ids_DT = torch.zeros(len(batch), longest, dtype=torch.long)
            weights_DT = torch.zeros(len(batch), longest)
            for d, (p, c) in enumerate(batch):
                ids_DT[d, : len(p) + len(c)] = torch.tensor(p + c)
                weights_DT[d, len(p) : len(p) + len(c)] = 1.0
                weights_DT[d, len(p)] = opening
            step += 1
            yield ids_DT, weights_DT


def _rounded(row: tuple[list[int], list[int]]) -> int:
    return -(-(len(row[0]) + len(row[1])) // 8) * 8


def loss_of(model: LlamaForCausalLM, ids_DT: Tensor, weights_DT: Tensor) -> Tensor:
    """Weighted mean negative log-probability of the tokens of some weight."""
    states_DTC = model.model(input_ids=ids_DT, use_cache=False).last_hidden_state
    scored_DT = weights_DT[:, 1:] > 0
    logits_NV = model.lm_head(states_DTC[:, :-1][scored_DT])
    losses_N = torch.nn.functional.cross_entropy(logits_NV, ids_DT[:, 1:][scored_DT], reduction="none")
    weights_N = weights_DT[:, 1:][scored_DT]
    return (losses_N * weights_N).sum() / weights_N.sum()


def optimizers(model: LlamaForCausalLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for the rest."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n and "lm_head" not in n]
    inside = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in inside]
    return [
        Muon(matrices, lr=recipe.muon_lr, momentum=0.95, weight_decay=0.01),
        torch.optim.AdamW(others, lr=recipe.adam_lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def rate(recipe: Recipe, step: int) -> float:
    """The factor on the learning rates at a step."""
    falling = (recipe.steps - step) / max(1.0, recipe.steps * recipe.decay)
    return min(1.0, (step + 1) / recipe.warmup, falling)


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, recipe: Recipe, folder: Path) -> None:
    """Write a folder beside the target, then rename it into place."""
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    model.save_pretrained(str(fresh))
    nugget_tokenizer.save_tokenizer(tokenizer, fresh)
    for file in fresh.iterdir():
        file.chmod(0o644)
    (fresh / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n")
    if folder.exists():
        old = folder.with_name(f".{folder.name}.old.{os.getpid()}")
        folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old)
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh.rename(folder)


def pretrain(out: Path, recipe: Recipe) -> None:
    """Build the folder ``out``; a folder ``out``-latest holds the model as it is every ``SAVED_EVERY`` steps."""
    texts = (d.prompt + d.continuation for d in (document(recipe.seed + 1, i) for i in range(recipe.texts)))
    tokenizer = nugget_tokenizer.train_tokenizer(texts)
    model = new_model(recipe, tokenizer.get_vocab_size())
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters} parameters, {tokenizer.get_vocab_size()} tokens", flush=True)
    opts = optimizers(model, recipe)
    base = [group["lr"] for opt in opts for group in opt.param_groups]
    began, seen, total = time.time(), 0, 0.0
    for step, (ids_DT, weights_DT) in enumerate(_blocks(recipe, tokenizer)):
        if step == recipe.steps:
            break
        for group, lr in zip([g for opt in opts for g in opt.param_groups], base, strict=True):
            group["lr"] = lr * rate(recipe, step)
        loss = loss_of(model, ids_DT, weights_DT)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        seen += ids_DT.numel()
        total += float(loss.detach())
        if (step + 1) % 100 == 0:
            elapsed = time.time() - began
            print(
                f"step {step + 1} loss {total / 100:.4f} tokens {seen} rate {seen / elapsed:.0f}/s {elapsed:.0f}s",
                flush=True,
            )
            total = 0.0
        if (step + 1) % SAVED_EVERY == 0:
            save(model, tokenizer, recipe, out.with_name(out.name + "-latest"))
    save(model, tokenizer, recipe, out)
