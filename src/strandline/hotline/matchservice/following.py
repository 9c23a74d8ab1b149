"""Keeping ``home/match/list`` at the newest published edition: work of the worker, due with each.

What is derived holds the events of published editions and nothing else. A folder that is lost or
damaged is made anew; until that is done, whoever asks is answered from the last good one or told
that there is none.
"""

from collections.abc import Iterator
from datetime import datetime

from strandline.errors import ListRefused
from strandline.hotline.config import Config
from strandline.hotline.hashlist import reading
from strandline.hotline.hashlist.models import Edition
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.matchservice.derived import FOLDER
from strandline.hotline.matchservice.models import Following
from strandline.lists.published.blocks import Block
from strandline.lists.state import State, Step


def hear(*, now: datetime, **_: object) -> None:
    """An edition was published: following is due, by the same commit."""
    schedule(now)


def schedule(now: datetime) -> None:
    """Let the worker look for a newer edition."""
    row, _ = Following.objects.get_or_create(pk=1)
    Following.objects.filter(pk=row.pk).update(due_at=now, given_up_at=None)


def follow(row: Following, tools: Tools, now: datetime) -> None:
    """Handle the due row."""
    bring_up(tools.config)
    with due.finish(row):
        # An edition may have come meanwhile: its commit set no other row than this one.
        if _behind(tools.config):
            schedule(now)


def bring_up(config: Config) -> int:
    """Bring what is derived to the newest published edition; which that is, 0 before the first."""
    newest = Edition.objects.filter(state=Edition.State.PUBLISHED).order_by("-number").first()
    if newest is None:
        return 0
    folder = config.home / FOLDER
    try:
        held: State | None = State.open(folder)
    except ListRefused:
        held = None  # nothing there yet, or damaged
    if held is not None and held.edition == newest.number:
        return newest.number
    if held is not None and held.edition < newest.number:
        try:
            held.apply([Step(newest.number, list(_events(held.sequence, newest.up_to)))])
        except ListRefused:
            held = None  # it does not lead here: another record's, perhaps
        else:
            return newest.number
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    State.build(folder, [Step(newest.number, list(_events(0, newest.up_to)))])
    return newest.number


def _events(after: int, up_to: int) -> Iterator[Block]:
    for listed_class in reading.classes(after=after, up_to=up_to):
        yield from reading.delta(listed_class, after=after, up_to=up_to)


def _behind(config: Config) -> bool:
    newest = Edition.objects.filter(state=Edition.State.PUBLISHED).order_by("-number").first()
    return newest is not None and State.open(config.home / FOLDER).edition < newest.number
