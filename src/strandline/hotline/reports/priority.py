"""How soon an address is looked at: one formula, on the server, from facts alone.

Nothing in it grows with waiting time, so that the queue's order is an index; older addresses come
first among equals because the queue is read in order of arrival.
"""

from strandline.hotline.reports.models import Report

#: Somebody close to a child, or trained to judge, is likelier to be right and in a hurry.
BY_SOURCE = {
    Report.Source.SURVIVOR: 60,
    Report.Source.CHILD_SERVICE: 60,
    Report.Source.POLICE: 50,
    Report.Source.HOTLINE: 40,
    Report.Source.MEMBER: 30,
    Report.Source.PROACTIVE: 20,
    Report.Source.PUBLIC: 10,
    Report.Source.OTHER: 0,
}
#: For each further report of the same address, up to five.
EACH_REPORT = 8
#: The site has held confirmed content before.
KNOWN_SITE = 15
#: Somebody wrote a message beside the address.
HAS_NOTE = 2


def priority(*, source: str, reports: int, known_site: bool, has_note: bool) -> int:
    """Priority from 0 to about 120; higher is sooner."""
    return (
        BY_SOURCE[Report.Source(source)]
        + EACH_REPORT * min(max(reports - 1, 0), 5)
        + (KNOWN_SITE if known_site else 0)
        + (HAS_NOTE if has_note else 0)
    )
