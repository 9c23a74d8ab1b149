"""Tables of the room: entries and their events, editions and how far they came, hints."""

from strandline.hotline.hashlist.models.editions import (
    Certificate,
    Cosigning,
    Edition,
    EditionClass,
    Publication,
    Release,
)
from strandline.hotline.hashlist.models.entries import (
    Entry,
    Event,
    Fingerprint,
    Import,
    ListedClass,
    Why,
)
from strandline.hotline.hashlist.models.hints import NearHint, comparable, frames_to_list

__all__ = [
    "Certificate",
    "Cosigning",
    "Edition",
    "EditionClass",
    "Entry",
    "Event",
    "Fingerprint",
    "Import",
    "ListedClass",
    "NearHint",
    "Publication",
    "Release",
    "Why",
    "comparable",
    "frames_to_list",
]
