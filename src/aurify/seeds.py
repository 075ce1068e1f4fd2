"""Seeds that depend on what is drawn and on nothing else.

A sample's seed is a stable hash of (run seed, question id, step, sample index), so it does not depend on
batch order, micro-batch size, world size, or on a crash and resume.
"""

from __future__ import annotations

import hashlib


def stable_seed(*parts: str | int) -> int:
    """A 63-bit seed from the parts, the same on every machine and in every process.

    Every part is hashed with its type and length, so ("a", "bc") and ("ab", "c") differ, as do 1 and "1".
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        encoded = str(part).encode("utf-8", "surrogatepass")
        kind = b"i" if isinstance(part, int) else b"s"
        digest.update(kind + len(encoded).to_bytes(4, "big") + encoded)
    return int.from_bytes(digest.digest(), "big") >> 1
