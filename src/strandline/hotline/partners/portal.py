"""Where a host answers a notice: by the link in its letter, with no account.

The token in the link is all that opens the page. A wrong one and an expired one give the same
'no such page'. The page names the address and nothing else of the case.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from strandline.hotline import clock
from strandline.hotline.errors import NoticeRefused
from strandline.hotline.takedown.answers import (
    LONGEST_COMMENT,
    answer_notice,
    is_settled,
    notice_by_token,
)
from strandline.hotline.takedown.models import HostAnswer


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """The notice's address and a form; once answered, the answer."""
    notice = notice_by_token(token, now=clock.now())
    if notice is None:
        raise Http404
    given = HostAnswer.objects.filter(notice=notice).first()
    refused: NoticeRefused | None = None
    if request.method == "POST" and given is None:
        typed = {name: request.POST.get(name, "") for name in ("answer", "comment")}
        try:
            answer_notice(notice, typed["answer"], typed["comment"], now=clock.now())
        except NoticeRefused as error:
            refused = error
        else:
            return redirect(request.path)
    return render(
        request,
        "partners/answer.html",
        {
            "notice": notice,
            "given": given,
            "settled": is_settled(notice.address),
            "choices": HostAnswer.Answer,
            "refused": refused,
            "typed": request.POST,
            "longest": LONGEST_COMMENT,
        },
        status=422 if refused else 200,
    )
