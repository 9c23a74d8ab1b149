"""Histories of small lists, drawn by chance, and what they come to, one entry at a time."""

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Action, EntryClass
from strandline.lists.published.editions import Counts, EditionPlan, write_edition
from strandline.lists.published.events import MOST, Entry, Event, Fingerprints, Frame, Kind
from strandline.lists.published.manifests import ClassState, Manifest

CAMERA = EntryClass("C", "camera", "gb")
DRAWN = EntryClass("B", "drawn", "de", labels=("baseline", "series"))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORIGIN = "hotline.example"
SALT_KEY = bytes(range(32))
#: Two manifests, as if of a list with these classes.
FIRST = Manifest(
    "hotline.example", 1, START, 3, 0, 0, 1, 0, None, ("media-1+pdq-1",),
    ((CAMERA, ClassState(3, 1, 4, "ab" * 32)),),
)  # fmt: skip
SECOND = Manifest(
    "hotline.example", 2, START + timedelta(hours=1), 2, 1, 1, 0, 0, FIRST.digest(),
    ("media-1+pdq-1", "media-2+pdq-1"),
    (
        (CAMERA, ClassState(3, 0, 7, "cd" * 32)),
        (DRAWN, ClassState(1, 0, 8, "ef" * 32)),
    ),
)  # fmt: skip


def fingerprints(seed: object, *, film: bool = False) -> Fingerprints:
    """Invented hashes, the same for the same seed; some are missing for some seeds."""
    digits = hashlib.shake_256(str(seed).encode()).hexdigest(300)
    some = int(digits[:2], 16)
    frames = tuple(
        Frame(500 * place, 40 + place, digits[place : place + 64]) for place in range(1 + some % 5)
    )
    return Fingerprints(
        sha256=digits[:64],
        sha1=digits[64:104] if some % 2 else None,
        md5=digits[104:136] if some % 3 else None,
        pdq=None if film else digits[136:200],
        quality=0 if film else some % 101,
        video=frames if film else (),
        photodna=digits[200:488] if some % 7 == 0 else None,
    )


def entry(number: int, entry_class: EntryClass = CAMERA, seed: object = None) -> Entry:
    """An invented entry; every fifth is a film."""
    film = number % 5 == 0
    return Entry(
        number,
        entry_class,
        Kind.VIDEO if film else Kind.IMAGE,
        "media-1+pdq-1",
        fingerprints(number if seed is None else seed, film=film),
    )


def add(sequence: int, number: int | None = None, entry_class: EntryClass = CAMERA) -> Event:
    """An addition of an invented entry."""
    number = sequence if number is None else number
    told = entry(number, entry_class, f"{number} at {sequence}")
    return Event(sequence, Action.ADD, number, entry_class, "", told)


@dataclass
class Listed:
    """What stands for one entry: the event that told it, and why it is under quarantine."""

    entry: Entry
    told: int
    quarantine: str | None = None


@dataclass
class History:
    """A list whose events are drawn by chance; knows what they come to, one entry at a time."""

    seed: int = 0
    classes: tuple[EntryClass, ...] = (CAMERA, DRAWN)
    sequence: int = 0
    number: int = 0
    listed: dict[int, Listed] = field(default_factory=dict)
    manifests: list[Manifest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def events(self, count: int) -> list[Event]:
        """Further events of all classes, in order."""
        return [event for _ in range(count) for event in self._some()]

    def counts(self) -> dict[EntryClass, Counts]:
        held = list(self.listed.values())
        return {
            each: Counts(
                sum(known.entry.entry_class == each for known in held),
                sum(
                    known.entry.entry_class == each and known.quarantine is not None
                    for known in held
                ),
            )
            for each in self.classes
        }

    def standing(self, entry_class: EntryClass) -> dict[int, Listed]:
        return {
            number: known
            for number, known in sorted(self.listed.items())
            if known.entry.entry_class == entry_class
        }

    def plan(self) -> EditionPlan:
        number = len(self.manifests) + 1
        previous = self.manifests[-1] if self.manifests else None
        return EditionPlan(ORIGIN, number, START + timedelta(hours=number), previous)

    def publish(self, directory, events: list[Event], block: int = 1000) -> Manifest:
        """Write the next edition."""
        manifest = write_edition(
            directory,
            self.plan(),
            deltas(self.classes, events, block),
            self.counts(),
            salt_key=SALT_KEY,
        )
        self.manifests.append(manifest)
        return manifest

    def _some(self) -> list[Event]:
        number = self._random.choice(list(self.listed)) if self.listed else None
        action = self._random.choice([*Action, Action.ADD, "move"])
        if number is None or action is Action.ADD:
            self.number += 1
            return [self._tell(Action.ADD, self.number, self._random.choice(self.classes))]
        known = self.listed[number]
        entry_class = known.entry.entry_class
        if action is Action.AMEND:
            return [self._tell(action, number, entry_class)]
        if action is Action.WITHDRAW:
            del self.listed[number]
            return [self._name(action, number, entry_class, "not-unlawful")]
        if action == "move":
            other = self._random.choice(self.classes)
            del self.listed[number]
            left = self._name(Action.WITHDRAW, number, entry_class, "moved")
            return [left, self._tell(Action.ADD, number, other)]
        if known.quarantine is None:
            known.quarantine = self._random.choice(["contested", "flood"])
            return [self._name(Action.QUARANTINE, number, entry_class, known.quarantine)]
        known.quarantine = None
        return [self._name(Action.RESTORE, number, entry_class, "")]

    def _tell(self, action: Action, number: int, entry_class: EntryClass) -> Event:
        self.sequence += 1
        told = entry(number, entry_class, f"{number} at {self.sequence}")
        if action is Action.ADD:
            self.listed[number] = Listed(told, self.sequence)
        else:
            self.listed[number].entry = told
            self.listed[number].told = self.sequence
        return Event(self.sequence, action, number, entry_class, "", told)

    def _name(self, action: Action, number: int, entry_class: EntryClass, reason: str) -> Event:
        self.sequence += 1
        return Event(self.sequence, action, number, entry_class, reason)


def deltas(
    classes: tuple[EntryClass, ...], events: list[Event], block: int = 1000
) -> list[tuple[EntryClass, list[Block]]]:
    """The events of each class, in blocks of some length."""
    found = []
    for each in classes:
        own = [event for event in events if event.entry_class == each]
        cut = [own[at : at + block] for at in range(0, len(own), block)]
        found.append((each, [Block.of(some) for some in cut]))
    return found


@st.composite
def drawn_fingerprints(draw) -> Fingerprints:
    """Any set of hashes that an entry can have; a quality only where there is a pdq."""
    which, seed = draw(st.integers(1, 63)), draw(st.integers(0, 9))
    digits = hashlib.shake_256(bytes([which, seed])).hexdigest(300)
    frames = st.builds(
        Frame, st.integers(0, 2**32 - 1), st.integers(0, 100), st.just(digits[32:96])
    )
    return Fingerprints(
        sha256=digits[:64] if which & 1 else None,
        sha1=digits[64:104] if which & 2 else None,
        md5=digits[104:136] if which & 4 else None,
        pdq=digits[136:200] if which & 8 else None,
        quality=draw(st.integers(0, 100)) if which & 8 else 0,
        video=tuple(draw(st.lists(frames, min_size=1, max_size=4))) if which & 16 else (),
        photodna=digits[200:488] if which & 32 else None,
    )


@st.composite
def drawn_events(draw, max_size: int = 20) -> list[Event]:
    """Events of one class, in order; not a history, since anything may happen to any entry."""
    numbers = st.integers(1, MOST) | st.integers(1, 9)
    reasons = st.sampled_from(["", "contested", "wrong", "a-9"])
    pipelines = st.sampled_from(["-", "media-1+pdq-1", "media-2+pdq-1", "~"])
    events = []
    for sequence in sorted(draw(st.sets(numbers, min_size=1, max_size=max_size))):
        action, number, reason = draw(st.sampled_from(Action)), draw(numbers), draw(reasons)
        told = None
        if action in {Action.ADD, Action.AMEND}:
            kind = draw(st.sampled_from(Kind))
            told = Entry(number, DRAWN, kind, draw(pipelines), draw(drawn_fingerprints()))
        events.append(Event(sequence, action, number, DRAWN, reason, told))
    return events
