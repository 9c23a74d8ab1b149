"""Who vouches for an entry: this hotline's own assessments, an import, a member.

A room that lists entries of others registers a provider in its ``AppConfig.ready``. A source is a
short name that pages show and the audit chain keeps: ``hotline``, ``import:12``, ``member:3``.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

#: Entries that came from assessments made here.
OWN = "hotline"


class Provider(Protocol):
    """Tells the sources of entries, both ways. Asked with thousands of numbers at once."""

    def sources_of(self, numbers: Iterable[int]) -> Mapping[int, frozenset[str]]:
        """The sources that vouch for each entry; entries it knows nothing of are left out."""
        ...

    def entries_of(self, source: str) -> Iterable[int] | None:
        """Numbers of the entries that ``source`` vouches for; none when it is not its source."""
        ...


PROVIDERS: list[Provider] = []


def sources_of(numbers: Iterable[int]) -> dict[int, frozenset[str]]:
    """The sources of each entry: ``hotline`` where no provider names any."""
    wanted = list(numbers)
    told = [provider.sources_of(wanted) for provider in PROVIDERS]
    return {
        number: frozenset().union(*(each.get(number, frozenset()) for each in told))
        or frozenset({OWN})
        for number in wanted
    }
