"""What the leaves of a log say of a list, to one who holds nothing of it: editions, who certified.

A monitor hands in every leaf once, in order. Only manifests and certificates are read; no entry
and no hash is needed to see that editions follow each other, how fast the list grows, and who
vouches for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from strandline.errors import ListRefused, NoteRefused
from strandline.lists.published.certificate import Certificate, parse_certificate
from strandline.lists.published.manifests import Manifest, parse_manifest
from strandline.lists.trust.policy import Policy, most_taken
from strandline.transparency.keys import Verifier
from strandline.transparency.monitor import Finding
from strandline.transparency.notes import open_note, split_note

#: Editions of which it is remembered who certified them.
_REMEMBERED = 20


@dataclass(frozen=True)
class Expected:
    """What a careful reader knows of a list beforehand. Empty: signatures are not checked."""

    #: The key that signs manifests.
    publisher: Verifier | None = None
    #: Keys of hotlines that certify.
    hotlines: Sequence[Verifier] = ()
    #: Events of one edition beyond which growth is abnormal, unless ``most_percent`` of the entries
    #: before are more.
    most_events: int = 5_000
    most_percent: int = 10
    #: Of the entries before, that one edition may take away.
    shrink_percent: int = 20

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """What a list's root of trust leads one to expect."""
        return cls(
            Verifier.from_vkey(policy.publisher.vkey),
            [Verifier.from_vkey(hotline.vkey) for hotline in policy.hotlines],
            policy.growth.most_events,
            policy.growth.most_percent,
            policy.shrink_percent,
        )


@dataclass
class Account:
    """A list as its log tells it so far."""

    expected: Expected
    #: Text of the newest manifest.
    newest: str | None = None
    #: For each of the newest editions its manifest's digest.
    digests: dict[int, str] = field(default_factory=dict)
    #: For each, who certified it: name of the hotline, and how many classes it vouched for.
    certified: dict[int, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Mapping[str, object], expected: Expected) -> "Account":
        """Read back what ``to_json`` gave; an empty mapping is a new account."""
        account = cls(expected)
        newest, digests, certified = (value.get(k) for k in ("newest", "digests", "certified"))
        account.newest = newest if isinstance(newest, str) else None
        if isinstance(digests, dict) and isinstance(certified, dict):
            account.digests = {int(edition): str(each) for edition, each in digests.items()}
            account.certified = {int(edition): dict(each) for edition, each in certified.items()}
        return account

    def to_json(self) -> dict[str, object]:
        """What to remember until the next look."""
        return {"newest": self.newest, "digests": self.digests, "certified": self.certified}

    @property
    def manifest(self) -> Manifest | None:
        """The newest edition's."""
        return None if self.newest is None else parse_manifest(self.newest)

    def take(self, index: int, leaf: bytes) -> Iterator[Finding]:
        """Read one leaf and say what is wrong with it."""
        try:
            text, _ = split_note(leaf)
            about = text.partition("\n")[0]
            if about.endswith("/list"):
                self._check(leaf, [self.expected.publisher] if self.expected.publisher else [])
                yield from self._manifest(index, parse_manifest(text))
            elif about.endswith("/certificate"):
                self._check(leaf, self.expected.hotlines)
                yield from self._certificate(index, parse_certificate(text))
            else:
                yield Finding("foreign", f"Leaf {index} is no statement about a list.")
        except (NoteRefused, ListRefused) as refused:
            yield Finding("unreadable", f"Leaf {index}: {refused.message}")

    def _check(self, leaf: bytes, verifiers: Sequence[Verifier]) -> None:
        if verifiers:
            open_note(leaf, verifiers)

    def _manifest(self, index: int, manifest: Manifest) -> Iterator[Finding]:
        before, digest = self.manifest, manifest.digest()
        known = self.digests.get(manifest.edition)
        if known == digest:
            return  # appended again by a publisher that was interrupted
        if known is not None:
            yield Finding(
                "two-manifests",
                f"Leaf {index}: edition {manifest.edition} of {manifest.origin} has a second "
                "manifest that says something else: members may hold different lists.",
            )
            return
        problem = manifest.follows(before)
        if problem or (before and before.origin != manifest.origin):
            problem = problem or "is of another list"
            yield Finding(
                "broken-chain",
                f"Leaf {index}: the manifest of edition {manifest.edition} {problem}.",
            )
        elif before is not None:
            yield from self._growth(before, manifest)
        self.newest = manifest.text()
        self.digests[manifest.edition] = digest
        self.certified.setdefault(manifest.edition, {})
        for edition in sorted(self.digests)[:-_REMEMBERED]:
            del self.digests[edition]
            self.certified.pop(edition, None)

    def _growth(self, before: Manifest, now: Manifest) -> Iterator[Finding]:
        expected = self.expected
        events = now.events
        if events > max(expected.most_events, before.entries * expected.most_percent // 100):
            yield Finding(
                "growth",
                f"Edition {now.edition} of {now.origin} has {events} events, {now.added} of them "
                f"additions, to the {before.entries} entries before: more than is expected.",
            )
        live = before.entries - before.quarantined
        if now.taken > most_taken(live, expected.shrink_percent):
            yield Finding(
                "shrunken",
                f"Edition {now.edition} of {now.origin} takes away or replaces {now.taken} of "
                f"{live} entries.",
            )

    def _certificate(self, index: int, certificate: Certificate) -> Iterator[Finding]:
        edition = certificate.edition
        if self.digests and edition < min(self.digests):
            return  # of an edition that is no longer remembered
        if self.digests.get(edition) != certificate.manifest:
            yield Finding(
                "certificate",
                f"Leaf {index}: {certificate.hotline} certifies a manifest of edition {edition} "
                "that this log does not hold before it.",
            )
            return
        self.certified[edition][certificate.hotline] = len(certificate.classes)
