"""Who vouches for an entry, and which entries wait because too few do.

One word is enough from an assessment here, from an import of another kind, or from a source that
is trusted today; of the others it takes two. Every function runs inside the caller's transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from strandline.hotline.assessment.models import Verdict
from strandline.hotline.exchange.models import Delivery, Mention, Source
from strandline.hotline.hashlist import events, services
from strandline.hotline.hashlist.checks import check_listed
from strandline.hotline.hashlist.models import Entry, Event, Why
from strandline.lists.published.classes import Action

Says = Mention.Says
#: Assessed here, whatever else it came with.
HERE = Q(source="assessment") | Q(item__verdict__how__in=(Verdict.How.AGREED, Verdict.How.THIRD))
_ELSEWHERE = Q(batch=None) | Q(batch__delivery=None, batch__reverted_at=None)
#: Quarantined by this room until a second source has the same. Its reasons begin like this; a
#: manager's quarantine of a whole source has the same word for members, and is ended by a manager.
_WAITING = "Only "
HELD = Q(state=Entry.State.QUARANTINED, why=Why.SINGLE_SOURCE, reason__startswith=_WAITING)
#: Entries named in one statement.
_NAMED = 500
#: What a contradiction is called in the record; before it had a word of its own for members,
#: this alone told it from what members dispute.
_OTHERWISE = " says otherwise"
CONTRADICTED = Q(state=Entry.State.QUARANTINED) & (
    Q(why=Why.CONTRADICTED) | Q(why=Why.DISPUTED, reason__endswith=_OTHERWISE)
)


class _More(TypedDict):
    subject: str
    by: str
    now: datetime


@dataclass(frozen=True)
class Act:
    """On which delivery something is done to entries, by whom it was decided, and when."""

    delivery: Delivery
    now: datetime

    @property
    def source(self) -> str:
        """The name of who delivered it."""
        return self.delivery.source.name

    @property
    def more(self) -> _More:
        """What every change of entries takes."""
        return {
            "subject": self.delivery.subject,
            "by": self.delivery.decided_by,
            "now": self.now,
        }


def live(says: Mention.Says) -> QuerySet[Mention]:
    """The deliveries that count and say this of the outer entry."""
    return Mention.objects.filter(
        entry=OuterRef("pk"), says=says, ended_by=None, delivery__state=Delivery.State.TAKEN
    )


def unvouched(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """Those for which no delivery vouches any more, no assessment here, and no other import."""
    return entries.filter(~Exists(live(Says.VOUCHES))).exclude(HERE).exclude(_ELSEWHERE)


def _alone() -> Q:
    """That too few vouch for an entry to have it matched."""
    vouching = live(Says.VOUCHES)
    trusted = vouching.filter(delivery__source__trust=Source.Trust.TRUSTED)
    sources = (
        vouching.order_by().values("entry").annotate(n=Count("delivery__source", distinct=True))
    )
    enough = HERE | _ELSEWHERE | Q(Exists(trusted)) | Q(Exists(sources.filter(n__gt=1)))
    return ~enough


def left_by(source: Source, entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """Those for which this source vouches no more."""
    return entries.filter(~Exists(live(Says.VOUCHES).filter(delivery__source=source)))


def hold(entries: QuerySet[Entry], act: Act) -> int:
    """Quarantine what a source of little trust brought, until another has the same."""
    reason = f"{_WAITING}{act.source} has it so far"[:250]
    return services.quarantine_many(entries, why=Why.SINGLE_SOURCE, reason=reason, **act.more)


def wait(entries: QuerySet[Entry], act: Act) -> int:
    """Quarantine whichever of these are listed though too few are left that vouch for them."""
    reason = f"{_WAITING}one source has it now, without {act.delivery} of {act.source}"[:250]
    return services.quarantine_many(
        entries.filter(_alone()), why=Why.SINGLE_SOURCE, reason=reason, **act.more
    )


def free(entries: QuerySet[Entry], reason: str, act: Act) -> int:
    """Restore whichever of these waited and have enough that vouch for them; none contradicted."""
    after = events.last_sequence()
    ready = entries.filter(HELD, ~_alone(), ~Exists(live(Says.CONTESTS)))
    restored = services.restore_many(ready, why=Why.CLEARED, reason=reason[:250], **act.more)
    _look_again(after, act)
    return restored


def contradict(entries: QuerySet[Entry], source: str, act: Act) -> int:
    """Quarantine whichever of these are listed, because ``source`` says otherwise."""
    return services.quarantine_many(
        entries, why=Why.CONTRADICTED, reason=f"{source}{_OTHERWISE}"[:250], **act.more
    )


def clear(entries: QuerySet[Entry], reason: str, act: Act) -> tuple[int, int]:
    """Restore whichever of these are quarantined for contradictions and have none left.

    How many that were, and how many wait now instead, because too few vouch for them.
    """
    after = events.last_sequence()
    ready = entries.filter(CONTRADICTED, ~Exists(live(Says.CONTESTS)))
    restored = services.restore_many(ready, why=Why.CLEARED, reason=reason, **act.more)
    waiting = sum(wait(Entry.objects.filter(pk__in=some), act) for some in _restored(after))
    _look_again(after, act)
    return restored - waiting, waiting


def _restored(after: int) -> Iterator[list[int]]:
    """The entries restored after this event and by now, some hundred at a time."""
    last = events.last_sequence()
    rows = Event.objects.filter(sequence__lte=last, action=Action.RESTORE).order_by("sequence")
    told = rows.values_list("sequence", "entry")
    while some := list(told.filter(sequence__gt=after)[:_NAMED]):
        yield [number for _, number in some]
        after = some[-1][0]


def _look_again(after: int, act: Act) -> None:
    """Let other rooms say whether they found a doubt while these were not matched."""
    for some in _restored(after):
        check_listed(some, now=act.now)
