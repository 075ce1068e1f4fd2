"""The generic nouns, names and adjectives that the questions are made of."""

from __future__ import annotations


def _each(words: str) -> list[str]:
    return words.split()


FRUITS = "apple banana blackberry grape nectarine orange peach plum raspberry strawberry"
VEGETABLES = "cabbage carrot cauliflower garlic onion potato yam"
INSTRUMENTS = "accordion clarinet drum flute piano trombone trumpet violin"
ANIMALS = "bear cat chicken cow dog donkey duck fish frog goat mouse pig rabbit snail snake"
OBJECTS = "bed car chair couch fridge lamp microwave oven stove table toaster"

_PLURALS = {"mouse": "mice", "fish": "fish", "couch": "couches", "peach": "peaches", "potato": "potatoes"}


def plural(noun: str) -> str:
    """The plural of one of our nouns."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    return noun[:-1] + "ies" if noun.endswith("rry") else noun + "s"


def _forms(nouns: str) -> list[tuple[str, str]]:
    return [(("an " if n[0] in "aeiou" else "a ") + n, plural(n)) for n in nouns.split()]


KINDS: dict[str, list[tuple[str, str]]] = {
    "fruits": _forms(FRUITS),
    "vegetables": [
        *_forms(VEGETABLES),
        ("a lettuce head", "lettuce heads"),
        ("a head of broccoli", "heads of broccoli"),
        ("a stalk of celery", "stalks of celery"),
    ],
    "musical instruments": _forms(INSTRUMENTS),
    "animals": _forms(ANIMALS),
    "objects": _forms(OBJECTS),
}
"""Kind -> (one, several): ``("a plum", "plums")``. Everything is an object."""

NUMBER_WORDS = ["zero", "one", "two", "three", "four", "five", "six"]

NAMES = _each(
    "Alejandro Alexis Amberly Andree Antwan Audrie Bernita Christie Conception Crista Dallas Delbert Delfina "
    "Elanor Fidel Fletcher Gwenn Helene Inga Jamey Jaymie Jerry Jim Ka Kandi Kristian Leda Lorine Maybelle "
    "Michael Michaela Millicent Millie Osvaldo Phoebe Rashida Raymond Ryan Sal Shalonda Shaunda Shenna Sherrie "
    "Sima Tamika Teressa Vernell Vina Willian Yoland Ana Ben Cara Dora Emil Greta Hugo Ida"
)

ADJECTIVES: list[list[str]] = [
    group.split()
    for group in (
        "awful good lovely mysterious nice obnoxious repulsive ridiculous silly terrible wonderful",
        "big enormous huge large little massive medium-size midsize normal-size small tiny",
        "ancient archaic brand-new new old old-fashioned",
        "circular prismlike pyramidal rectangular spherical square triangular",
        "black blue brown gray green grey orange pink purple red tan white yellow crimson ivory cyan teal",
        "American Bangladeshi Brazilian Chinese Congolese Egyptian Ethiopian Filipino German Indian Indonesian Iranian "
        "Japanese Mexican Nigerian Pakistani Russian Thai Turkish Vietnamese",
        "cardboard cloth fiberglass glass gold iron lead leather paper plastic rubber silver steel wood wool",
        "drinking driving eating exercise hiking smoking snorkeling typing walking whittling",
    )
]
"""Opinion, size, age, shape, colour, origin, material, purpose: the order in English."""

THINGS = _each(
    "ball box baby car cat chair computer dog knife match monkey motorcycle ship shoe sock surfboard sweater"
)
