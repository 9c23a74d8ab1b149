"""The list of innocent pictures as members get it: a signed note, written by the worker.

Its text::

    hotline.example/innocent
    format 2
    number 3
    issued 2026-03-02T09:00:00Z
    pictures 2
    logo 5a1f… -
    blank - 0000…

one line a picture: what it is, its sha256, its PDQ hash, ``-`` where one is not known. A member
whose picture is within the radius of likeness of one disregards likenesses to entries.
"""

from datetime import datetime

from strandline.hotline.audit import chain
from strandline.hotline.feedback.models import Innocent, InnocentFile
from strandline.hotline.hashlist.trust import list_signer
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.published.innocent_note import InnocentNote, InnocentPicture

#: The one row of :class:`InnocentFile`.
_ONLY = 1


def sign_soon(*, now: datetime) -> None:
    """Make the file due to be signed anew, in the caller's transaction."""
    InnocentFile.objects.update_or_create(
        pk=_ONLY, defaults={"due_at": now, "given_up_at": None, "failures": 0}
    )


def served() -> str:
    """The signed file; empty before the first picture was accepted."""
    row = InnocentFile.objects.first()
    return row.note if row else ""


def text(*, origin: str, number: int, issued: datetime) -> str:
    """The file's text as of now, without its signature."""
    rows = Innocent.objects.filter(state=Innocent.State.ACCEPTED)
    pictures = (InnocentPicture(row.what, row.sha256 or None, row.pdq or None) for row in rows)
    return InnocentNote.of(origin, number, issued, pictures).text()


def sign(row: InnocentFile, tools: Tools, now: datetime) -> None:
    """Handle the due row: sign what is on the list as of now."""
    number = row.number + 1
    written = text(origin=tools.config.list_origin, number=number, issued=now)
    note = list_signer(tools.config).sign(written)
    with due.finish(row):
        InnocentFile.objects.filter(pk=row.pk).update(note=note, number=number)
        chain.record(
            at=now, actor="worker", action="feedback.sign_innocent", subject="innocent-pictures"
        )
