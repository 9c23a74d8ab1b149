"""Certificates of other hotlines: taken in, checked against the policy, then logged and told."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from strandline.errors import ListRefused, NoteRefused
from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.models import Certificate, Edition
from strandline.hotline.hashlist.publishing import manifest_of
from strandline.hotline.hashlist.scheduling import release_now
from strandline.hotline.hashlist.trust import policy_of
from strandline.lists.published import certificate as format_
from strandline.lists.published.manifests import Manifest
from strandline.lists.trust.policy import Hotline
from strandline.transparency import Verifier, open_note

#: Characters; one vouches for each class in about a hundred.
MAX_NOTE = 60_000


def take_certificate(note: str, *, by: str, now: datetime) -> Certificate:
    """Take in the signed certificate of a hotline that the policy names; twice changes nothing.

    Raises:
        ListChangeRefused: it is not signed by such a hotline, or not about an edition of this list
            as it was published. Nothing was kept.
        NotConfigured: there is no root of trust yet.
    """
    hotline, said = _open(note)
    edition = Edition.objects.exclude(leaf=None).filter(number=said.edition).first()
    if edition is None:
        raise _refused(f"There is no published edition {said.edition} to certify.")
    _check_roots(said, manifest_of(settings.HOTLINE, edition))
    with transaction.atomic():
        chain.lock()
        held = Certificate.objects.filter(edition=edition, hotline=hotline.name).first()
        if held is not None and held.note != note:
            raise _refused(
                f"{hotline.name} has certified edition {edition.number} already, in other words. "
                "What was published stays; certify the next edition."
            )
        if held is not None:
            return held
        certificate = Certificate.objects.create(
            edition=edition,
            hotline=hotline.name,
            jurisdiction=hotline.jurisdiction,
            note=note,
            classes=len(said.classes),
            audit=said.audit or "",
            received_at=now,
        )
        chain.record(
            at=now,
            actor=by,
            action="hashlist.take_certificate",
            subject=edition.subject,
            detail={"hotline": hotline.name, "classes": len(said.classes), "audit": said.audit},
        )
        release_now(now)
    return certificate


def _open(note: str) -> tuple[Hotline, format_.Certificate]:
    """Who signed, and what it says; raises ListChangeRefused."""
    if len(note) > MAX_NOTE:
        raise _refused("This is too long for a certificate.")
    policy = policy_of(settings.HOTLINE)
    try:
        for hotline in policy.hotlines:
            verifier = Verifier.from_vkey(hotline.vkey)
            if f"\n— {verifier.name} " not in note:
                continue
            said = format_.parse_certificate(open_note(note, [verifier]).text)
            break
        else:
            raise _refused(
                "No hotline that the list's policy names has signed this. A ceremony adds one."
            )
    except (NoteRefused, ListRefused) as error:
        raise _refused(error.message) from error
    if said.hotline != hotline.name or said.origin != policy.origin:
        raise _refused(
            f"This certificate speaks for {said.hotline} on {said.origin}, and is signed by "
            f"{hotline.name} on {policy.origin}."
        )
    return hotline, said


def _check_roots(said: format_.Certificate, manifest: Manifest) -> None:
    roots = {(entry_class.id, state.root) for entry_class, state in manifest.classes}
    if said.manifest != manifest.digest() or not set(said.classes) <= roots:
        raise _refused(
            f"This certificate is about another edition {said.edition} than the published one. Two "
            "lists may be about: tell each other in another way."
        )


def _refused(sentence: str) -> ListChangeRefused:
    return ListChangeRefused("certificate", f"{sentence} Nothing was kept.")
