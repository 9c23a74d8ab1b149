"""What must hold of an edition before a member applies it. All of it; nothing here can be skipped.

Each function raises ListRefused with the sentence that a person reads.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from strandline.errors import ListRefused, NotPublished, StrandlineError
from strandline.lists.member.seen_log import Keys, SeenLog
from strandline.lists.published.certificate import Certificate, parse_certificate
from strandline.lists.published.classes import EntryClass, Scope
from strandline.lists.published.editions import edition_path
from strandline.lists.published.index_file import Index, parse_index
from strandline.lists.published.manifests import MAX_TEXT, Manifest, parse_manifest
from strandline.lists.published.scope_note import ScopeNote
from strandline.lists.trust.policy import Hotline, Policy
from strandline.lists.trust.refusals import shown
from strandline.transparency import Verifier, open_note

#: Bytes of a manifest or certificate with its signatures, of a proof, of an index.
MAX_NOTE, MAX_PROOF, MAX_INDEX = MAX_TEXT + 2**16, 200_000, 2**28
#: Editions that one sync catches up with; each manifest between is read.
MAX_BEHIND = 20_000
#: A publisher's clock may be ahead of a reader's by this much.
CLOCKS = timedelta(hours=1)
Read = Callable[[str], bytes]


@dataclass(frozen=True)
class Vouched:
    """A certificate that counts."""

    hotline: Hotline
    certificate: Certificate
    #: Its leaf in the log, and the proof of that in its one form.
    index: int
    proof: str


@dataclass(frozen=True)
class Believed:
    """An edition whose statements hold; its files are another matter."""

    manifest: Manifest
    #: The manifest's leaf in the log, and the proof of that in its one form.
    index: int
    proof: str
    certificates: tuple[Vouched, ...]
    #: A sentence, when it is not certified and was taken to be looked at by a hotline that is to
    #: certify it: nothing may be answered from it. Empty otherwise.
    awaiting: str = ""

    def vouchers(self, policy: Policy, entry_class: EntryClass) -> list[Hotline]:
        """The hotlines that stand for a class: its publisher, and those that certified it."""
        return [policy.publisher] + [
            each.hotline
            for each in self.certificates
            if each.certificate.vouches_for(self.manifest, entry_class)
        ]

    def proofs(self) -> dict[str, bytes]:
        """The proofs of what was said, by path, in their one form."""
        edition = self.manifest.edition
        found = {f"{manifest_path(edition)}.proof": self.proof.encode()}
        for each in self.certificates:
            found[f"{certificate_path(edition, each.hotline)}.proof"] = each.proof.encode()
        return found


def manifest_path(edition: int) -> str:
    """Where the manifest of an edition is published."""
    return f"{edition_path(edition)}/manifest"


def certificate_path(edition: int, hotline: Hotline) -> str:
    """Where a hotline's certificate of an edition is published."""
    return f"{edition_path(edition)}/certificate.{hotline.name}"


def open_manifest(note: bytes, edition: int, policy: Policy) -> Manifest:
    """A manifest that the publisher signed, of this list and this edition."""
    try:
        opened = open_note(note, [Verifier.from_vkey(policy.publisher.vkey)])
        manifest = parse_manifest(opened.text)
    except StrandlineError as error:
        raise ListRefused(f"The manifest of edition {edition}: {error.message}") from error
    if manifest.origin != policy.origin or manifest.edition != edition:
        raise ListRefused(
            f"What is offered as edition {edition} of {policy.origin} is edition "
            f"{manifest.edition} of {manifest.origin}."
        )
    return manifest


def open_scope(note: bytes, policy: Policy, before: ScopeNote | None) -> tuple[ScopeNote, bytes]:
    """What this member may have, and the note in its one form."""
    try:
        opened = open_note(note, [Verifier.from_vkey(policy.publisher.vkey)])
        scope = ScopeNote.parse(opened.text)
    except StrandlineError as error:
        raise ListRefused(f"The note of this member's scope: {error.message}") from error
    if scope.origin != policy.origin:
        raise ListRefused(f"The note of this member's scope is of another list, {scope.origin}.")
    if before and scope.member != before.member:
        raise ListRefused(
            f"The publisher answers as if this were {scope.member}, and it is {before.member}: "
            "another member's API key is in use."
        )
    if before and (scope.issued, scope.text()) < (before.issued, before.text()):
        raise ListRefused("An older note of this member's scope is being served.")
    plain = f"{opened.text}\n{''.join(line.line for line in opened.signatures)}"
    return scope, plain.encode()


def believe(
    note: bytes,
    edition: int,
    policy: Policy,
    log: SeenLog,
    *,
    read: Read,
    scope: Scope,
    certifying: str = "",
) -> Believed:
    """An edition that is signed, logged, and certified for every class that the scope covers.

    ``read`` gives the bytes of a published file, and raises ListRefused when there is none.
    ``certifying`` names the hotline that is to certify it, and so has to look at it before it is
    certified: then what is lacking is told in ``Believed.awaiting``.
    """
    own = next((each for each in policy.hotlines if each.name == certifying), None)
    if certifying and own is None:
        raise ListRefused(f"The list's policy names no hotline {certifying!r} that certifies.")
    manifest = open_manifest(note, edition, policy)
    keys = Keys.of(policy)
    path = manifest_path(edition)
    try:
        index, proof = log.holds(note, read(f"{path}.proof"), keys)
    except NotPublished as missing:
        raise ListRefused(
            f"Edition {edition} comes without the proof that it is in the transparency log, and "
            f"so was not used. {missing.message}"
        ) from missing
    except ListRefused as error:
        raise ListRefused(
            f"Edition {edition} is not shown to be in the transparency log. {error.message}"
        ) from error
    certificates = tuple(_certificates(manifest, policy, log, keys, read))
    believed = Believed(manifest, index, proof, certificates)
    for entry_class in covered(manifest, scope):
        lacking = _lacking(believed, policy, entry_class)
        if lacking and own is None:
            raise ListRefused(f"Edition {edition} is not certified: {lacking}")
        if lacking:
            known = own in believed.vouchers(policy, entry_class)
            whose = "the certificates of others" if known else "your certificate"
            awaiting = (
                f"Edition {edition} is awaiting {whose}: not certified by enough countries. "
                f"{lacking[0].upper()}{lacking[1:]}"
            )
            return replace(believed, awaiting=awaiting)
    return believed


def _certificates(
    manifest: Manifest, policy: Policy, log: SeenLog, keys: Keys, read: Read
) -> Iterator[Vouched]:
    """The certificates that hold. One that does not is as if it were not there."""
    for hotline in policy.hotlines:
        path = certificate_path(manifest.edition, hotline)
        try:
            note = read(path)
            opened = open_note(note, [Verifier.from_vkey(hotline.vkey)])
            certificate = parse_certificate(opened.text)
            index, proof = log.holds(note, read(f"{path}.proof"), keys)
        except StrandlineError:
            continue
        if certificate.hotline == hotline.name and certificate.manifest == manifest.digest():
            yield Vouched(hotline, certificate, index, proof)


def _lacking(believed: Believed, policy: Policy, entry_class: EntryClass) -> str | None:
    """What a class lacks to be certified, as the end of a sentence; None when it is."""
    vouchers = believed.vouchers(policy, entry_class)
    found = {hotline.jurisdiction for hotline in vouchers}
    if len(found) >= policy.certification:
        return None
    names = ", ".join(hotline.name for hotline in vouchers)
    return (
        f"hotlines in {policy.certification} jurisdictions must vouch for its class "
        f"{entry_class.name!r}, and so far only {names} did."
    )


def covered(manifest: Manifest, scope: Scope) -> list[EntryClass]:
    """The classes of an edition that a scope covers."""
    return [each for each in manifest.states() if scope.covers(each)]


def open_index(data: bytes, manifest: Manifest, entry_class: EntryClass) -> Index:
    """The index of a class, when it is the one that the manifest stands for."""
    try:
        index = parse_index(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise ListRefused("The index of a class is not text. It was not used.") from None
    state = manifest.states()[entry_class]
    if (index.origin, index.entry_class) != (manifest.origin, entry_class):
        raise ListRefused(f"The index of class {entry_class.name!r} is of another class or list.")
    if index.root() != state.root:
        raise ListRefused(
            f"The index of class {entry_class.name!r} is not the one that edition "
            f"{manifest.edition} was signed with."
        )
    return index


def check_date(manifest: Manifest, now: datetime) -> None:
    """That an edition is not dated in the future: an order of editions by time would be none."""
    if manifest.published > now + CLOCKS:
        raise ListRefused(
            f"Edition {manifest.edition} is dated {shown(manifest.published)}, ahead of this "
            f"computer's clock, which says {shown(now)}. Either this clock is behind, or the "
            "publisher's ahead."
        )


def check_history(
    held: Manifest, offered: Manifest, read: Read, policy: Policy, scope: Scope
) -> None:
    """That the edition offered follows the one held, one by one, none too fast or too small.

    ``scope`` is what this member may have: of that, too, none may take away too much.
    """
    if offered.edition < held.edition:
        raise ListRefused(
            f"The publisher offers edition {offered.edition}, older than edition {held.edition}, "
            "which is held: an old copy is being served, by mistake or to hide entries."
        )
    if offered.edition == held.edition:
        if offered != held:
            raise ListRefused(
                f"The publisher offers another edition {offered.edition} than the one that is "
                "held: two lists were signed under one number. Tell the publisher."
            )
        return
    if offered.edition - held.edition > MAX_BEHIND:
        raise ListRefused(
            f"More than {MAX_BEHIND} editions were missed. Make a new copy of the list."
        )
    # From the newest back to the one held: each names the one before it by its digest.
    chain = [offered]
    while chain[-1].edition > held.edition + 1:
        chain.append(_before(chain[-1], read))
    before = held
    for manifest in reversed(chain):
        problem = manifest.follows(before)
        if problem:
            raise ListRefused(
                f"Edition {manifest.edition} {problem}: two histories of the list were signed, or "
                "one that contradicts itself. Tell the publisher."
            )
        _check_growth(before, manifest, policy)
        _check_loss(before, manifest, policy, scope)
        before = manifest


def _before(manifest: Manifest, read: Read) -> Manifest:
    edition = manifest.edition - 1
    note = read(manifest_path(edition))
    text, _, _ = note.rpartition(b"\n\n")
    if hashlib.sha256(text + b"\n").hexdigest() != manifest.previous:
        raise ListRefused(
            f"The manifest of edition {edition} is not the one that edition {manifest.edition} "
            "follows: the publisher's history does not hold together."
        )
    return parse_manifest((text + b"\n").decode("utf-8", errors="replace"))


def _check_growth(before: Manifest, now: Manifest, policy: Policy) -> None:
    events = now.events
    growth = policy.growth
    most = max(growth.most_events, before.entries * growth.most_percent // 100)
    if events > most:
        raise ListRefused(
            f"Alarm: edition {now.edition} changes {events} entries at once, {now.added} of them "
            f"added, and an edition of this list may change {most}. It may be flooded, by mistake "
            "or by somebody who has its keys. Ask the publisher."
        )


def _check_loss(before: Manifest, now: Manifest, policy: Policy, scope: Scope) -> None:
    """That not too much of what was certified is gone: of the list, or of this member's part."""
    live = before.entries - before.quarantined
    if now.taken > policy.most_taken(live):
        raise ListRefused(
            f"Alarm: edition {now.edition} takes away or replaces {now.taken} of {live} entries "
            f"({now.withdrawn} withdrawn, {now.quarantined_now} put under quarantine, "
            f"{now.amended} amended), and an edition of this list may do so to "
            f"{policy.most_taken(live)}. Ask the publisher."
        )
    live, left = _live(before, scope), _live(now, scope)
    # One may always go: else a mistake in a small class could never be withdrawn.
    if live - left > max(1, live * policy.shrink_percent // 100):
        raise ListRefused(
            f"Alarm: edition {now.edition} takes away {live - left} of the {live} entries that "
            f"this member may have, and an edition of this list may take away "
            f"{policy.shrink_percent} %. Ask the publisher."
        )


def _live(manifest: Manifest, scope: Scope) -> int:
    """Entries that a scope covers, without those under quarantine."""
    states = manifest.states()
    return sum(states[each].entries - states[each].quarantined for each in covered(manifest, scope))


def check_counts(
    manifest: Manifest, scope: Scope, counts: Mapping[EntryClass, tuple[int, int]]
) -> None:
    """That the entries held (all, and under quarantine) are as many as the manifest says."""
    for entry_class in covered(manifest, scope):
        state = manifest.states()[entry_class]
        found = counts.get(entry_class, (0, 0))
        if found != (state.entries, state.quarantined):
            raise ListRefused(
                f"Class {entry_class.name!r} of edition {manifest.edition} comes to {found[0]} "
                f"entries with {found[1]} under quarantine, and its manifest says {state.entries} "
                f"with {state.quarantined}."
            )
