"""What this room does when others tell of something, inside their transaction."""

from datetime import datetime

from strandline.hotline.assessment.models import Verdict
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.hashlist.recognition import find_near, settle_known
from strandline.hotline.hashlist.services import add_entry, withdraw
from strandline.hotline.reports.models import MediaItem, ReportedUrl

BY = "hashlist"


def recognise(*, address: ReportedUrl, now: datetime, **_: object) -> None:
    """An address was captured: what is listed needs nobody to look, what looks alike is hinted."""
    settle_known(address, by=BY, now=now)
    find_near(address)


def list_or_withdraw(*, item: MediaItem, verdict: Verdict, now: datetime, **_: object) -> None:
    """An item was decided: illegal gets its entry, anything else loses the one it had."""
    if verdict.illegal:
        labels = [verdict.baseline] if verdict.baseline else []
        add_entry(item, category=verdict.category, labels=labels, by=BY, now=now)
        return
    entry = Entry.objects.filter(item=item, status=Entry.Status.ACTIVE).first()
    if entry is not None:
        reason = f"Assessed as {verdict.get_category_display().lower()}."
        withdraw(entry, reason=reason, by=BY, now=now)
