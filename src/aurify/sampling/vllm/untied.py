"""A model folder whose output weights are written out, though the model ties them to its input embeddings.

When tied weights are reloaded, vLLM 0.32.0 passes the output layer by ("ParallelLMHead: Failed to load weights"). On a
CPU, where that layer may hold a packed copy, one of two servers tried kept the old output weights (log-probabilities
0.13 nats a token off). A server that is started from such a folder reloads them all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from aurify.parsing import parse_json

CONFIG = "config.json"


def ties_output(model: Any) -> bool:
    """Whether the model's output weights are its input embeddings."""
    output = model.get_output_embeddings()
    return output is not None and output.weight is model.get_input_embeddings().weight


def save_untied(model: Any, folder: str | Path) -> None:
    """Write the model's folder, one file of weights and one of the output weights; only vLLM is to read it."""
    folder = Path(folder)
    model.save_pretrained(folder, max_shard_size="1000TB")  # an index would hide the second file
    output = model.get_output_embeddings()
    (name,) = [name for name, module in model.named_modules() if module is output]
    # A copy, since tensors that share memory are refused.
    save_file({f"{name}.weight": output.weight.detach().cpu().clone()}, folder / "output.safetensors")
    config = parse_json((folder / CONFIG).read_text(encoding="utf-8"))
    for part in (config, config.get("text_config")):
        if isinstance(part, dict):
            part["tie_word_embeddings"] = False
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
