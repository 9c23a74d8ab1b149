"""How much a member may still ask: a token bucket and two quotas, in leases.

The database holds the bucket; a process takes about a second's worth of it and spends that from
memory. So a storm of calls costs a conditional update a second, and whatever several processes do,
no more is ever asked than the bucket gave out. Nobody waits for a row: whoever read an older
version of it reads again. What was leased and lies unused goes back; a process that is killed takes
a second's worth of its member's quota with it and nothing else.
"""

import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, F, When

from strandline.hotline.matchservice.models import Bucket, Usage
from strandline.hotline.matchservice.standing import Caller, Limits

#: Seconds after which a lease that nobody uses goes back.
LEASE = 2.0
#: Seconds between writings of figures.
WRITE_EVERY = 5.0
#: Attempts at a bucket that others change at the same moment.
_MOST_TRIES = 200
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Left:
    """What a caller may still ask, as this process knows it."""

    day: int
    month: int
    #: Look-ups that may be asked at once now.
    now: int


class TooMuch(Exception):  # an answer, not a failure: the caller turns it into one
    """More than is allowed was asked."""

    def __init__(self, message: str, wait: float | None, each: float = 0.0) -> None:
        super().__init__(message)
        self.message = message
        #: Seconds until it is worth asking again; none when it never is.
        self.wait = wait
        #: Seconds that each further look-up of a call would have to wait.
        self.each = each

    @property
    def seconds(self) -> int | None:
        """The same in whole seconds, one at least."""
        return None if self.wait is None else max(1, ceil(self.wait))


@dataclass
class _Counted:
    calls: int = 0
    look_ups: int = 0
    listed: int = 0
    refused: int = 0


@dataclass
class _Lease:
    tokens: int
    until: float
    day: int
    month: int
    left: Left


@dataclass
class _Refusal:
    """What was refused: more than that need not be asked for again so soon."""

    until: float
    least: int
    message: str
    each: float


@dataclass
class Allowances:
    """The leases of one process."""

    _lock: threading.RLock = field(default_factory=threading.RLock)
    _leases: dict[str, _Lease] = field(default_factory=dict)
    _refusals: dict[str, _Refusal] = field(default_factory=dict)
    _counted: dict[tuple[int, date], _Counted] = field(default_factory=dict)
    _written: float = 0.0

    def spend(self, caller: Caller, cost: int, now: datetime) -> Left:
        """Take ``cost`` look-ups from what the caller may ask; what is left.

        Raises:
            TooMuch: nothing was taken.
        """
        name, moment = caller.bucket, now.timestamp()
        if cost > caller.limits.burst:
            raise self._refused(
                caller,
                now,
                f"This call asks {cost:,} look-ups and at most {caller.limits.burst:,} may be "
                "asked at once. Send fewer items, or films with fewer frames.",
                None,
            )
        with self._lock:
            lease = self._current(name, moment)
            if lease is None or lease.tokens < cost:
                refusal = self._refusals.get(name)
                if refusal and moment < refusal.until and cost >= refusal.least:
                    wait = refusal.until - moment + (cost - refusal.least) * refusal.each
                    raise self._refused(caller, now, refusal.message, wait)
                lease = self._more(caller, lease, cost, moment)
            lease.tokens -= cost
            lease.until = moment + LEASE
            return Left(
                lease.left.day + lease.tokens,
                lease.left.month + lease.tokens,
                lease.left.now + lease.tokens,
            )

    def count(self, caller: Caller, now: datetime, *, look_ups: int, listed: int) -> None:
        """Add an answered call to the caller's figures."""
        with self._lock:
            counted = self._of(caller, now)
            counted.calls += 1
            counted.look_ups += look_ups
            counted.listed += listed
        if abs(now.timestamp() - self._written) >= WRITE_EVERY:
            self.settle(now)

    def settle(self, now: datetime | None = None) -> None:
        """Write the figures, and give back what leases that ran out did not use.

        Without ``now`` all leases are given back: the process ends.
        """
        with self._lock:
            moment = float("inf") if now is None else now.timestamp()
            over = {n: held for n, held in self._leases.items() if held.until <= moment}
            for name in over:
                del self._leases[name]
            counted, self._counted = self._counted, {}
            self._written = 0.0 if now is None else moment
        if not counted and not over:
            return
        with transaction.atomic():  # one wait for the disk
            for (key, day), figures in counted.items():
                _add(key, day, figures)
            for name, lease in over.items():
                _give_back(name, lease)

    def _current(self, name: str, moment: float) -> _Lease | None:
        lease = self._leases.get(name)
        if lease is not None and lease.day != _periods(moment)[0]:
            del self._leases[name]  # yesterday's, gone with yesterday's quota
            return None
        return lease

    def _more(self, caller: Caller, held: _Lease | None, cost: int, moment: float) -> _Lease:
        """A lease of at least ``cost``, from the database."""
        name = caller.bucket
        spare = held.tokens if held else 0
        try:
            taken = _take(name, caller.limits, cost - spare, moment)
        except TooMuch as refused:
            until = moment + (refused.wait or 0)
            self._refusals[name] = _Refusal(until, cost, refused.message, refused.each)
            now = datetime.fromtimestamp(moment, UTC)
            raise self._refused(caller, now, refused.message, refused.wait) from None
        self._refusals.pop(name, None)
        taken.tokens += spare
        self._leases[name] = taken
        return taken

    def _refused(self, caller: Caller, now: datetime, message: str, wait: float | None) -> TooMuch:
        with self._lock:
            self._of(caller, now).refused += 1
        return TooMuch(message, wait)

    def _of(self, caller: Caller, now: datetime) -> _Counted:
        return self._counted.setdefault((caller.key, now.astimezone(UTC).date()), _Counted())


def left_of(caller: Caller, now: datetime) -> Left:
    """What the database says is left, leases that are out not counted as left."""
    moment = now.timestamp()
    row = Bucket.objects.filter(pk=caller.bucket).first() or _full(
        caller.bucket, caller.limits, moment
    )
    _roll(row, caller.limits, moment)
    return _left(row, caller.limits)


def _take(name: str, limits: Limits, cost: int, moment: float) -> _Lease:
    """Lease ``cost`` look-ups or, when there are more, about what is used in a second."""
    for _ in range(_MOST_TRIES):
        row = Bucket.objects.filter(pk=name).first()
        if row is None:
            try:
                with transaction.atomic():
                    row = _full(name, limits, moment)
                    row.save(force_insert=True)
            except IntegrityError:
                continue  # another process made it
        _roll(row, limits, moment)
        _refuse(row, limits, cost, moment)
        usual = max(1, int(min(limits.per_second, limits.burst / 10)))
        left = _left(row, limits)
        given = max(cost, min(usual, left.now, left.day, left.month))
        changed = Bucket.objects.filter(pk=name, version=row.version).update(
            tokens=row.tokens - given,
            at=row.at,
            day=row.day,
            day_used=row.day_used + given,
            month=row.month,
            month_used=row.month_used + given,
            version=row.version + 1,
        )
        if changed:
            row.tokens -= given
            row.day_used += given
            row.month_used += given
            return _Lease(given, moment + LEASE, row.day, row.month, _left(row, limits))
    raise TooMuch("Very many calls came at the same moment. Send this one again.", 1)


def _give_back(name: str, lease: _Lease) -> None:
    if lease.tokens <= 0:
        return
    # More than the burst is cut off when the bucket is next read.
    Bucket.objects.filter(pk=name).update(
        tokens=F("tokens") + lease.tokens,
        day_used=_less("day", lease.day, lease.tokens),
        month_used=_less("month", lease.month, lease.tokens),
        version=F("version") + 1,
    )


def _less(period: str, number: int, tokens: int) -> Case:
    """What was used of a quota without these, if it is still that day's or month's."""
    used = f"{period}_used"
    same = When(**{period: number, f"{used}__gte": tokens}, then=F(used) - tokens)
    return Case(same, default=F(used), output_field=BigIntegerField())


def _full(name: str, limits: Limits, moment: float) -> Bucket:
    day, month = _periods(moment)
    return Bucket(name=name, tokens=float(limits.burst), at=moment, day=day, month=month)


def _periods(moment: float) -> tuple[int, int]:
    today = datetime.fromtimestamp(moment, UTC).date()
    return (today - _EPOCH).days, today.year * 12 + today.month - 1


def _roll(row: Bucket, limits: Limits, moment: float) -> None:
    """Bring a bucket to the present, in memory. A clock that went back fills nothing."""
    row.tokens = min(
        float(limits.burst), row.tokens + max(0.0, moment - row.at) * limits.per_second
    )
    row.at = max(row.at, moment)
    day, month = _periods(moment)
    if day > row.day:
        row.day, row.day_used = day, 0
    if month > row.month:
        row.month, row.month_used = month, 0


def _left(row: Bucket, limits: Limits) -> Left:
    return Left(
        day=max(0, limits.per_day - row.day_used),
        month=max(0, limits.per_month - row.month_used),
        now=max(0, int(row.tokens)),
    )


def _refuse(row: Bucket, limits: Limits, cost: int, moment: float) -> None:
    left, today = _left(row, limits), datetime.fromtimestamp(moment, UTC)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    if left.month < cost:
        first = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
        first = midnight if midnight.day == 1 else first
        raise TooMuch(
            f"This month's quota of {limits.per_month:,} look-ups is used up but for "
            f"{left.month:,}.",
            first.timestamp() - moment,
        )
    if left.day < cost:
        raise TooMuch(
            f"Today's quota of {limits.per_day:,} look-ups is used up but for {left.day:,}.",
            midnight.timestamp() - moment,
        )
    if row.tokens < cost:
        each = 1 / max(limits.per_second, 1e-6)
        wait = (cost - row.tokens) * each
        raise TooMuch(
            f"Too many look-ups at once: {limits.per_second:g} a second may be asked in the long "
            "run.",
            wait,
            each,
        )


def _add(key: int, day: date, figures: _Counted) -> None:
    with transaction.atomic():
        row, _ = Usage.objects.get_or_create(key_id=key, day=day)
        Usage.objects.filter(pk=row.pk).update(
            calls=F("calls") + figures.calls,
            look_ups=F("look_ups") + figures.look_ups,
            listed=F("listed") + figures.listed,
            refused=F("refused") + figures.refused,
        )
