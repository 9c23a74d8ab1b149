"""What this room does when others tell of something, inside their transaction."""

from datetime import datetime

from strandline.hotline.assessment.models import Verdict
from strandline.hotline.hashlist.classing import class_of, identity_of
from strandline.hotline.hashlist.models import Entry, Why
from strandline.hotline.hashlist.recognition import find_near, settle_known
from strandline.hotline.hashlist.services import add_entry, amend, entry_of, withdraw
from strandline.hotline.reports.models import MediaItem, ReportedUrl

BY = "hashlist"


def recognise(*, address: ReportedUrl, now: datetime, **_: object) -> None:
    """An address was captured: what is listed needs nobody to look, what looks alike is hinted."""
    settle_known(address, by=BY, now=now)
    find_near(address)


def list_or_withdraw(*, item: MediaItem, verdict: Verdict, now: datetime, **_: object) -> None:
    """An item was decided: illegal gets its entry and class, anything else loses the one it had."""
    if verdict.how == Verdict.How.EXACT_MATCH:
        return  # it rests on the entry there is
    entry = entry_of(item)
    if not verdict.illegal:
        if entry is not None and entry.state != Entry.State.WITHDRAWN:
            reason = f"Assessed as {verdict.get_category_display().lower()}."
            withdraw(entry, why=Why.NOT_ILLEGAL, reason=reason, by=BY, now=now)
        return
    entry_class = class_of(verdict)
    if entry is not None and entry.state == Entry.State.LISTED:
        what = identity_of(item, entry_class)
        amend(entry, what, why=Why.REASSESSED, reason="Assessed here.", by=BY, now=now)
        return
    # A quarantined entry stays where it is: whoever settles the dispute sees the verdict.
    add_entry(item, entry_class=entry_class, by=BY, now=now)
