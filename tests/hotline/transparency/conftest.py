"""A log of three editions, one of them vouched for by another hotline, and a little record."""

import hashlib
from datetime import timedelta

import pytest

from strandline.lists.published.certificate import Certificate
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.manifests import ClassState, Manifest
from strandline.lists.trust.ceremony import make_all
from strandline.lists.trust.policy import Hotline, Policy
from strandline.transparency import CosignatureSigner, Signer
from strandline.transparency.log import Log

A = EntryClass("A", "camera", "gb", labels=("series",))
C = EntryClass("C", "drawn", "gb")


def state(entries, sequence, quarantined=0):
    root = hashlib.sha256(f"{entries} {sequence}".encode()).hexdigest()
    return ClassState(entries, quarantined, sequence, root)


@pytest.fixture
def manifests(now):
    """Three editions of one list: growth, a second class, a withdrawal."""
    made = []
    for number, (counts, states) in enumerate(
        [
            ((3, 0, 0), [(A, state(3, 3))]),
            ((2, 0, 1), [(A, state(3, 3)), (C, state(2, 6, 1))]),
            ((0, 1, 0), [(A, state(2, 7)), (C, state(2, 6, 1))]),
        ],
        1,
    ):
        added, withdrawn, quarantined = counts
        made.append(
            Manifest(
                origin="hotline.example",
                edition=number,
                published=(now + timedelta(days=10 * number)).replace(microsecond=0),
                added=added,
                amended=0,
                withdrawn=withdrawn,
                quarantined_now=quarantined,
                restored=0,
                previous=made[-1].digest() if made else None,
                pipeline=("media-2+pdq-2",),
                classes=tuple(sorted(states, key=lambda each: each[0].id)),
            )
        )
    return made


@pytest.fixture
def log(hotline, manifests, now, tmp_path):
    """The published log: the editions, and a certificate for part of the second."""
    publisher = Signer.generate("hotline.example")
    other = Signer.generate("other.example")
    keeper = Signer.generate("hotline.example/log")
    witnesses = [CosignatureSigner(Signer.generate(f"witness-{n}.example")) for n in (1, 2)]
    policy = Policy(
        origin="hotline.example",
        publisher=Hotline("hotline.example", "gb", publisher.vkey),
        hotlines=(Hotline("other.example", "de", other.vkey),),
        log=keeper.vkey,
        witnesses=tuple(each.vkey for each in witnesses),
        witness_quorum=2,
    )
    make_all(tmp_path / "ceremony", hotline.published, policy, now=now)
    log = Log(hotline.published / "log", keeper)
    certificate = Certificate.of(manifests[1], "other.example", [A], audit="ab" * 32)
    notes = [publisher.sign(each.text()) for each in manifests]
    notes.insert(2, other.sign(certificate.text()))
    log.append([note.encode() for note in notes])
    log.publish()
    return log


@pytest.fixture
def received(hotline, now):
    """``received(7)``: an entry of which only a fingerprint came."""
    from strandline.hotline.hashlist import services
    from strandline.hotline.hashlist.classing import make_class
    from strandline.hotline.hashlist.events import Identity
    from strandline.lists.published.events import Fingerprints

    def add(number):
        what = Identity(Fingerprints(sha256=f"{number:064x}"), make_class("A"), pipeline="-")
        return services.add_received(what, source="Example Hotline", by="test", now=now)

    return add


@pytest.fixture
def published(now):
    """``published()``: everything up to now is in the first edition."""
    from strandline.hotline.hashlist.models import Edition, Event

    def publish():
        Edition.objects.create(
            number=1, state="published", up_to=Event.objects.count(), published_at=now
        )

    return publish


@pytest.fixture
def published_withdrawals(received, published, now):
    """Three entries: one withdrawn, one disputed, one still there."""
    from strandline.hotline.hashlist import services
    from strandline.hotline.hashlist.models import Why

    entries = [received(number) for number in (1, 2, 3)]
    words = "the analyst's own words"
    services.withdraw(entries[0], why=Why.MISTAKE, reason=words, by="test", now=now)
    services.quarantine(entries[1], why=Why.DISPUTED, reason=words, by="test", now=now)
    published()
    return entries
