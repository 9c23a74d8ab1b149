"""The other hotline's side: looking at its own copy of an edition, and putting its name to it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from strandline.errors import ListRefused, SiteFailed
from strandline.fetching import Failure, NamedSite
from strandline.lists.auditing import SAMPLE, Beacon, Protocol, draw
from strandline.lists.member.checking import check
from strandline.lists.member.holdings import Holdings
from strandline.lists.member.layout import Layout
from strandline.lists.member.subscription import Subscription
from strandline.lists.published.certificate import Certificate
from strandline.lists.published.manifests import Manifest
from strandline.lists.state import State
from strandline.transparency import Signer

#: Where a publisher takes certificates, below the address of its partners' face.
PLACE = "api/v1/certificates"


@dataclass(frozen=True)
class Audited:
    """A sample that was looked at."""

    beacon: Beacon
    #: Number of each entry → ``ok``, or a word for what is wrong with it.
    found: dict[int, str]


def sample(
    directory: str | Path, beacon: Beacon, *, size: int = SAMPLE, now: datetime
) -> tuple[Manifest, list[int]]:
    """Which entries of the copy in ``directory`` are to be looked at; raises ListRefused."""
    verified = check(Path(directory), now=now)
    numbers = _numbers(Path(directory))
    return verified.manifest, draw(beacon, verified.manifest.digest(), numbers, size)


def vouch(
    directory: str | Path, signer: Signer, *, audited: Audited | None = None, now: datetime
) -> tuple[str, str | None]:
    """The signed certificate of the edition in ``directory``, and the protocol if it was audited.

    Every byte of the copy is checked first, and that it is complete and current. It vouches for
    each class within the copy's scope. Raises ListRefused when anything is not as it was
    published, or an audited entry is bad.
    """
    directory = Path(directory)
    hotline = Subscription.read(directory).certifying
    if not hotline:
        raise ListRefused(
            "This copy is not kept to certify. Make a folder of its own for that: "
            "strandline list init DIR --certifying NAME"
        )
    manifest = check(directory, now=now).manifest
    layout = Layout(directory)
    holdings = Holdings.open(layout, manifest.edition)
    named = next(each for each in holdings.kept.policy.hotlines if each.name == hotline)
    if named.vkey != signer.vkey:
        raise ListRefused(
            f"The list's policy knows {hotline} by another key than the one given. Nothing was "
            "signed; a ceremony changes the policy."
        )
    protocol = _protocol(directory, manifest, hotline, audited) if audited else None
    if protocol and protocol.bad:
        raise ListRefused(
            f"{protocol.bad} of {len(protocol.found)} entries that were looked at are bad. Nothing "
            "was signed: dispute them, and certify the edition that is without them."
        )
    digest = protocol.digest() if protocol else None
    said = Certificate.of(manifest, hotline, holdings.indexes, digest)
    return signer.sign(said.text()), signer.sign(protocol.text()) if protocol else None


def submit(publisher: str, note: str, *, api_key: str) -> str:
    """Hand a certificate in at the publisher's partners' face; what became of it, in a word.

    Raises ListRefused with the publisher's reason, or SiteFailed when there is no answer.
    """
    site = NamedSite.open(publisher, headers={"Authorization": f"Bearer {api_key}"})
    body = json.dumps({"note": note}).encode()
    answer = site.fetcher.post(
        f"{site.url}/{PLACE}", body, content_type="application/json", headers=site.headers
    )
    if isinstance(answer, Failure):
        raise SiteFailed(f"{site.url} gave no answer: {answer.message} Send the certificate again.")
    try:
        said = json.loads(answer.body)
        reason = str(said.get("detail", said.get("state", "")))[:500]
    except (ValueError, AttributeError):
        reason = ""
    if answer.status != 200:
        raise ListRefused(
            f"{site.url} did not take the certificate: {reason or f'status {answer.status}'}"
        )
    return reason


def _protocol(directory: Path, manifest: Manifest, hotline: str, audited: Audited) -> Protocol:
    numbers = _numbers(directory)
    protocol = Protocol(
        origin=manifest.origin,
        edition=manifest.edition,
        manifest=manifest.digest(),
        hotline=hotline,
        beacon=audited.beacon,
        entries=len(numbers),
        found=audited.found,
    )
    protocol.check(numbers)
    return protocol


def _numbers(directory: Path) -> Sequence[int]:
    state = State.open(Layout(directory).store, even_withheld=True)
    return [entry.number for entry in state.entries()]
