"""Our list for users of the ``threatexchange`` package, Hasher-Matcher-Actioner and Coop.

They subscribe with what they have::

    strandline list init /var/lib/strandline --url … --fingerprint …
    threatexchange config extensions add strandline.threatexchange_extension
    threatexchange config collab edit strandline --create hotline --directory /var/lib/strandline
    threatexchange fetch

Each fetch first syncs the member's folder, with every check that ``strandline list sync`` makes:
what is unsigned, unlogged, stale or vouched for by one party alone never arrives. It may touch
``strandline.lists``. Nothing here unpickles; that package keeps what was fetched in its own files.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from threatexchange.exchanges.collab_config import CollaborationConfigWithDefaults
from threatexchange.exchanges.fetch_state import (
    FetchCheckpointBase,
    FetchDelta,
    FetchedSignalMetadata,
    SignalOpinion,
    SignalOpinionCategory,
)
from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPI
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.signal_base import SignalType

from strandline import lists
from strandline.hashing import MIN_QUALITY
from strandline.lists.member.holdings import Holdings
from strandline.lists.member.layout import Layout
from strandline.lists.published.events import Kind
from strandline.lists.state import Held, State, Step

#: Environment variable that holds the member's key.
API_KEY = "STRANDLINE_API_KEY"
#: Entries of one piece of a fetch.
_AT_ONCE = 20_000


def _pdq(held: Held) -> str | None:
    prints = held.fingerprints
    return prints.pdq if prints and prints.quality >= MIN_QUALITY else None


def _of_films(name: str) -> Callable[[Held], str | None]:
    def value(held: Held) -> str | None:
        if held.kind is not Kind.VIDEO or held.fingerprints is None:
            return None
        return getattr(held.fingerprints, name, None)

    return value


#: What of an entry is a signal, by the name of the peer's signal type.
_SIGNALS: Mapping[str, Callable[[Held], str | None]] = {
    "pdq": _pdq,
    "video_md5": _of_films("md5"),
    "video_sha256": _of_films("sha256"),
}


@dataclass
class StrandlineConfig(CollaborationConfigWithDefaults):  # type: ignore[misc]
    """Where the member's folder is."""

    directory: str = field(
        default="",
        metadata={"help": "the folder that 'strandline list init' made", "metavar": "DIR"},
    )


@dataclass
class StrandlineCheckpoint(FetchCheckpointBase):  # type: ignore[misc]
    """The last edition that was handed over whole; 0 before the first."""

    edition: int
    #: When it was published, in seconds since 1970.
    published: int

    def get_progress_timestamp(self) -> int:
        """When the edition was published."""
        return self.published


@dataclass
class StrandlineEntry(FetchedSignalMetadata):  # type: ignore[misc]
    """One entry: its signals by the name of their type, and what members are told of it."""

    name: str
    signals: dict[str, str]
    category: str
    tags: tuple[str, ...]

    def get_as_opinions(self) -> list[SignalOpinion]:
        """Confirmed by people, in more than one jurisdiction."""
        tags = {self.name, f"category-{self.category}", *self.tags}
        return [
            SignalOpinion(is_mine=False, category=SignalOpinionCategory.POSITIVE_CLASS, tags=tags)
        ]


class StrandlineExchange(SignalExchangeAPI):  # type: ignore[misc]
    """Fetches from a member's verified copy of a published list."""

    def __init__(self, directory: Path, api_key: str | None = None) -> None:
        self._directory = directory
        self._api_key = api_key

    @classmethod
    def get_name(cls) -> str:
        """What ``threatexchange config collab edit`` is told."""
        return "strandline"

    @staticmethod
    def get_config_cls() -> type[StrandlineConfig]:
        """See the base class, as for the next two."""
        return StrandlineConfig

    @staticmethod
    def get_checkpoint_cls() -> type[StrandlineCheckpoint]:
        """Of one event."""
        return StrandlineCheckpoint

    @staticmethod
    def get_record_cls() -> type[StrandlineEntry]:
        """Of one entry."""
        return StrandlineEntry

    @classmethod
    def for_collab(cls, collab: StrandlineConfig) -> "StrandlineExchange":
        """Take the member's key from the environment."""
        if not collab.directory:
            raise ValueError("No folder is given: make one with 'strandline list init'.")
        return cls(Path(collab.directory), os.environ.get(API_KEY) or None)

    def fetch_iter(
        self,
        supported_signal_types: Sequence[type[SignalType]],  # noqa: ARG002 - see below
        checkpoint: StrandlineCheckpoint | None,
    ) -> Iterator[FetchDelta]:
        """Sync, then hand over what changed since ``checkpoint``, a piece at a time.

        Every kind of signal is handed over, whatever is matched today: a kind that is switched on
        later would otherwise miss everything before. Raises ListRefused when the newest edition may
        not be used; what was fetched before stays in use.
        """
        try:
            synced = lists.sync(self._directory, api_key=self._api_key)
        except lists.ListRefused as refused:
            # The command says only that it failed.
            print(refused.message, file=sys.stderr)
            raise
        layout = Layout(self._directory)
        holdings = Holdings.open(layout, synced.manifest.edition)
        published = int(synced.manifest.published.timestamp())
        seen = checkpoint.edition if checkpoint else 0
        if seen == synced.manifest.edition:
            return
        updates = _changed(State.open(layout.store), holdings.steps(), seen)
        while piece := dict(islice(updates, _AT_ONCE)):
            # Whoever stops half-way asks for all of it again: nothing was skipped.
            yield FetchDelta(piece, StrandlineCheckpoint(seen, published))
        yield FetchDelta({}, StrandlineCheckpoint(synced.manifest.edition, published))

    @classmethod
    def naive_convert_to_signal_type(
        cls,
        signal_types: Sequence[type[SignalType]],
        collab: StrandlineConfig,  # noqa: ARG003 - the interface's
        fetched: Mapping[int, StrandlineEntry],
    ) -> dict[type[SignalType], dict[str, StrandlineEntry]]:
        """Sort entries by signal; one that several entries share has the tags of the last."""
        made: dict[type[SignalType], dict[str, Any]] = {}
        for kind in signal_types:
            name = kind.get_name()
            found = {
                entry.signals[name]: entry for entry in fetched.values() if name in entry.signals
            }
            if found:
                made[kind] = found
        return made


def _changed(
    state: State, steps: Sequence[Step], seen: int
) -> Iterator[tuple[int, StrandlineEntry | None]]:
    """Entries as they are now that changed after edition ``seen``; None: not to be matched."""
    if all(step.edition <= seen for step in steps if step.snapshot):
        numbers = {
            int(number)
            for step in steps
            if step.edition > seen and not step.snapshot
            for block in step.blocks
            for number in block.number
        }
        yield from ((number, _now(state.entry(number))) for number in sorted(numbers))
        return
    # What happened before a newer snapshot is not told any more: everything, then.
    last = 0
    for held in state.entries():
        yield from ((number, None) for number in range(last + 1, held.number))
        last = held.number
        yield last, _now(held)
    # Each entry was added by an event of its own: there are no higher numbers than events.
    yield from ((number, None) for number in range(last + 1, state.sequence + 1))


def _now(held: Held | None) -> StrandlineEntry | None:
    return None if held is None or held.quarantined else _entry(held)


def _entry(held: Held) -> StrandlineEntry:
    signals = {name: found for name, value in _SIGNALS.items() if (found := value(held))}
    where = held.entry_class
    return StrandlineEntry(held.name, signals, where.category, (where.provenance, *where.labels))


TX_MANIFEST = ThreatExchangeExtensionManifest(apis=(StrandlineExchange,))
