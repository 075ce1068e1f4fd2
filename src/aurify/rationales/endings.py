"""Why a text ended, in the words of servers and of files: OpenAI, vLLM, SGLang, Mistral, Anthropic, Gemini, Ollama."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CUT = frozenset(
    ("length", "max_tokens", "max_output_tokens", "max_length", "model_length", "model_context_window",
     "model_context_window_exceeded", "maxpredictedtokensreached", "contextlengthreached")
)  # fmt: skip
"""At a limit on tokens."""
FILTERED = frozenset(
    ("content_filter", "content_filtered", "safety", "recitation", "prohibited_content", "blocklist", "spii",
     "sensitive", "guardrail_intervened")
)  # fmt: skip
"""By a filter of the server."""
BROKEN = frozenset(
    ("error", "abort", "aborted", "cancelled", "canceled", "network_error", "insufficient_system_resource")
)
"""Because something failed at the server: what is there is no sample of the model."""


def ending(said: Any) -> str:
    """``length``, ``content_filter``, ``error`` or ``stop``; another word, such as ``tool_calls``, as it stands."""
    if isinstance(said, Mapping):  # SGLang's own: {"type": "length", "length": 256}
        said = said.get("type")
    if not isinstance(said, str) or not said:
        return "stop"
    word = said.lower()
    if word in CUT:
        return "length"
    if word.split(":")[0] in FILTERED:  # Gemini: "content_filter: PROHIBITED_CONTENT"
        return "content_filter"
    return "error" if word in BROKEN else said
