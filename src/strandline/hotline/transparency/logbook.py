"""The log as a story: each leaf is a statement that somebody signed about an edition.

Read from the published files, the same that witnesses and monitors read, and not from the record:
a page that said something else than the log would soon be caught.
"""

import functools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from strandline.errors import ListRefused, StrandlineError
from strandline.hotline.errors import NotConfigured
from strandline.hotline.hashlist.trust import policy_of
from strandline.lists.published.certificate import Certificate, parse_certificate
from strandline.lists.published.manifests import Manifest, parse_manifest
from strandline.lists.trust.policy import Policy
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.notes import split_note
from strandline.transparency.tiles import TileReader


@dataclass(frozen=True)
class Leaf:
    """One statement of the log."""

    #: Its place, from 0.
    index: int
    #: Names of the keys that signed it, as the note says.
    signed_by: tuple[str, ...]
    #: What was said; none where this version does not know the form.
    manifest: Manifest | None = None
    certificate: Certificate | None = None
    #: Of the manifest's text.
    digest: str = ""


@dataclass(frozen=True)
class Published:
    """One edition as the log tells it, and who vouched for it."""

    leaf: Leaf
    manifest: Manifest
    #: Certificates of other hotlines, in the order of the log.
    certificates: tuple[tuple[Leaf, Certificate], ...]

    @property
    def changed(self) -> int:
        """How many events it brought."""
        return sum(count for _, count in self.changes)

    @property
    def changes(self) -> tuple[tuple[str, int], ...]:
        """Kinds of event and how many there were, those that there were."""
        manifest = self.manifest
        counts = (
            ("added", manifest.added),
            ("amended", manifest.amended),
            ("withdrawn", manifest.withdrawn),
            ("quarantined", manifest.quarantined_now),
            ("restored", manifest.restored),
        )
        return tuple((word, count) for word, count in counts if count)


@dataclass(frozen=True)
class Head:
    """How far the log has come, and who saw it."""

    checkpoint: Checkpoint
    signed_by: tuple[str, ...]


class Logbook:
    """The log's leaves so far. What was read once is kept: leaves never change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._leaves: list[Leaf] = []

    def head(self) -> Head | None:
        """The published checkpoint; none before the first."""
        try:
            note = (self._folder / "checkpoint").read_text("utf-8")
        except FileNotFoundError:
            return None
        text, signatures = split_note(note)
        return Head(Checkpoint.parse(text), tuple(line.name for line in signatures))

    def leaves(self) -> list[Leaf]:
        """Every leaf under the published checkpoint, in order."""
        head = self.head()
        size = head.checkpoint.size if head else 0
        with self._lock:
            known = len(self._leaves)
            if known < size:
                reader = TileReader(self._read)
                found = reader.leaves(known, size)
                self._leaves += [_leaf(known + place, data) for place, data in enumerate(found)]
            return self._leaves[:size]

    def editions(self) -> list[Published]:
        """Every edition that is in the log, the oldest first, with what was said of it."""
        leaves = self.leaves()
        vouched: dict[str, list[tuple[Leaf, Certificate]]] = {}
        for leaf in leaves:
            if leaf.certificate:
                vouched.setdefault(leaf.certificate.manifest, []).append((leaf, leaf.certificate))
        return [
            Published(leaf, leaf.manifest, tuple(vouched.get(leaf.digest, ())))
            for leaf in leaves
            if leaf.manifest
        ]

    def _read(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()


def _leaf(index: int, data: bytes) -> Leaf:
    try:
        text, signatures = split_note(data)
    except StrandlineError:
        return Leaf(index, ())
    signed_by = tuple(line.name for line in signatures)
    try:
        manifest = parse_manifest(text)
        return Leaf(index, signed_by, manifest=manifest, digest=manifest.digest())
    except ListRefused:
        pass
    try:
        return Leaf(index, signed_by, certificate=parse_certificate(text))
    except ListRefused:
        return Leaf(index, signed_by)


@functools.cache
def _book(folder: Path) -> Logbook:
    return Logbook(folder)


def book() -> Logbook:
    """The logbook of this hotline."""
    return _book(settings.HOTLINE.published / "log")


def policy() -> Policy | None:
    """The policy that the newest root of trust carries; none before the ceremony."""
    try:
        return policy_of(settings.HOTLINE)
    except NotConfigured:
        return None


def jurisdictions() -> Mapping[str, str]:
    """Country of each hotline that may sign, by its name."""
    rules = policy()
    return {signer.name: signer.jurisdiction for signer in rules.signers} if rules else {}
