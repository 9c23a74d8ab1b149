"""What every page of the room knows: its parts, and what waits in those somebody may see."""

from typing import Any

from strandline.hotline.accounts.access import StaffRequest
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.feedback.models import Flood, SourceAlarm


def parts(request: StaffRequest, part: str) -> dict[str, Any]:
    """The context that ``feedback/nav.html`` needs on the page called ``part``."""
    may_settle = request.user.may(Permission.SETTLE_FLOODS)
    waiting = 0
    if may_settle:
        waiting = Flood.objects.filter(outcome="").count()
        waiting += SourceAlarm.objects.filter(state=SourceAlarm.State.OPEN).count()
    return {
        "part": part,
        "may_settle": may_settle,
        "may_see_holders": request.user.may(Permission.SEE_HOLDERS),
        "alarms_waiting": waiting,
    }
