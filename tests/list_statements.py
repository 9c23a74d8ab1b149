"""Manifests and certificates of a small list, signed."""

from datetime import UTC, datetime

from strandline.lists.published.certificate import Certificate
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.manifests import ClassState, Manifest
from strandline.transparency import Signer

PUBLISHER = Signer.from_seed("hotline.example", bytes(32))
OTHER = Signer.from_seed("other.example", bytes([1]) * 32)
CAMERA = EntryClass("C", "camera", "gb")
DRAWN = EntryClass("C", "drawn", "gb")


def edition(number, before=None, *, added=10, withdrawn=0, root="a"):
    """The next manifest: ``added`` more camera pictures, ``withdrawn`` fewer."""
    held = before.states()[CAMERA].entries if before else 0
    sequence = before.sequence if before else 1
    return Manifest(
        origin="hotline.example",
        edition=number,
        published=datetime(2026, 3, number, tzinfo=UTC),
        added=added if before else added + 1,
        amended=0,
        withdrawn=withdrawn,
        quarantined_now=0,
        restored=0,
        previous=before.digest() if before else None,
        pipeline=("media-1+pdq-1",),
        classes=tuple(
            sorted(
                (
                    (
                        CAMERA,
                        ClassState(
                            held + added - withdrawn, 0, sequence + added + withdrawn, root * 64
                        ),
                    ),
                    (DRAWN, ClassState(1, 0, 1, "b" * 64)),
                ),
                key=lambda pair: pair[0].id,
            )
        ),
    )


def chain(*steps):
    editions = []
    for number, step in enumerate(steps, 1):
        editions.append(edition(number, editions[-1] if editions else None, **step))
    return editions


def signed(statement, signer=PUBLISHER):
    return signer.sign(statement.text()).encode()


def certified(manifest, classes=(CAMERA, DRAWN)):
    return signed(Certificate.of(manifest, OTHER.name, classes), OTHER)
