"""What each member received, matched, contested and reported: the account that platforms give.

What the hotline saw itself and what the member states are kept apart, column by column: nobody
should have to take a company's word without knowing that it is one.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, Sum

from strandline.hotline.accountability.models import MonthlyFigures
from strandline.hotline.accounts.models import Member
from strandline.hotline.feedback.holding import held_by
from strandline.hotline.feedback.models import Holding, Statement
from strandline.hotline.feedback.words import Say, Standing
from strandline.hotline.matchservice.models import Usage


@dataclass(frozen=True)
class Account:
    """One member, all its time together. None: nothing is known, which is not zero."""

    name: str
    since: date
    #: The edition it said last that it holds, and the highest it fetched.
    holds: int | None
    fetched: int | None
    #: Look-ups it spent at the match service, also on items that could not be read, and the items
    #: it was told are listed; counted here.
    look_ups: int
    listed: int
    #: Entries it confirms and disputes by the last it said of each, whether or not that weighed;
    #: counted here.
    confirmed: int
    disputed: int
    #: What it states of itself, all months together, and up to which month.
    compared: int | None
    matched: int | None
    reported: int | None
    stated_until: date | None


def accounts() -> list[Account]:
    """Every active member, by name; six queries, however many there are."""
    members = list(Member.objects.filter(is_active=True).order_by("name"))
    held = {number: row.edition for number, row in held_by(members).items() if row.said}
    fetched = {
        row["member"]: row["n"]
        for row in Holding.objects.filter(said=False).values("member").annotate(n=Max("edition"))
    }
    asked = {
        row["key__member"]: row
        for row in Usage.objects.values("key__member").annotate(
            look_ups=Sum("look_ups"), on_list=Sum("listed")
        )
    }
    said = {
        (row["member"], row["say"]): row["n"]
        for row in Statement.objects.exclude(standing=Standing.REPLACED)
        .values("member", "say")
        .annotate(n=Count("entry", distinct=True))
    }
    stated = {
        row["member"]: row
        for row in MonthlyFigures.objects.order_by()
        .values("member")
        .annotate(
            compared_in_all=Sum("compared"),
            matched_in_all=Sum("matched"),
            reported_in_all=Sum("reported"),
            until=Max("month"),
        )
    }
    none: dict[str, int] = {}
    return [
        Account(
            name=member.name,
            since=member.added_at.date(),
            holds=held.get(member.pk),
            fetched=fetched.get(member.pk),
            look_ups=asked.get(member.pk, none).get("look_ups", 0),
            listed=asked.get(member.pk, none).get("on_list", 0),
            confirmed=said.get((member.pk, Say.CONFIRM), 0),
            disputed=said.get((member.pk, Say.DISPUTE), 0),
            compared=stated.get(member.pk, {}).get("compared_in_all"),
            matched=stated.get(member.pk, {}).get("matched_in_all"),
            reported=stated.get(member.pk, {}).get("reported_in_all"),
            stated_until=stated.get(member.pk, {}).get("until"),
        )
        for member in members
    ]
