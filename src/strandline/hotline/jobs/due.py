"""Claiming due work, finishing it, failing it: about the whole of our 'queue'.

The pattern: claim a row by a conditional update (:func:`claim`); do what reaches outside; then
write every consequence inside :func:`finish`, which first proves that the lease is still ours. A
worker killed at any instruction leaves a lease that runs out, or that the next worker of the same
name takes back at once (:func:`release`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.db.models import Q

from strandline.hotline.audit import chain
from strandline.hotline.errors import LeaseLost
from strandline.hotline.jobs.models import DueWork
from strandline.hotline.jobs.tools import Tools

W = TypeVar("W", bound=DueWork)
Handler = Callable[[W, Tools, datetime], None]

#: Longer than any one handler may take (every fetch and decode has its own, shorter limit).
LEASE = timedelta(minutes=10)
#: After this many failures in a row a person has to look.
MOST_FAILURES = 8


@dataclass(frozen=True)
class Kind:
    """One kind of due work: its table and what to do with a row."""

    model: type[DueWork]
    handler: Callable[[Any, Tools, datetime], None]
    order: int

    @property
    def name(self) -> str:
        """How pages and logs name it."""
        return str(self.model._meta.verbose_name)


_kinds: dict[type[DueWork], Kind] = {}


def register(model: type[W], handler: Handler[W], *, order: int) -> None:
    """Let workers do this kind of work; lower ``order`` comes first."""
    _kinds[model] = Kind(model, handler, order)


def kinds() -> list[Kind]:
    """Every registered kind, in the order workers try them."""
    return sorted(_kinds.values(), key=lambda kind: kind.order)


def name_of(model: type[DueWork]) -> str:
    """How addresses of pages and the audit chain name a kind, e.g. ``reports.capture``."""
    return model._meta.label_lower


def find(name: str, pk: int) -> DueWork | None:
    """The row ``pk`` of the kind called ``name``; none when there is no such kind or row."""
    for kind in kinds():
        if name_of(kind.model) == name:
            return kind.model._default_manager.filter(pk=pk).first()
    return None


def _claimable(now: datetime) -> Q:
    return Q(due_at__lte=now) & (Q(lease_until=None) | Q(lease_until__lt=now))


def claim(model: type[W], *, worker: str, now: datetime) -> W | None:
    """The next row that is due, now leased to ``worker``; none when nothing is due."""
    rows: models.QuerySet[W] = model._default_manager.filter(_claimable(now))
    while (row := rows.order_by("due_at", "pk").first()) is not None:
        taken = rows.filter(pk=row.pk, attempt=row.attempt).update(
            lease_until=now + LEASE, leased_by=worker, attempt=row.attempt + 1
        )
        if taken:
            row.refresh_from_db()
            return row
    return None


@contextmanager
def finish(row: DueWork, *, next_due: datetime | None = None) -> Iterator[None]:
    """A transaction that ends the lease on ``row``; write every consequence inside it.

    Raises:
        LeaseLost: another worker holds the row by now; nothing is written.
    """
    with transaction.atomic():
        chain.lock()
        ended = (
            type(row)
            ._default_manager.filter(pk=row.pk, attempt=row.attempt)
            .update(due_at=next_due, lease_until=None, leased_by="", failures=0, last_error="")
        )
        if not ended:
            raise LeaseLost(f"{row!r}: the lease ran out and another worker took over.")
        yield


def fail(row: DueWork, error: str, *, now: datetime) -> None:
    """Put the row back for later, longer each time; after too many failures, for a person."""
    failures = row.failures + 1
    given_up = failures >= MOST_FAILURES
    with transaction.atomic():
        chain.lock()
        written = (
            type(row)
            ._default_manager.filter(pk=row.pk, attempt=row.attempt)
            .update(
                due_at=None if given_up else now + timedelta(minutes=2**failures),
                lease_until=None,
                leased_by="",
                failures=failures,
                last_error=error[:2000],
                given_up_at=now if given_up else None,
            )
        )
        if written and given_up:
            chain.record(
                at=now,
                actor="worker",
                action="jobs.give_up",
                subject=f"{row._meta.label_lower}:{row.pk}",
                detail={"failures": failures},
            )


@transaction.atomic
def retry(row: DueWork, *, by: str, now: datetime) -> None:
    """Make a row that was given up due again, as a person decided; any other row stays as it is."""
    chain.lock()
    rows = type(row)._default_manager.filter(pk=row.pk, given_up_at__isnull=False)
    if rows.update(due_at=now, given_up_at=None, failures=0):
        subject = f"{row._meta.label_lower}:{row.pk}"
        chain.record(at=now, actor=by, action="jobs.retry", subject=subject)


def release(worker: str) -> int:
    """Take back every lease an earlier process of this name left behind; how many there were."""
    return sum(
        kind.model._default_manager.filter(leased_by=worker, lease_until__isnull=False).update(
            lease_until=None, leased_by=""
        )
        for kind in kinds()
    )


def anything_due(now: datetime, *, or_under_way: bool = False) -> bool:
    """Whether a row of any kind is due; with ``or_under_way``, or is being done right now.

    One statement for all kinds: an idle worker asks this all day.
    """
    leased = " OR lease_until IS NOT NULL" if or_under_way else ""
    parts = [
        f"SELECT 1 FROM {kind.model._meta.db_table} WHERE due_at <= %s{leased}"  # noqa: S608
        for kind in kinds()
    ]
    moment = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} LIMIT 1", [moment] * len(parts))
        return cursor.fetchone() is not None


def next_due() -> datetime | None:
    """When the earliest row of any kind is due, if any is."""
    times = [
        due
        for kind in kinds()
        if (due := kind.model._default_manager.aggregate(t=models.Min("due_at"))["t"])
    ]
    return min(times, default=None)


def failing() -> list[DueWork]:
    """Rows a person should look at: given up, or failing for a while."""
    return [
        row
        for kind in kinds()
        for row in kind.model._default_manager.filter(
            Q(given_up_at__isnull=False) | Q(failures__gte=2)
        ).order_by("pk")[:200]
    ]
