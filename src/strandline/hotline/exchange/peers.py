"""Asking a peer's server of NCMEC's shape for what is new, as due work."""

import base64
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db import transaction

from strandline.fetching import Answer, Fetcher, FetchPolicy
from strandline.formats import FormatRefused, HashRow, Losses, Readable, Unreadable, write
from strandline.formats.ncmec_paging import Window, walk
from strandline.hotline import clock
from strandline.hotline.audit import chain
from strandline.hotline.errors import ExchangeRefused, LeaseLost, NotConfigured
from strandline.hotline.exchange import files
from strandline.hotline.exchange.models import Delivery, Source
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools

#: Bytes of one page; a thousand entries are some 500 kB.
LARGEST_PAGE = 32 * 2**20
_XML = ("application/xml", "text/xml")
#: While a delivery of the source waits for a decision, no further one is fetched.
_OPEN = (Delivery.State.READING, Delivery.State.PREVIEWED, Delivery.State.TAKING)
LOOK_AGAIN = timedelta(hours=1)


def fetch(source: Source, tools: Tools, now: datetime) -> None:
    """Fetch everything since the checkpoint as one delivery; taking that in moves it.

    Every page of the window is read before anything is kept of it. What goes wrong is tried again
    later, and shown when it goes on.
    """
    if source.deliveries.filter(state__in=_OPEN).exists():
        with due.finish(source, next_due=now + LOOK_AGAIN):
            return
    window = Window.after(source.checkpoint, now=now)
    with Fetcher(_policy(tools)) as fetcher:
        try:
            kept, rows, losses = _download(source, tools, fetcher, window)
        except (FormatRefused, ExchangeRefused, NotConfigured) as error:
            due.fail(source, error.message, now=now)
            return
    later = now + timedelta(hours=source.every_hours) if source.every_hours else None
    try:
        with due.finish(source, next_due=later):
            if not rows:
                Source.objects.filter(pk=source.pk).update(checkpoint=window.checkpoint)
            else:
                _deliver(source, kept, window, losses, now)
            _record(source, "fetch", now, rows=rows)
    finally:
        kept.path.unlink(missing_ok=True)


def _policy(tools: Tools) -> FetchPolicy:
    web = tools.config.web
    return FetchPolicy(
        seconds=max(web.seconds, 60.0),
        max_bytes=LARGEST_PAGE,
        content_types=_XML,
        allow_networks=web.allow_networks,
        nameservers=web.nameservers,
    )


def _download(
    source: Source, tools: Tools, fetcher: Fetcher, window: Window
) -> tuple[files.Kept, int, Losses]:
    """The whole window in our own plain shape, which carries all that a row can say."""
    losses = Losses()
    get = _getter(source, fetcher, _credentials(source, tools))
    counted = _Counted(walk(get, source.address, window, losses))
    return files.keep(_written(counted)), counted.rows, losses


class _Counted:
    """Rows on their way to the file; one that says nothing refuses the whole window."""

    def __init__(self, rows: Iterator[HashRow | Unreadable]) -> None:
        self._rows = rows
        self.rows = 0

    def __iter__(self) -> Iterator[HashRow]:
        for row in self._rows:
            if isinstance(row, Unreadable):
                raise FormatRefused(row.place, row.reason)
            self.rows += 1
            yield row


def _written(rows: _Counted) -> Iterator[bytes]:
    """The file in pieces, a thousand rows at a time; headings once."""
    some: list[HashRow] = []
    first = True
    for row in rows:
        some.append(row)
        if len(some) == 1000:
            yield _text(some, headings=first)
            some, first = [], False
    yield _text(some, headings=first)


def _text(rows: list[HashRow], *, headings: bool) -> bytes:
    stream = io.BytesIO()
    write("csv", rows, stream)
    text = stream.getvalue()
    return text if headings else text.partition(b"\r\n")[2]


def _getter(source: Source, fetcher: Fetcher, headers: dict[str, str]) -> Callable[[str], Readable]:
    def get(address: str) -> Readable:
        # A first window may take hours: say that this worker is still at it.
        held = Source.objects.filter(pk=source.pk, attempt=source.attempt)
        if not held.update(lease_until=clock.now() + due.LEASE):
            raise LeaseLost(f"{source!r}: another worker took over.")
        answer = fetcher.fetch(address, headers=headers)
        if not isinstance(answer, Answer):
            raise ExchangeRefused("address", f"The server did not answer: {answer.message}")
        if answer.status != 200:
            raise ExchangeRefused(
                "address", f"The server answered with status {answer.status}, not with entries."
            )
        return io.BytesIO(answer.body)

    return get


def _credentials(source: Source, tools: Tools) -> dict[str, str]:
    """HTTP basic, as the service asks for it; nothing where no user name is given."""
    if not source.username:
        return {}
    pair = f"{source.username}:{tools.config.secret(source.secret)}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _deliver(
    source: Source, kept: files.Kept, window: Window, losses: Losses, now: datetime
) -> None:
    delivery = Delivery.objects.create(
        source=source,
        format="csv",
        name=f"since {window.since:%Y-%m-%d %H:%M} UTC",
        size=kept.size,
        sha256=kept.sha256,
        by="worker",
        received_at=now,
        until=window.checkpoint,
        losses=losses.sentences,
        due_at=now,
    )
    files.give(kept, delivery.pk)


def _record(source: Source, verb: str, now: datetime, **detail: object) -> None:
    chain.record(
        at=now, actor="worker", action=f"exchange.{verb}", subject=source.subject, detail=detail
    )


@transaction.atomic
def fetch_now(source: Source, *, by: str, now: datetime) -> None:
    """Have the server asked at once.

    Raises:
        ExchangeRefused: the source has no server.
    """
    chain.lock()
    if not source.address:
        raise ExchangeRefused("address", "This source has no server to ask.")
    Source.objects.filter(pk=source.pk).update(due_at=now, given_up_at=None, failures=0)
    chain.record(at=now, actor=by, action="exchange.fetch_now", subject=source.subject)
