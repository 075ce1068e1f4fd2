"""Units of measure: which words and signs stand for one, and how the same one is written.

A unit decides nothing where only one of two answers names it (``12 cm`` against ``12``). Where both do, ``10 cm``,
``10 m`` and ``10 cm^2`` are three different answers. Words that are no units of measure (``12 apples``) are not
compared, as no program knows that pupils are children.
"""

from __future__ import annotations

import re

_NAMES = {
    "mm": "millimeter millimetre",
    "cm": "centimeter centimetre",
    "dm": "decimeter decimetre",
    "m": "meter metre",
    "km": "kilometer kilometre",
    "in": "inch inches",
    "ft": "foot feet",
    "yd": "yard yds",
    "mi": "mile",
    "mg": "milligram",
    "g": "gram gm gms",
    "kg": "kilogram kilo kgs",
    "lb": "lbs",
    "oz": "ounce",
    "ton": "tonne",
    "ml": "milliliter millilitre mL",
    "L": "liter litre l",
    "gal": "gallon",
    "qt": "quart",
    "pt": "pint",
    "cup": "",
    "s": "second sec secs",
    "min": "minute mins",
    "h": "hour hr hrs",
    "day": "",
    "week": "wk wks",
    "month": "",
    "year": "yr yrs",
    "mph": "",
    "kmh": "km/h kph kmph",
    "deg": "degree ° ^\\circ",
    "degC": "",
    "degF": "",
    "rad": "radian",
    "$": "dollar dollars usd US$",
    "€": "euro eur",
    "£": "gbp",
    "¥": "yen",
    "₹": "rupee rs rs. inr",
    "cent": "¢",
    "N": "newton",
    "J": "joule",
    "W": "watt",
    "V": "volt",
    "Hz": "hertz",
    "kelvin": "",
    "Pa": "pascal",
    "mol": "mole",
}
_UNIT_OF: dict[str, str] = {}
for _unit, _words in _NAMES.items():
    for _word in (_unit, *_words.split()):
        for _form in (_word, _word.lower()) if len(_word) > 2 else (_word,):
            _UNIT_OF.setdefault(_form, _unit)
            if len(_form) > 2 and _form[-1].isalpha():
                _UNIT_OF.setdefault(_form + "s", _unit)
_POWERS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3, "²": 2, "³": 3}
_SCALES_OF_HEAT = {"c": "C", "celsius": "C", "centigrade": "C", "f": "F", "fahrenheit": "F"}
CURRENCIES = frozenset("$€£¥₹")
_PART = re.compile(r"[A-Za-z]+\$?|[$€£¥₹¢°]|\^\\circ|[²³]|\^\{?\s?(-?\d)\s?\}?|/|\S")
_UNITLESS = frozenset(("unit", "units"))


def unit_of(words: str) -> str | None:
    """The one way to write the unit that the words name: ``cm^2``, ``mi/h``, ``$``; None: they name none.

    Words that follow a unit after a space are no part of it (``5 dollars more``, ``3 hours of work``).
    """
    power, found = 1, ""
    above: str | None = None  # what stands before "per" or "/"
    for part in _PART.finditer(words.strip()[:60]):
        token = part[0]
        plain = token.lower()
        if plain in _POWERS and (not found or len(plain) > 2 or plain in "²³"):
            power = _POWERS[plain]
            if found and (above is None or not found.endswith("/")):
                found, power = f"{found}^{power}", 1
        elif part[1]:
            found = f"{found}^{part[1]}" if found and part[1] != "1" and not found.endswith("/") else found
        elif found == "deg" and plain in _SCALES_OF_HEAT:
            found = f"deg{_SCALES_OF_HEAT[plain]}"
        elif token == "/" or (plain in ("per", "an") and found):
            if found and above is None:
                above, found = found, found + "/"
        elif token == ".":
            continue
        else:
            unit = _UNIT_OF.get(token) or (_UNIT_OF.get(plain) if len(token) > 2 else None)
            if plain in _UNITLESS and not found:
                unit = "unit"
            rest = words.strip()[part.end() : 60].strip(" .")
            open_end = not found or found.endswith("/")
            if unit is None or not open_end or (token == "in" and rest[:1].isalpha()):  # "5 in all"
                break
            found, power = found + (f"{unit}^{power}" if power > 1 else unit), 1
    if above is not None and found.endswith("/"):
        found = above
    found = {"mi/h": "mph", "km/h": "kmh"}.get(found, found)
    return None if found in ("", "unit") else found


def is_unit(word: str) -> bool:
    """Whether one word or sign names a unit."""
    return word in _UNIT_OF or (len(word) > 2 and word.lower() in _UNIT_OF)


def units_differ(a: str | None, b: str | None) -> bool:
    """Whether both are named and are not the same; ``$`` and ``$/h`` are, as the question says for how long,
    and degrees may be of either scale."""
    if a is None or b is None or a == b:
        return False
    heat = {a, b} in ({"deg", "degC"}, {"deg", "degF"})
    return not (heat or (a[0] == b[0] and a[0] in CURRENCIES))
