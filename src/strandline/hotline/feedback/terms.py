"""What each member may have: set by an administrator, signed by the worker."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from strandline.errors import ListRefused
from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback.models import ScopeSigning, Terms
from strandline.hotline.feedback.models.members import WORDS
from strandline.hotline.hashlist.trust import list_signer
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.published.classes import Column, Scope
from strandline.lists.published.scope_note import ScopeNote

LONGEST_GROUP = 60


def scope_of(member: Member) -> Scope | None:
    """The member's scope; none when an administrator has set nothing, which leaves the default."""
    terms = Terms.objects.filter(member=member).first()
    return terms.scope if terms else None


@transaction.atomic
def set_terms(
    member: Member,
    scope: Scope,
    *,
    mailbox: str = "",
    group: str = "",
    by: str,
    now: datetime,
) -> Terms:
    """Set what a member may have and how it is reached; its scope note is signed anew.

    A narrower scope takes effect at the member's next call; what it holds already it still holds.

    Raises:
        FeedbackRefused: a part cannot be one, naming the field.
    """
    now = now.replace(microsecond=0)
    try:
        ScopeNote(settings.HOTLINE.list_origin, member.actor, now, scope)
    except ListRefused as refused:
        raise FeedbackRefused("scope", refused.message) from refused
    group = " ".join(group.split())
    if len(group) > LONGEST_GROUP or not group.isprintable():
        raise FeedbackRefused("group", f"A group is at most {LONGEST_GROUP} characters.")
    if mailbox:
        try:
            validate_email(mailbox)
        except ValidationError as error:
            raise FeedbackRefused("mailbox", "This is no e-mail address.") from error
    chain.lock()
    parts = _parts(scope)
    terms, _ = Terms.objects.update_or_create(
        member=member,
        defaults={**parts, "mailbox": mailbox, "group": group, "changed_at": now},
    )
    chain.record(
        at=now,
        actor=by,
        action="feedback.set_terms",
        subject=member.actor,
        detail={**parts, "group": group, "mailbox": bool(mailbox)},
    )
    sign_soon(member, now=now)
    return terms


def read_scope(columns: Iterable[str], words: Mapping[str, str]) -> Scope:
    """A scope as a form gives it: names of columns, and words with spaces or commas between.

    Raises:
        FeedbackRefused: there is no such column.
    """
    try:
        chosen = frozenset(Column(name) for name in columns)
    except ValueError as error:
        raise FeedbackRefused("columns", "There is no such kind of hash.") from error
    parts = {part: frozenset(words.get(part, "").replace(",", " ").split()) for part in WORDS}
    return Scope(columns=chosen, **parts)


def sign_soon(member: Member, *, now: datetime) -> None:
    """Make the member's scope note due to be signed, in the caller's transaction."""
    ScopeSigning.objects.update_or_create(
        member=member, defaults={"due_at": now, "given_up_at": None, "failures": 0}
    )


@transaction.atomic
def ask_note(member: Member, *, now: datetime) -> str:
    """The member's signed scope note; if none was signed yet, one is now due, and it is empty."""
    row = ScopeSigning.objects.filter(member=member).first()
    if row is None:
        chain.lock()
        sign_soon(member, now=now)
        return ""
    return row.note


def sign(row: ScopeSigning, tools: Tools, now: datetime) -> None:
    """Handle the due row: sign what the member may have as of now."""
    issued = now.replace(microsecond=0)
    if row.issued_at is not None:
        # Members refuse an older note; two of one second could not be told apart.
        issued = max(issued, row.issued_at + timedelta(seconds=1))
    scope = scope_of(row.member) or Scope()
    text = ScopeNote(tools.config.list_origin, row.member.actor, issued, scope).text()
    note = list_signer(tools.config).sign(text)
    with due.finish(row):
        ScopeSigning.objects.filter(pk=row.pk).update(note=note, issued_at=issued)
        chain.record(at=now, actor="worker", action="feedback.sign_scope", subject=row.member.actor)


def _parts(scope: Scope) -> dict[str, list[str]]:
    parts = {part: sorted(getattr(scope, part)) for part in WORDS}
    return {"columns": sorted(column.value for column in scope.columns), **parts}
