"""Uploads: what a site does with a file that somebody sends, before it keeps it.

``HeldList`` compares with the list in a member's folder; ``guard`` holds the WSGI and ASGI
middleware, ``django`` a validator for file fields. A listed file is refused with one sentence that
tells its sender nothing, and the site's own function is told, so that a trained person looks:
nothing here acts against an account.

What it may touch: ``strandline.lists`` and ``strandline.hashing``. It opens no connection and
keeps no file; a long body lies in an unnamed temporary file while it is checked.
"""

from strandline.uploads.checking import Checker, Finding, HeldList, Unavailable
from strandline.uploads.guard import Listed, asgi_guard, wsgi_guard

__all__ = [
    "Checker",
    "Finding",
    "HeldList",
    "Listed",
    "Unavailable",
    "asgi_guard",
    "wsgi_guard",
]
