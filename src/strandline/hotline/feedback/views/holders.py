"""Who still holds what was withdrawn or quarantined, and since when."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.models import Member
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.feedback import holding, reminding
from strandline.hotline.feedback.models import Terms
from strandline.hotline.feedback.views.parts import parts
from strandline.hotline.hashlist.models import Edition
from strandline.hotline.jobs.models import OutboxMail

#: Removals on one page.
SHOWN = 100


@allow(Permission.SEE_HOLDERS)
@require_safe
def holders(request: StaffRequest) -> HttpResponse:
    """Every member and what it holds; every removal and who still holds it."""
    removals = holding.Removals()
    members = list(Member.objects.filter(is_active=True).order_by("name"))
    held = holding.held_by(members)
    late = {row.member.pk: row for row in reminding.behind()}
    mailboxes = dict(Terms.objects.exclude(mailbox="").values_list("member_id", "mailbox"))
    reminded = {
        mail.key.split(":")[1]: mail
        for mail in OutboxMail.objects.filter(key__startswith="holding:").order_by("pk")
    }
    context = {
        **parts(request, "holders"),
        "members": [
            {
                "member": member,
                "holding": held.get(member.pk),
                "late": late.get(member.pk),
                "mailbox": mailboxes.get(member.pk, ""),
                "mail": reminded.get(str(member.pk)),
            }
            for member in members
        ],
        "removals": Paginator(removals, SHOWN).get_page(request.GET.get("page")),
        "held_still": removals.held,
        "latest": Edition.objects.filter(state=Edition.State.PUBLISHED).last(),
        "overdue_before": clock.now() - settings.HOTLINE.feedback.remind_after,
    }
    return render(request, "feedback/holders.html", context)
