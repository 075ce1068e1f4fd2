"""Property tests judge what is returned and not how long a busy machine took."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("answers", deadline=None, max_examples=50)
settings.load_profile("answers")
