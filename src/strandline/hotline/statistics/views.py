"""The page of figures and its table to take away."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.statistics.figures import overview
from strandline.hotline.statistics.table import to_csv


@allow(Permission.SEE_FIGURES)
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    """Every figure with what it counts."""
    return render(request, "statistics/figures.html", {"overview": overview(clock.now())})


@allow(Permission.SEE_FIGURES)
@require_safe
def download(_request: StaffRequest) -> HttpResponse:
    """The same figures as CSV."""
    now = clock.now()
    response = HttpResponse(
        to_csv(overview(now).every), content_type="text/csv; charset=utf-8; header=present"
    )
    response["Content-Disposition"] = f'attachment; filename="figures-{now:%Y-%m-%d}.csv"'
    return response
