"""What people can do: add and change sources, give a file, decide on what it would bring."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from strandline.errors import AddressRefused
from strandline.fetching import normalise
from strandline.formats import READERS
from strandline.hotline.audit import chain
from strandline.hotline.errors import ExchangeRefused
from strandline.hotline.exchange import files
from strandline.hotline.exchange.meanings import check_words
from strandline.hotline.exchange.models import Delivery, Source

State = Delivery.State
_COUNTRY = re.compile(r"[a-z]{2}")
#: How often a server may be asked, in hours: up to once a month.
_LONGEST = 31 * 24


@dataclass(frozen=True)
class Terms:
    """What a person says of a source."""

    name: str
    trust: str
    jurisdiction: str
    meanings: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    address: str = ""
    username: str = ""
    every_hours: int = 0

    def check(self) -> None:
        """Raise ExchangeRefused, naming the field, for what cannot be."""
        if not 0 < len(self.name) <= 120:
            raise ExchangeRefused("name", "A name of 1 to 120 characters, please.")
        if self.trust not in Source.Trust.values:
            raise ExchangeRefused("trust", "Choose how far it is trusted.")
        if not _COUNTRY.fullmatch(self.jurisdiction):
            raise ExchangeRefused("jurisdiction", "Two letters of a country, please, like 'nl'.")
        check_words(self.jurisdiction, self.labels)
        if not 0 <= self.every_hours <= _LONGEST:
            raise ExchangeRefused("every_hours", f"0 to {_LONGEST} hours, please.")
        if len(self.username) > 120 or ":" in self.username:
            raise ExchangeRefused("username", "A user name of at most 120 characters, without ':'.")
        if self.address:
            _check_address(self.address)
        elif self.every_hours:
            raise ExchangeRefused("address", "Say where its server is, or do not ask it by itself.")


def _check_address(address: str) -> None:
    # The password would be read by anybody on the way; nobody is on the way to this machine itself.
    encrypted = address.startswith("https://") or (
        address.startswith("http://") and _is_loopback(address)
    )
    if len(address) > 300 or not encrypted or "?" in address:
        raise ExchangeRefused(
            "address",
            "The address begins with https://, since a password goes there; it has at most 300 "
            "characters and no '?'. http:// is for this machine itself alone.",
        )
    try:
        normalise(address)
    except AddressRefused as refused:
        # A server inside is allowed only where the fetcher is told so; it says so when it asks.
        if refused.code != "private":
            raise ExchangeRefused("address", refused.message) from None


def _is_loopback(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@transaction.atomic
def add_source(terms: Terms, *, by: str, now: datetime) -> Source:
    """Let lists come from an organisation.

    Raises:
        ExchangeRefused: something cannot be, or there is one of this name.
    """
    terms.check()
    chain.lock()
    if Source.objects.filter(name__iexact=terms.name).exists():
        raise ExchangeRefused("name", "There is a source of this name.")
    source = Source.objects.create(
        **_columns(terms), added_at=now, due_at=now if terms.every_hours else None
    )
    _record("add_source", source.subject, by, now, **_columns(terms))
    return source


@transaction.atomic
def change_source(source: Source, terms: Terms, *, by: str, now: datetime) -> None:
    """Change what is said of a source; what was taken in stays as it is.

    Raises:
        ExchangeRefused: as for :func:`add_source`.
    """
    terms.check()
    chain.lock()
    if Source.objects.filter(name__iexact=terms.name).exclude(pk=source.pk).exists():
        raise ExchangeRefused("name", "There is another source of this name.")
    columns = _columns(terms)
    due_at = (source.due_at or now) if terms.every_hours else None
    Source.objects.filter(pk=source.pk).update(**columns, due_at=due_at, given_up_at=None)
    # What was previewed was previewed with the words as they were.
    for delivery in source.deliveries.filter(state=State.PREVIEWED):
        _read_again(delivery, now)
    _record("change_source", source.subject, by, now, **columns)


def receive(
    source: Source,
    pieces: Iterable[bytes],
    *,
    name: str,
    format_name: str,
    country: str = "",
    by: str,
    now: datetime,
) -> Delivery:
    """Keep a file that somebody gave, and have it read.

    Raises:
        ExchangeRefused: the format is not known, or the file is empty or too large; nothing of it
            was kept.
    """
    if format_name not in READERS:
        raise ExchangeRefused("format", "Choose which format the file is in.")
    kept = files.keep(pieces)
    try:
        with transaction.atomic():
            chain.lock()
            delivery = Delivery.objects.create(
                source=source,
                format=format_name,
                country=country,
                name=_file_name(name),
                size=kept.size,
                sha256=kept.sha256,
                by=by,
                received_at=now,
                due_at=now,
            )
            _record(
                "receive", delivery.subject, by, now,
                source=source.pk, format=format_name, size=kept.size, sha256=kept.sha256,
            )  # fmt: skip
            files.give(kept, delivery.pk)
    finally:
        kept.path.unlink(missing_ok=True)
    return delivery


def take(delivery: Delivery, *, contested: str, by: str, now: datetime) -> None:
    """Have a previewed delivery taken in, whole, by the worker.

    Raises:
        ExchangeRefused: it is not waiting for a decision.
    """
    if contested not in Delivery.Contested.values:
        raise ExchangeRefused("contested", "Choose what becomes of entries that it contradicts.")
    _decide(
        delivery, State.PREVIEWED, State.TAKING, by=by, now=now, due_at=now, contested=contested
    )


def discard(delivery: Delivery, *, by: str, now: datetime) -> None:
    """Do not take a previewed delivery in; its file is removed.

    Raises:
        ExchangeRefused: it is not waiting for a decision.
    """
    # The worker removes the file.
    _decide(delivery, State.PREVIEWED, State.DISCARDED, by=by, now=now, due_at=now)


def take_back(delivery: Delivery, *, reason: str, by: str, now: datetime) -> None:
    """Have a delivery that was taken in taken back by the worker.

    Raises:
        ExchangeRefused: it is not in the list, or no reason was given.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= 200:
        raise ExchangeRefused("reason", "Say why, in at most 200 characters.")
    _decide(delivery, State.TAKEN, State.TAKING_BACK, by=by, now=now, due_at=now, reason=reason)


@transaction.atomic
def _decide(
    delivery: Delivery, before: State, after: State, *, by: str, now: datetime, **columns: object
) -> None:
    chain.lock()
    decided = Delivery.objects.filter(pk=delivery.pk, state=before).update(
        state=after, decided_by=by, decided_at=now, given_up_at=None, failures=0, **columns
    )
    if not decided:
        raise ExchangeRefused(
            "delivery", "Somebody decided on this delivery meanwhile. Nothing was changed."
        )
    detail = {name: value for name, value in columns.items() if name != "due_at"}
    _record(after.value.replace("-", "_"), delivery.subject, by, now, **detail)


def _read_again(delivery: Delivery, now: datetime) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=State.READING, due_at=now, rows=0, counts={}, samples=[], unknown_words={}
    )


def _columns(terms: Terms) -> dict[str, Any]:
    return {
        "name": terms.name,
        "trust": terms.trust,
        "jurisdiction": terms.jurisdiction,
        "meanings": terms.meanings,
        "labels": sorted(set(terms.labels)),
        "address": terms.address.rstrip("/"),
        "username": terms.username,
        "every_hours": terms.every_hours,
    }


def _file_name(given: str) -> str:
    """The last part of a path of any system, as one line of text."""
    last = given.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter if letter.isprintable() else " " for letter in last)
    return " ".join(shown.split())[:200] or "without a name"


def _record(verb: str, subject: str, by: str, now: datetime, **detail: object) -> None:
    chain.record(at=now, actor=by, action=f"exchange.{verb}", subject=subject, detail=detail)
