"""Published hash lists: writing an edition, and what a member does with one.

A publisher calls ``write_edition``. A member calls ``sync``, ``verify`` and ``match``. This room
keeps files in the one folder it is given; it connects through ``fetching`` only, decodes pictures
through ``hashing`` only, and has no clock. docs/hashlist-format.md describes the files.
"""

from strandline.errors import ListRefused
from strandline.lists.entries import Entry
from strandline.lists.holding import verify
from strandline.lists.manifest import Manifest
from strandline.lists.publishing import latest_digest, write_edition
from strandline.lists.recognising import FileMatches, HashList, Hit, match
from strandline.lists.syncing import Synced, sync

__all__ = [
    "Entry",
    "FileMatches",
    "HashList",
    "Hit",
    "ListRefused",
    "Manifest",
    "Synced",
    "latest_digest",
    "match",
    "sync",
    "verify",
    "write_edition",
]
