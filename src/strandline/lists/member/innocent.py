"""The publisher's note of innocent pictures in a copy: taken in by a sync, and read back.

An edition never waits for it, and a note that is refused takes nothing from an edition: what is
withdrawn must reach the member whatever becomes of a file that only hides matches. So the note held
before stays in use, and a sentence says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from strandline.errors import ListRefused, NotPublished, StrandlineError
from strandline.lists.denied import told
from strandline.lists.member.conditions import CLOCKS
from strandline.lists.member.holdings import settled
from strandline.lists.member.layout import INNOCENT, Layout
from strandline.lists.published.innocent_note import MAX_BYTES, InnocentNote
from strandline.lists.trust.policy import Policy
from strandline.lists.trust.refusals import shown
from strandline.transparency import Verifier, open_note


@dataclass(frozen=True)
class Offered:
    """What is to be held from now on."""

    #: The note in its one form; None where there is none.
    plain: bytes | None = None
    #: A sentence, when what is published was not taken, or what was held is lost.
    problem: str | None = None


def open_innocent(data: bytes, policy: Policy) -> tuple[InnocentNote, bytes]:
    """A note that the publisher signed, of this list, and its bytes in their one form.

    Raises ListRefused.
    """
    if len(data) > MAX_BYTES:
        raise ListRefused(f"The note of innocent pictures is longer than {MAX_BYTES:,} bytes.")
    try:
        opened = open_note(data, [Verifier.from_vkey(policy.publisher.vkey)])
        note = InnocentNote.parse(opened.text)
    except StrandlineError as error:
        raise ListRefused(f"The note of innocent pictures: {error.message}") from error
    if note.origin != policy.origin:
        raise ListRefused(f"The note of innocent pictures is of another list, {note.origin}.")
    plain = f"{opened.text}\n{''.join(line.line for line in opened.signatures)}"
    return note, plain.encode()


@told()
def held_innocent(layout: Layout, policy: Policy) -> InnocentNote | None:
    """The note that is held; None where none was given.

    Raises ListRefused when it is missing, damaged, or signed with a key that was replaced.
    """
    path = layout.directory / INNOCENT
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if INNOCENT in (settled(layout) or {}):
            raise ListRefused(f"{path} is missing. Sync again.") from None
        return None
    except PermissionError:
        raise
    except OSError as error:
        raise ListRefused(f"{path} cannot be read: {error.strerror}.") from error
    note, plain = open_innocent(data, policy)
    if plain != data:
        raise ListRefused(f"{path} is not as it was signed.")
    return note


def look(
    layout: Layout, policy: Policy, read: Callable[[str, int], bytes], now: datetime
) -> Offered:
    """The note to hold: the published one, unless it does not hold or is older than the one held.

    A publisher that has none is no problem: the one held stays.
    """
    before, lost = None, ""
    try:
        before = held_innocent(layout, policy)
    except ListRefused as error:
        lost = f"{error.message} It is not used any more. "
    kept = layout.read(INNOCENT) if before else None
    stays = f"Note {before.number}, which is held, stays in use." if before else "None is held."
    try:
        data = read(INNOCENT, MAX_BYTES)
    except NotPublished:
        return Offered(kept, f"{lost}{stays}" if lost else None)
    except StrandlineError as error:
        return Offered(kept, f"{lost}{error.message} {stays}")
    try:
        note, plain = open_innocent(data, policy)
        _check_newer(before, note, now)
    except ListRefused as error:
        return Offered(kept, f"{lost}{error.message} It was not used. {stays}")
    return Offered(plain)


def _check_newer(before: InnocentNote | None, note: InnocentNote, now: datetime) -> None:
    if note.issued > now + CLOCKS:
        raise ListRefused(
            f"The note of innocent pictures is dated {shown(note.issued)}, ahead of this "
            f"computer's clock, which says {shown(now)}."
        )
    if before and note.number < before.number:
        raise ListRefused(
            f"An older note of innocent pictures is being served, {note.number} in the place of "
            f"{before.number}: it may hide what was taken off since."
        )
    if before and note.number == before.number and note != before:
        raise ListRefused(
            f"Two notes of innocent pictures were signed under one number, {note.number}. Tell the "
            "publisher."
        )
