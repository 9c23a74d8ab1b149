"""The public's pages about the list. Nothing here can be asked about a hash."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from strandline.hotline import clock
from strandline.hotline.hashlist import published
from strandline.hotline.transparency import charts, logbook, members, opendata, withdrawals

_PAGE = 50
#: Rows of the table beside the chart.
_SHOWN = 12


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What the list is today, how it grew, and how to check it."""
    book = logbook.book()
    editions = book.editions()
    context = {
        "head": book.head(),
        "policy": logbook.policy(),
        "root": published.newest_root(),
        "latest": editions[-1] if editions else None,
        "growth": charts.steps([(e.manifest.published, e.manifest.entries) for e in editions]),
        "editions": editions[::-1][:_SHOWN],
        "more": len(editions) > _SHOWN,
        "tables": opendata.TABLES,
    }
    return render(request, "transparency/overview.html", context)


@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Every statement of the log in plain words, the latest first."""
    book = logbook.book()
    leaves = book.leaves()[::-1]
    by_manifest = {leaf.digest: leaf.manifest for leaf in leaves if leaf.manifest}
    page = _page(request, leaves)
    told = [
        {
            "leaf": leaf,
            "vouched": by_manifest.get(leaf.certificate.manifest) if leaf.certificate else None,
        }
        for leaf in page
    ]
    context = {"page": page, "told": told, "head": book.head()}
    return render(request, "transparency/log.html", context)


@require_safe
def edition(request: HttpRequest, number: int) -> HttpResponse:
    """One edition: what changed, what each class holds, and who vouched for it."""
    found = next((e for e in logbook.book().editions() if e.manifest.edition == number), None)
    if found is None:
        raise Http404
    countries = logbook.jurisdictions()
    classes = [
        {
            "name": entry_class,
            "state": state,
            "signers": [
                {
                    "name": certificate.hotline,
                    "country": countries.get(certificate.hotline, ""),
                    "audited": certificate.audit is not None,
                }
                for _, certificate in found.certificates
                if certificate.vouches_for(found.manifest, entry_class)
            ],
        }
        for entry_class, state in found.manifest.classes
    ]
    context = {"edition": found, "classes": classes, "policy": logbook.policy()}
    return render(request, "transparency/edition.html", context)


@require_safe
def left(request: HttpRequest) -> HttpResponse:
    """What was withdrawn or set aside, and why."""
    page = _page(request, withdrawals.taken_out())
    context = {
        "page": page,
        "taken": list(withdrawals.told(page.object_list)),
        "reasons": withdrawals.by_reason(),
    }
    return render(request, "transparency/withdrawals.html", context)


@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """Who receives the list, and what they did with it."""
    context = {"accounts": members.accounts(), "now": clock.now()}
    return render(request, "transparency/members.html", context)


@require_safe
def data(_request: HttpRequest, name: str) -> StreamingHttpResponse:
    """One table as CSV."""
    table = next((table for table in opendata.TABLES if table.name == name), None)
    if table is None:
        raise Http404
    response = StreamingHttpResponse(
        opendata.lines(table, logbook.book().editions()),
        content_type="text/csv; charset=utf-8; header=present",
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _page(request: HttpRequest, rows: Sequence[Any] | Any) -> Any:  # noqa: ANN401 - a page or rows
    """The page asked for; the nearest there is for a number beyond the ends."""
    return Paginator(rows, _PAGE).get_page(request.GET.get("page"))
