"""A model folder whose output weights are written out, though the model ties them to its input embeddings.

vLLM on a CPU packs the output weights into a copy, and when tied weights are reloaded that copy stays as it was
(0.32.0: "ParallelLMHead: Failed to load weights"). A server that is started from such a folder reloads them all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

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
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    for part in (config, config.get("text_config")):
        if isinstance(part, dict):
            part["tie_word_embeddings"] = False
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
