"""Published hash lists: writing editions, and what a member does with a list.

A publisher writes files with ``editions``, makes trust with ``ceremony`` and ``repository``. A
member calls what is named here: ``init`` once, ``sync`` as often as the list is published, and
``match`` or ``HashList`` with whatever is to be compared. This room keeps files in the one folder
it is given; it connects through ``fetching`` only, decodes pictures and films through ``hashing``
only, and reads a clock only where a caller gives no time. docs/hashlist-format.md describes the
published files, docs/member.md a member's side.
"""

from strandline.errors import ListRefused, SourceFailed
from strandline.lists.checking import Verified
from strandline.lists.explaining import Explanation, explain
from strandline.lists.exporting import FORMATS, export
from strandline.lists.following import Synced
from strandline.lists.membership import bundle, init, sync, verify
from strandline.lists.recognition import FileMatches, HashList, match
from strandline.lists.state import Hit

__all__ = [
    "FORMATS",
    "Explanation",
    "FileMatches",
    "HashList",
    "Hit",
    "ListRefused",
    "SourceFailed",
    "Synced",
    "Verified",
    "bundle",
    "explain",
    "export",
    "init",
    "match",
    "sync",
    "verify",
]
