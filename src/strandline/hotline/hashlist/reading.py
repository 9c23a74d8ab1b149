"""Reading the list back as it was: the events of an edition, and how much each class held.

Everything here follows from events alone, which never change: whenever it is asked, an edition
reads the same. Rows come from the database some thousands at a time, class by class, and leave as
blocks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from strandline.hotline.hashlist.models import Entry, Event, ListedClass
from strandline.lists.published.blocks import ACTIONS, KINDS, Block
from strandline.lists.published.classes import Action, Column, EntryClass
from strandline.lists.published.events import WIDTHS, Kind
from strandline.lists.published.values import HASH_BYTES, Values

#: Rows in one block, and so in memory at once.
AT_ONCE = 16_384
#: One frame of a film as ``Fingerprint.video`` packs it.
_FRAME = np.dtype([("ms", ">u4"), ("quality", "u1"), ("pdq", "u1", 32)])

_COLUMNS = (
    "sequence", "entry_id", "action", "why", "fingerprint__kind", "fingerprint__pipeline",
    "fingerprint__sha256", "fingerprint__sha1", "fingerprint__md5", "fingerprint__pdq",
    "fingerprint__quality", "fingerprint__photodna", "fingerprint__video",
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """How much of one class there is."""

    #: Entries, and how many of them are in quarantine.
    entries: int
    quarantined: int
    #: The highest event of the class; 0 before the first.
    sequence: int


def classes(*, up_to: int, after: int = 0) -> list[ListedClass]:
    """Every class that had an event after ``after`` and by ``up_to``, in order of name."""
    events = Event.objects.filter(
        listed_class=OuterRef("pk"), sequence__gt=after, sequence__lte=up_to
    )
    return list(ListedClass.objects.filter(Exists(events)).order_by("name"))


def held(listed_class: ListedClass, *, after: int, up_to: int, before: Held) -> Held:
    """What a class holds as of ``up_to``, given what it held as of ``after``."""
    events = Event.objects.filter(
        listed_class=listed_class, sequence__gt=after, sequence__lte=up_to
    )
    counted = events.aggregate(
        added=Count("pk", filter=Q(action=Action.ADD)),
        gone=Count("pk", filter=Q(action=Action.WITHDRAW)),
        dropped=Count("pk", filter=Q(action=Action.WITHDRAW, before=Entry.State.QUARANTINED)),
        put_away=Count("pk", filter=Q(action=Action.QUARANTINE)),
        brought_back=Count("pk", filter=Q(action=Action.RESTORE)),
        last=Max("sequence"),
    )
    away = counted["put_away"] - counted["brought_back"] - counted["dropped"]
    return Held(
        before.entries + counted["added"] - counted["gone"],
        before.quarantined + away,
        counted["last"] or before.sequence,
    )


def delta(listed_class: ListedClass, *, after: int, up_to: int) -> Iterator[Block]:
    """The events of a class after ``after`` and up to ``up_to``, in order."""
    events = Event.objects.filter(listed_class=listed_class)
    for rows in _portions(events, after, up_to):
        yield _block(listed_class.value, rows)


def _portions(events: QuerySet[Event], after: int, up_to: int) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in order of sequence. Asked for anew each time, so that no cursor stays open."""
    while True:
        some = events.filter(sequence__gt=after, sequence__lte=up_to).order_by("sequence")
        rows = list(some.values_list(*_COLUMNS)[:AT_ONCE])
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _block(entry_class: EntryClass, rows: list[tuple[Any, ...]]) -> Block:
    """Rows as arrays: ten times faster than event by event."""
    (
        sequence, number, action, why, kind, pipeline,
        sha256, sha1, md5, pdq, quality, photodna, video,
    ) = zip(*rows, strict=True)  # fmt: skip
    reasons, reason = _words(why)
    pipelines, version = _words(word or "" for word in pipeline)
    hexes = {
        Column.SHA256: sha256,
        Column.SHA1: sha1,
        Column.MD5: md5,
        Column.PDQ: pdq,
        Column.PHOTODNA: photodna,
    }
    columns = {
        column: _hex(column, values, quality) for column, values in hexes.items() if any(values)
    }
    if any(video):
        columns[Column.VIDEO] = _films(video)
    return Block(
        entry_class,
        np.array(sequence, np.uint64),
        np.array(number, np.uint64),
        np.array([ACTIONS[Action(word)] for word in action], np.uint8),
        np.array([KINDS[Kind(word)] if word else 0 for word in kind], np.uint8),
        reason,
        version,
        reasons,
        pipelines,
        {column: columns[column] for column in Column if column in columns},
    )


def _words(words: Any) -> tuple[tuple[str, ...], Any]:  # noqa: ANN401 - any iterable; uint32[n]
    words = list(words)
    table = ("", *sorted(set(words) - {""}))
    place = {word: index for index, word in enumerate(table)}
    return table, np.array([place[word] for word in words], np.uint32)


def _hex(column: Column, texts: Sequence[str | None], quality: Sequence[int | None]) -> Values:
    present = np.array([bool(text) for text in texts], np.bool_)
    data = np.frombuffer(bytes.fromhex("".join(text for text in texts if text)), np.uint8)
    data = data.reshape(-1, WIDTHS[column])
    if column is not Column.PDQ:
        return Values(present, data)
    kept = [value or 0 for text, value in zip(texts, quality, strict=True) if text]
    return Values(present, data, np.array(kept, np.uint8))


def _films(videos: Sequence[bytes | None]) -> Values:
    packed = [bytes(video) if video else b"" for video in videos]
    frames = np.frombuffer(b"".join(packed), _FRAME)
    return Values(
        np.array([bool(video) for video in packed], np.bool_),
        np.ascontiguousarray(frames["pdq"]).reshape(-1, HASH_BYTES[Column.VIDEO]),
        frames["quality"].astype(np.uint8),
        np.array([len(video) // _FRAME.itemsize for video in packed if video], np.uint32),
        frames["ms"].astype(np.uint32),
    )
