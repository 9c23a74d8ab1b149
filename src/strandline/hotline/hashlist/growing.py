"""Whether members will take the next edition: their programs hold one that changes too much.

Members refuse by the policy in the root of trust, and there is no 'anyway' at their side; so
whoever publishes is told before.
"""

from dataclasses import dataclass

from strandline.errors import ListRefused
from strandline.hotline.config import Config
from strandline.hotline.errors import NotConfigured
from strandline.hotline.hashlist.models import Edition, Event
from strandline.hotline.hashlist.trust import policy_of
from strandline.lists.published.classes import Action

#: Events that take away or replace what members match: they count together.
_TAKING = (Action.WITHDRAW, Action.AMEND, Action.QUARANTINE)


@dataclass(frozen=True)
class Foreseen:
    """An edition that members will refuse."""

    #: What it would change, and what an edition may.
    changes: int
    most: int
    #: Entries it would withdraw, quarantine or amend, and how many it may; no more than it may
    #: where that is not why it is refused.
    taken_away: int
    most_taken_away: int

    @property
    def sentence(self) -> str:
        """What members would say, and what can be done."""
        whys = []
        if self.changes > self.most:
            whys.append(
                f"it would bring {self.changes:,} changes, and one edition may {self.most:,}"
            )
        if self.taken_away > self.most_taken_away:
            whys.append(
                f"it would take away or replace {self.taken_away:,} of the entries, and one "
                f"edition may do so to {self.most_taken_away:,}"
            )
        return (
            f"Members will refuse this edition: {', and '.join(whys)}, by the policy in the list's "
            "root of trust. They keep the last edition they took, and every later one is refused "
            "too, until the holders of the root's keys allow more."
        )


def foresee(config: Config, changes: int) -> Foreseen | None:
    """Why members will refuse the next edition, if it brings so many changes to the list.

    None when they will take it, or hold no edition yet.
    """
    before = Edition.objects.last()
    if before is None:
        return None
    try:
        policy = policy_of(config)
    except (NotConfigured, ListRefused):
        # Then nothing can be published at all, and publishing says so.
        return None
    growth = policy.growth
    live = before.entries - before.quarantined
    taken = Event.objects.filter(sequence__gt=before.up_to, action__in=_TAKING).count()
    foreseen = Foreseen(
        changes=changes,
        most=max(growth.most_events, before.entries * growth.most_percent // 100),
        taken_away=taken,
        most_taken_away=policy.most_taken(live),
    )
    if foreseen.changes > foreseen.most or foreseen.taken_away > foreseen.most_taken_away:
        return foreseen
    return None
