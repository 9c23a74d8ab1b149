"""StopNCII's list: what ``FetchHashes`` answers, kept as a file.

Its hashes are of adults' pictures, shared without consent. That is not what a list of known child
sexual abuse material holds; whoever takes them in keeps them in a list, or at least a class, apart.
"""

from collections.abc import Iterator
from itertools import chain

from strandline.errors import FormatRefused
from strandline.formats import values
from strandline.formats.json_elements import elements, place_of
from strandline.formats.losses import Losses
from strandline.formats.rows import HashRow, Kind, Unreadable
from strandline.formats.streams import LIMITS, Limits, Readable, pieces

#: What the service calls a kind of hash, our field, and what was hashed.
_SIGNALS = {
    "imagepdq": ("pdq", Kind.IMAGE),
    "videomd5": ("md5", Kind.VIDEO),
    "imagemd5": ("md5", Kind.IMAGE),
}
_READ = frozenset(
    {"lastModtimestamp", "signalType", "hashValue", "hashStatus", "caseNumbers", "CSPFeedbacks"}
)
_KEPT_APART = {
    "caseNumbers": "is not kept: numbers of people's cases",
    "CSPFeedbacks": "is not kept: what other companies did",
}


def read(
    stream: Readable, losses: Losses, *, limits: Limits = LIMITS
) -> Iterator[HashRow | Unreadable]:
    """Each record of an answer, in its order. Raises FormatRefused, naming the element."""
    raw = pieces(stream, limits, any_unicode=True)
    head = next(raw, b"")
    if b'"hashRecords"' not in head:
        raise FormatRefused("the envelope", 'There is no "hashRecords" array.')
    if b'"hasMoreRecords":true' in head.replace(b" ", b""):
        losses.add("hasMoreRecords", "says that there is more than this file holds", "the envelope")
    for number, record in enumerate(elements(chain((head,), raw), "hashRecords.item", limits), 1):
        place = place_of(number)
        try:
            yield _row(record, losses, place)
        except FormatRefused as refused:
            yield Unreadable(place, refused.message.removeprefix(f"{place}: "))


def _row(record: object, losses: Losses, place: str) -> HashRow:
    if not isinstance(record, dict):
        raise FormatRefused(place, "This is not a record: an object is expected.")
    signal = values.text(record.get("signalType"))
    field, kind = _SIGNALS.get(signal.lower(), ("", None))
    if not field:
        raise FormatRefused(place, f"{signal[:40]!r} is not a known kind of hash.")
    for name, why in _KEPT_APART.items():
        if record.get(name):
            losses.add(name, why, place)
    for name in record.keys() - _READ:
        losses.add(name, "is not known and not kept", place)
    hashed = values.digest(field, record.get("hashValue"), place)
    status = values.text(record.get("hashStatus"))
    return HashRow(
        pdq=hashed if field == "pdq" else None,
        md5=hashed if field == "md5" else None,
        kind=kind,
        changed=values.moment(record.get("lastModtimestamp")),
        withdrawn=status.lower() not in {"", "active"},
        place=place,
    )
