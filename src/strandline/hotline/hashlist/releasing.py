"""Telling members: what was signed goes into the log, witnesses cosign, and trust is released.

Every step looks at what is there and does what is missing, so a worker killed at any instruction
is followed by one that goes on. Nothing is released before a quorum of witnesses cosigned the
log's checkpoint. When nothing changed, members are told that, well before they would doubt it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Max

from strandline.errors import ListRefused
from strandline.hotline.audit import chain
from strandline.hotline.config import Config
from strandline.hotline.hashlist.models import Certificate, Edition, Release
from strandline.hotline.hashlist.publishing import manifest_path
from strandline.hotline.hashlist.scheduling import release_now, schedule
from strandline.hotline.hashlist.signals import edition_published
from strandline.hotline.hashlist.trust import (
    open_log,
    open_repository,
    policy_of,
    sole_publisher,
)
from strandline.hotline.hashlist.witnesses import ask_again, cosignatures
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.published.editions import edition_path
from strandline.lists.published.placing import flush_folders, place
from strandline.lists.trust.repository import Released
from strandline.transparency import Log, make_proof

#: Editions of which members are told, with their certificates; the files keep them all.
KEPT = 10
PROOF = ".proof"
BY = "worker"


def release(row: Release, tools: Tools, now: datetime) -> None:
    """Handle the due row: log what waits, ask witnesses, tell members."""
    config = tools.config
    with sole_publisher(config.published):
        policy = policy_of(config)
        fresh = timedelta(hours=policy.fresh_hours)
        log = open_log(config)
        _log_what_waits(config, log)
        _check_history(log)
        size, since = log.size, now - fresh
        lines = cosignatures(policy, size=size, since=since)
        cosigned = size > 0 and len(lines) >= policy.witness_quorum
        told: Released | None = None
        if cosigned:
            log.publish(lines.values(), checkpoint=log.checkpoint())
            told = _tell(config, log, now)
        elif row.told_at is not None:
            told = open_repository(config).heartbeat(now)
    with due.finish(row, next_due=now + fresh / 4 if size else None):
        if told is not None:
            _mark(row, told, size=size if cosigned else 0, now=now)
        ask_again(policy, size=size, since=now - fresh / 8, now=now)
        if lines != cosignatures(policy, size=size, since=since) or _something_waits():
            # It came while this was at work.
            release_now(now)


def _check_history(log: Log) -> None:
    """Refuse to tell members less than they know already; raises ListRefused."""
    leaves = [
        last
        for model in (Edition, Certificate)
        if (last := model._default_manager.aggregate(last=Max("leaf"))["last"]) is not None
    ]
    known = max(leaves, default=-1) + 1
    if known != log.size:
        raise ListRefused(
            f"The log has {log.size} statements, and the record knows of {known}: one of them was "
            "brought back from an older copy. Members were told nothing; bring back both as of "
            "the same moment, from the newest copies there are."
        )


def _something_waits() -> bool:
    return (
        Edition.objects.filter(state=Edition.State.WRITTEN).exists()
        or Certificate.objects.filter(state=Certificate.State.RECEIVED).exists()
    )


def _log_what_waits(config: Config, log: Log) -> None:
    """Put each waiting manifest and certificate into the log, once."""
    for edition in Edition.objects.filter(state=Edition.State.WRITTEN):
        leaf = _logged(log, (config.published / manifest_path(edition.number)).read_bytes())
        Edition.objects.filter(pk=edition.pk, state=Edition.State.WRITTEN).update(
            state=Edition.State.LOGGED, leaf=leaf
        )
    for certificate in Certificate.objects.filter(state=Certificate.State.RECEIVED):
        leaf = _logged(log, certificate.note.encode())
        Certificate.objects.filter(pk=certificate.pk, state=Certificate.State.RECEIVED).update(
            state=Certificate.State.LOGGED, leaf=leaf
        )


def _logged(log: Log, note: bytes) -> int:
    """Where the note is in the log; it may be there since before a kill."""
    found = log.index_of(note)
    return log.append([note]) if found is None else found


def _tell(config: Config, log: Log, now: datetime) -> Released:
    """Write proofs under the published checkpoint, and release what they prove."""
    size, checkpoint = log.size, log.published()
    assert checkpoint is not None
    reader, targets = log.reader(), {}
    for path, note, leaf in _logged_notes(config):
        place(config.published, path, note, final=True)
        proof = make_proof(leaf, reader.inclusion(leaf, size), checkpoint)
        place(config.published, f"{path}{PROOF}", proof.encode())
        flush_folders(config.published, (config.published / path).parent)
        targets[path] = note
    return open_repository(config).release(targets, now)


def _logged_notes(config: Config) -> Iterator[tuple[str, bytes, int]]:
    """Path, bytes and leaf of what members are told of: newest editions and their certificates."""
    editions = Edition.objects.exclude(leaf=None).order_by("-number")[:KEPT]
    for edition in sorted(editions, key=lambda edition: edition.number):
        path = manifest_path(edition.number)
        assert edition.leaf is not None
        yield path, (config.published / path).read_bytes(), edition.leaf
        for certificate in edition.certificates.exclude(leaf=None):
            assert certificate.leaf is not None
            yield certificate_path(certificate), certificate.note.encode(), certificate.leaf


def certificate_path(certificate: Certificate) -> str:
    """Where a certificate is published, below the published folder."""
    return f"{edition_path(certificate.edition_id)}/certificate.{certificate.hotline}"


def _mark(row: Release, told: Released, *, size: int, now: datetime) -> None:
    """What became public is public in the record too; inside the transaction that ends the work."""
    changes = {"told_at": now, "expires_at": told.expires} | ({"size": size} if size else {})
    Release.objects.filter(pk=row.pk).update(**changes)
    for edition in Edition.objects.filter(state=Edition.State.LOGGED, leaf__lt=size):
        edition.state = Edition.State.PUBLISHED
        edition.save(update_fields=["state"])
        chain.record(
            at=now,
            actor=BY,
            action="hashlist.publish_edition",
            subject=edition.subject,
            detail={
                "entries": edition.entries,
                "quarantined": edition.quarantined,
                "sequence": edition.up_to,
                "manifest_sha256": edition.manifest_sha256,
                "leaf": edition.leaf,
            },
        )
        edition_published.send(Edition, edition=edition, now=now)
        schedule()
    for certificate in Certificate.objects.filter(state=Certificate.State.LOGGED, leaf__lt=size):
        certificate.state = Certificate.State.RELEASED
        certificate.save(update_fields=["state"])
        chain.record(
            at=now,
            actor=BY,
            action="hashlist.release_certificate",
            subject=f"edition:{certificate.edition_id}",
            detail={"hotline": certificate.hotline, "leaf": certificate.leaf},
        )
