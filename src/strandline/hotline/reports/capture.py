"""The first look at an address: fetch, fingerprint, keep, and put it before the analysts."""

from datetime import datetime, timedelta

from strandline.errors import AlreadyStored
from strandline.hashing import FilmFacts, digests
from strandline.hotline.audit import chain
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.reports.look import Outcome, SeenPicture, Sight, look_at
from strandline.hotline.reports.models import (
    Appearance,
    Availability,
    Capture,
    Film,
    MediaItem,
    Observation,
    ReportedUrl,
)
from strandline.hotline.reports.services import change_state
from strandline.hotline.reports.signals import address_captured
from strandline.hotline.reports.states import State
from strandline.media import PIPELINE, Style
from strandline.vault import Vault

BY = "worker"
#: Inconclusive attempts after which a person decides.
MOST_TRIES = 3
#: After the first inconclusive attempt; doubles.
TRY_AGAIN_AFTER = timedelta(hours=6)


def capture(row: Capture, tools: Tools, now: datetime) -> None:
    """Handle one due capture: fetch and examine outside, then write everything at once."""
    address = row.address
    if address.state != State.TRIAGED:
        with due.finish(row):
            return
    sight = look_at(address, tools, tuple(Style))
    if sight.outcome == Outcome.INCONCLUSIVE or (not sight.pictures and sight.missed):
        _inconclusive(row, sight, now)
    elif sight.outcome == Outcome.GONE:
        with due.finish(row):
            observe(address, sight, Availability.REMOVED, now)
            change_state(address, State.NOT_FOUND, by=BY, now=now, reason=sight.reason)
    elif not any(picture.facts for picture in sight.pictures):
        with due.finish(row):
            observe(address, sight, Availability.PRESENT, now)
            _record(row, sight, tools, now)
            reason = _why_not(sight)
            change_state(address, State.NEEDS_INFORMATION, by=BY, now=now, reason=reason)
    else:
        for picture in sight.pictures:
            _keep(picture, tools)
        with due.finish(row):
            observe(address, sight, Availability.PRESENT, now)
            _record(row, sight, tools, now)
            change_state(address, State.CAPTURED, by=BY, now=now, reason=sight.reason)
            address_captured.send(ReportedUrl, address=address, now=now)


def _why_not(sight: Sight) -> str:
    """Why there is nothing to assess, in the words of the first thing that was refused."""
    refused = next((each.refused for each in sight.pictures if each.refused), None)
    if refused is None:
        return "no pictures"
    return f"nothing here can be shown; {refused.verdict}: {refused.message}"


def observe(
    address: ReportedUrl, sight: Sight, availability: Availability, now: datetime
) -> Observation:
    """Write down what one look showed."""
    return Observation.objects.create(
        address=address,
        at=now,
        availability=availability,
        reason=sight.reason,
        status=sight.status,
        final_url=sight.final_url,
        ip=sight.ip,
    )


def _inconclusive(row: Capture, sight: Sight, now: datetime) -> None:
    tries = row.tries + 1
    last = tries >= MOST_TRIES
    with due.finish(row, next_due=None if last else now + TRY_AGAIN_AFTER * 2 ** (tries - 1)):
        observe(row.address, sight, Availability.INCONCLUSIVE, now)
        Capture.objects.filter(pk=row.pk).update(tries=tries)
        if last:
            change_state(
                row.address,
                State.NEEDS_INFORMATION,
                by=BY,
                now=now,
                reason=f"inconclusive {tries} times; last: {sight.reason}",
            )


def _keep(picture: SeenPicture, tools: Tools) -> None:
    """Put bytes and renditions into the vault; what is there already stays as it is."""
    if picture.facts is None:
        return
    sha256 = picture.facts.digests.sha256
    if tools.config.keep_evidence:
        _put(tools.evidence, f"originals/{sha256}", picture.data)
    for style, data in picture.facts.renditions.items():
        _put(tools.renditions, f"renditions/{sha256}/{style.value}", data)


def _put(vault: Vault, key: str, data: bytes) -> None:
    try:
        vault.put(key, data)
    except AlreadyStored:
        # The same bytes from another address, or from an attempt that was cut off after this.
        return


def _record(row: Capture, sight: Sight, tools: Tools, now: datetime) -> None:
    for picture in sight.pictures:
        item = _item(picture, tools, now)
        Appearance.objects.get_or_create(
            address=row.address, item=item, defaults={"source_url": picture.url, "seen_at": now}
        )
    Capture.objects.filter(pk=row.pk).update(captured_at=now)
    chain.record(
        at=now,
        actor=BY,
        action="reports.capture",
        subject=row.address.subject,
        detail={"pictures": len(sight.pictures), "missed": len(sight.missed)},
    )


def _item(picture: SeenPicture, tools: Tools, now: datetime) -> MediaItem:
    if picture.facts is None:
        assert picture.refused is not None
        found = digests(picture.data)
        defaults: dict[str, object] = {
            "refusal": picture.refused.verdict,
            "pipeline": PIPELINE,
        }
    elif isinstance(picture.facts, FilmFacts):
        film = picture.facts.film
        found = film.digests
        defaults = {
            "pipeline": film.pipeline,
            "format": film.format,
            "width": film.width,
            "height": film.height,
            "seconds": film.duration,
            "truncated": film.truncated,
        }
    else:
        image = picture.facts.image
        found = image.digests
        defaults = {
            "pdq": image.pdq or "",
            "quality": image.quality,
            "pipeline": image.pipeline,
            "format": image.format,
            "width": image.width,
            "height": image.height,
            "truncated": image.truncated,
        }
    kept = picture.facts is not None and tools.config.keep_evidence
    item, is_new = MediaItem.objects.get_or_create(
        sha256=found.sha256,
        defaults={
            "kind": MediaItem.Kind.VIDEO if picture.is_film else MediaItem.Kind.IMAGE,
            "sha1": found.sha1,
            "md5": found.md5,
            "size": len(picture.data),
            "first_seen_at": now,
            "bytes_are": MediaItem.Bytes.KEPT if kept else MediaItem.Bytes.DISCARDED,
            **defaults,
        },
    )
    if is_new and isinstance(picture.facts, FilmFacts):
        Film.of(item, picture.facts).save()
    return item
