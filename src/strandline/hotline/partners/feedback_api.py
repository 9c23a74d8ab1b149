"""Members' side of feedback: what entries are to them, which edition they hold, their scope.

``docs/feedback.md`` describes the calls. Each statement of a batch is kept or refused by itself;
a call that is sent again changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer

from strandline.hotline import clock
from strandline.hotline.accounts.models import Member
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.accounts.services import key_for
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import giving, holding, innocent_file, reminding, terms
from strandline.hotline.feedback.models import Statement
from strandline.hotline.hashlist.models import Edition
from strandline.hotline.partners.calls import Problem, caller


class FeedbackKey(HttpBearer):
    """A member's key that may hold the list, and so has something to say of it."""

    openapi_name = "ListKey"

    def authenticate(self, _request: HttpRequest, token: str) -> Member | None:
        """The member; none when the key is unknown, revoked, or for look-ups only."""
        row = key_for(token, Permission.GIVE_FEEDBACK)
        return row.member if row else None


router = Router(tags=["feedback"], auth=FeedbackKey())
#: Signed notes beside the list's own files.
notes = Router(tags=["files"])

#: Statements of one page.
PAGE = 500


class SaidIn(Schema):
    """One statement about one entry."""

    entry: Annotated[str, Field(max_length=30, description="As a match reports it: entry-17")]
    say: Annotated[str, Field(max_length=20, description="confirm, dispute or not-useful")]
    reason: Annotated[str, Field(max_length=40)]
    note: Annotated[str, Field(max_length=500)] = ""
    edition: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None
    reference: Annotated[
        str,
        Field(max_length=64, description="Your own word, of a case perhaps; any retry has it"),
    ] = ""


class FeedbackIn(Schema):
    """Up to a thousand statements."""

    statements: Annotated[list[SaidIn], Field(min_length=1, max_length=giving.MOST)]


class StatementOut(Schema):
    """A statement as it was kept, and what became of it."""

    id: int
    entry: str
    say: str
    reason: str
    note: str
    reference: str
    at: datetime
    #: counted, in-review, kept, withdrawn, lapsed, held-back, set-aside or replaced
    state: str
    #: Why it was decided as it was, where it was.
    decision: str
    #: What the entry is now: listed, quarantined or withdrawn.
    entry_state: str


class TakenOut(Schema):
    """What became of one statement of the call: kept, or a sentence saying why not."""

    entry: str
    statement: StatementOut | None
    problem: str


class FeedbackOut(Schema):
    """One answer for each statement, in the same order."""

    results: list[TakenOut]


class PageOut(Schema):
    """Statements in the order they were made."""

    statements: list[StatementOut]
    #: Give it as ``after`` to read on; none at the end.
    after: int | None


class HoldingIn(Schema):
    """The edition the member applied."""

    edition: Annotated[int, Field(ge=1, le=2**31 - 1)]


class HoldingOut(Schema):
    """What was noted."""

    edition: int
    #: The latest edition there is.
    latest: int
    #: Entries that later editions took off and that this one still matches.
    still_matched: list[str]


_REFUSALS: Mapping[int, Any] = {401: Problem, 403: Problem}
_NOTE: dict[str, Any] = {
    "responses": {
        200: {
            "description": "A signed note",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
}


@router.post(
    "/feedback",
    response={200: FeedbackOut, **_REFUSALS},
    summary="Confirm or dispute entries, or say that they are of no use",
)
def give(request: HttpRequest, said: FeedbackIn) -> FeedbackOut:
    """Each statement is kept or refused by itself; what was said before is not taken twice."""
    member = caller(request)
    statements = [giving.Said(**one.dict()) for one in said.statements]
    taken = giving.give(member, statements, now=clock.now())
    return FeedbackOut(
        results=[
            TakenOut(
                entry=one.said.entry,
                statement=_out(one.statement) if one.statement else None,
                problem=one.problem,
            )
            for one in taken
        ]
    )


@router.get(
    "/feedback", response={200: PageOut, **_REFUSALS}, summary="One's own statements and outcomes"
)
def own(request: HttpRequest, after: Annotated[int, Field(ge=0, lt=2**63)] = 0) -> PageOut:
    """In the order they were made, a page at a time."""
    rows = Statement.objects.filter(member=caller(request), pk__gt=after)
    page = list(rows.select_related("review", "entry").order_by("pk")[: PAGE + 1])
    shown = page[:PAGE]
    return PageOut(
        statements=[_out(row) for row in shown],
        after=shown[-1].pk if len(page) > PAGE else None,
    )


@router.post(
    "/holding",
    response={200: HoldingOut, 404: Problem, **_REFUSALS},
    summary="Say which edition is held",
)
def hold(request: HttpRequest, held: HoldingIn) -> HoldingOut:
    """Say it after every edition that was applied: a withdrawal is done when nobody holds it."""
    member, now = caller(request), clock.now()
    try:
        noted = holding.report(member, held.edition, now=now)
    except FeedbackRefused as refused:
        raise HttpError(404, refused.message) from refused
    reminding.check_soon(now=now)
    late = reminding.behind([member])
    latest = Edition.objects.filter(state=Edition.State.PUBLISHED).last()
    return HoldingOut(
        edition=noted.edition,
        latest=latest.number if latest else noted.edition,
        still_matched=[f"entry-{number}" for each in late for number in each.entries],
    )


@notes.get(
    "/scope",
    response={404: Problem, **_REFUSALS},
    summary="What you may have of the list",
    openapi_extra=_NOTE,
)
def scope(request: HttpRequest) -> HttpResponse:
    """The signed scope note: with it a member shows that its copy is complete."""
    note = terms.ask_note(caller(request), now=clock.now())
    if not note:
        raise HttpError(404, "Your scope is being signed. Ask again in a minute.")
    return HttpResponse(note, content_type="text/plain; charset=utf-8")


@notes.get(
    "/innocent",
    response={404: Problem, **_REFUSALS},
    summary="Common innocent pictures, never to be matched",
    openapi_extra=_NOTE,
)
def innocent(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - ninja's name
    """The signed list of innocent pictures, by their hashes."""
    note = innocent_file.served()
    if not note:
        raise HttpError(404, "There is no list of innocent pictures yet.")
    return HttpResponse(note, content_type="text/plain; charset=utf-8")


def _out(row: Statement) -> StatementOut:
    return StatementOut(
        id=row.pk,
        entry=row.entry.name,
        say=row.say,
        reason=row.reason,
        note=row.note,
        reference=row.reference,
        at=row.at,
        state=row.state,
        decision=row.review.reason if row.review else "",
        entry_state=row.entry.state,
    )
