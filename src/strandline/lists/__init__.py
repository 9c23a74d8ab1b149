"""Published hash lists: writing editions, and what a member does with a list.

``published`` is the form of the files and writes them, ``trust`` is whom they are believed to,
``member`` a copy of them, ``state`` what that comes to. A member calls what is named here: ``init``
once, ``sync`` as often as the list is published, and ``match`` or ``HashList`` with whatever is to
be compared. This room keeps files in the one folder it is given; it connects through ``fetching``
only, decodes pictures and films through ``hashing`` only, and reads a clock only where a caller
gives no time. docs/hashlist-format.md describes the published files, docs/member.md a member's.
"""

from strandline.errors import ListRefused, SourceFailed
from strandline.lists.member.checking import Verified
from strandline.lists.member.explaining import Explanation, explain
from strandline.lists.member.exporting import FOREIGN, FORMATS, export, export_foreign
from strandline.lists.member.following import Synced
from strandline.lists.member.innocence import SetAside
from strandline.lists.member.membership import bundle, init, sync, verify
from strandline.lists.member.recognition import FileMatches, HashList, match
from strandline.lists.state import Hit

__all__ = [
    "FOREIGN",
    "FORMATS",
    "Explanation",
    "FileMatches",
    "HashList",
    "Hit",
    "ListRefused",
    "SetAside",
    "SourceFailed",
    "Synced",
    "Verified",
    "bundle",
    "explain",
    "export",
    "export_foreign",
    "init",
    "match",
    "sync",
    "verify",
]
