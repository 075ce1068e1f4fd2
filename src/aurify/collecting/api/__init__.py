"""Samples from an OpenAI-compatible API: paid for once, within a cap, and kept in a cache.

``Teacher`` asks; ``Api`` sends one request through the ``openai`` client; ``Cache`` keeps every sample that was paid
for; ``Caps`` holds back a request that could break a cap.
"""

from aurify.collecting.api.cache import Cache
from aurify.collecting.api.caps import CapReached, Caps
from aurify.collecting.api.client import Api
from aurify.collecting.api.prices import Price, price_of
from aurify.collecting.api.records import ApiRequest, Ask, Reply, Usage
from aurify.collecting.api.teacher import Answers, Teacher

__all__ = [
    "Answers",
    "Api",
    "ApiRequest",
    "Ask",
    "Cache",
    "CapReached",
    "Caps",
    "Price",
    "Reply",
    "Teacher",
    "Usage",
    "price_of",
]
