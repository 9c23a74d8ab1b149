"""What the numbers of VICS categories mean: one table for each country, as data.

A number without its country means nothing: 0 is 'non-pertinent' in one and 'not looked at yet' in
the others, and what 1 and up stand for is not public everywhere. So the tables that come along hold
only what is public; a hotline that was told more gives its own file of the same shape.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from strandline.errors import FormatRefused

#: Categories of a country beyond which a table is taken for a mistake.
_HIGHEST = 999


@dataclass(frozen=True)
class CategoryTable:
    """The words for the numbers of one country."""

    #: As the envelope of a VICS 2.0 file says it: ``US``, ``UK``, ``CUSTOM`` or ``Default``.
    country: str
    words: Mapping[int, str] = field(default_factory=dict)

    def word(self, number: int) -> str:
        """What ``number`` stands for; its digits where the table does not say."""
        return self.words.get(number, str(number))

    def number(self, word: str) -> int | None:
        """The number that stands for ``word``, or that its digits are; None where there is none."""
        for number, said in self.words.items():
            if said.casefold() == word.casefold():
                return number
        if word.isascii() and word.isdigit() and len(word) <= 3:
            return int(word)
        return None


def read_tables(text: str) -> dict[str, CategoryTable]:
    """Tables from JSON: ``{"UK": {"1": "words", …}, …}``. Raises FormatRefused."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise FormatRefused("", "The table of categories is not JSON.") from None
    if not isinstance(given, dict):
        raise FormatRefused("", "The table of categories is not an object of countries.")
    return {country: _table(country, words) for country, words in given.items()}


def _table(country: str, given: object) -> CategoryTable:
    if not isinstance(given, dict):
        raise FormatRefused(country, "This country has no object of categories.")
    words: dict[int, str] = {}
    for number, word in given.items():
        if not (number.isascii() and number.isdigit() and int(number[:4]) <= _HIGHEST):
            raise FormatRefused(country, "A category is a number from 0 to 999.")
        if not isinstance(word, str) or not 0 < len(word) <= 100:
            raise FormatRefused(country, f"Category {number} needs 1 to 100 characters of text.")
        words[int(number)] = word
    if len({word.casefold() for word in words.values()}) < len(words):
        raise FormatRefused(country, "Two categories have the same words; none could be written.")
    return CategoryTable(country, words)


@cache
def public_tables() -> Mapping[str, CategoryTable]:
    """The tables that come along, by country."""
    data = resources.files("strandline.formats").joinpath("vics_categories.json")
    return read_tables(data.read_text(encoding="utf-8"))
