"""Characters that mean the same as others: signs, spaces, fractions, raised and lowered digits. One pass, linear."""

from __future__ import annotations

import unicodedata

_MINUS = "−–\u2010\u2011\u2012\ufe63\uff0d"
_SPACES = "\u00a0\u202f\u2009\u2007\u2002\u2003\u2004\u2005\u2006\u2008\u200a\u205f\u3000"
_NOTHING = "\u200b\u200c\u200d\u2060\ufeff\u2061\u2062\u2063\u200e\u200f"
RAISED = {c: str(i) for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {"⁺": "+", "⁻": "-", "ⁿ": "n", "ⁱ": "i", "⁽": "(", "⁾": ")"}
LOWERED = {c: str(i) for i, c in enumerate("₀₁₂₃₄₅₆₇₈₉")} | {"ₙ": "n", "ᵢ": "i", "ₖ": "k", "ₐ": "a", "ₓ": "x", "ₘ": "m"}
_PLAIN = (
    {ord(c): "-" for c in _MINUS} | {ord(c): " " for c in _SPACES} | {ord(c): None for c in _NOTHING}
    | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if code != 0xFF0D}
    | {ord("\u2044"): "/", ord("\u2215"): "/", ord("∕"): "/", ord("∗"): "*", ord("’"): "'", ord("′"): "'",
       ord("。"): ".", ord("º"): "°", ord("˚"): "°"}
)  # fmt: skip


def plain_signs(text: str, fraction: str = " {}/{} ") -> str:
    """Minus signs, spaces, full-width characters and digits of any script in their ASCII form; ``½`` as a fraction."""
    if text.isascii():
        return text
    return "".join(_plain(c, fraction) for c in text.translate(_PLAIN))


def _plain(c: str, fraction: str) -> str:
    if c.isascii():
        return c
    if c.isdecimal():
        return str(unicodedata.decimal(c))
    if c not in RAISED and c not in LOWERED and unicodedata.decomposition(c).startswith("<fraction>"):
        over, _, under = unicodedata.normalize("NFKC", c).partition("\u2044")
        return fraction.format(over, under) if under else c
    return c


def scripts(text: str, digits: dict[str, str], mark: str) -> str:
    """Runs of raised (or lowered) characters as ``mark{...}``: ``x²³`` becomes ``x^{23}``.

    A raised sign alone is a sign, and a run without anything before it is no script: ``⁻³`` is -3.
    """
    if text.isascii():
        return text
    out: list[str] = []
    run: list[str] = []
    for c in [*text, ""]:
        if c in digits:
            run.append(digits[c])
            continue
        if run:
            script = "".join(run)
            bare = script in ("+", "-") or (script[0] in "+-" and not "".join(out[-2:]).strip())
            out.append(script if bare else f"{mark}{{{script}}}")
            run = []
        out.append(c)
    return "".join(out)
