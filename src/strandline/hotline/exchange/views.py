"""The console's pages of lists of others: sources, what they gave, what it would bring."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from strandline.formats import READERS
from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.errors import ExchangeRefused
from strandline.hotline.exchange import peers, services
from strandline.hotline.exchange.comparing import Standing
from strandline.hotline.exchange.meanings import read_meanings, text_of
from strandline.hotline.exchange.models import Delivery, Source
from strandline.hotline.exchange.services import Terms
from strandline.hotline.exchange.uploading import ToDisk
from strandline.hotline.hashlist.scheduling import foreseen

#: Deliveries shown; the record keeps them all.
SHOWN = 50
FORMATS = [(name, label) for name, (label, _) in READERS.items()]
COUNTRIES = ("US", "UK", "CUSTOM", "Default")
_TYPED = ("name", "trust", "jurisdiction", "meanings", "labels", "address", "username")


@allow(Permission.EXCHANGE)
@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """Sources and what they gave lately."""
    return _overview(request)


def _give_checked(request: StaffRequest) -> HttpResponse:
    """Take a file; written to disk in pieces before anything else is done."""
    # Only now: somebody without the permission was refused before a byte was read.
    keeper = ToDisk()
    request.upload_handlers = [keeper]
    try:
        return _give(request, keeper)
    except ExchangeRefused as refused:
        return _overview(request, refused=refused, typed=request.POST, status=422)
    finally:
        keeper.forget()


@csrf_protect
def _give(request: StaffRequest, keeper: ToDisk) -> HttpResponse:
    typed = request.POST
    country = typed.get("country", "")
    given = services.receive(
        _chosen(typed.get("source", "")),
        keeper.pieces(),
        name=keeper.name,
        format_name=typed.get("format", ""),
        country=country if country in COUNTRIES else "",
        by=request.user.actor,
        now=clock.now(),
    )
    return redirect("exchange-delivery", delivery=given.pk)


def _chosen(number: str) -> Source:
    if number.isascii() and number.isdecimal() and len(number) < 19:
        found = Source.objects.filter(pk=int(number)).first()
        if found is not None:
            return found
    raise ExchangeRefused("source", "Choose who the list is from.")


# The token is looked for in the form, which is read only once the permission is known.
give = allow(Permission.EXCHANGE)(csrf_exempt(require_POST(_give_checked)))


@allow(Permission.EXCHANGE)
@require_safe
def delivery(request: StaffRequest, delivery: int) -> HttpResponse:
    """One delivery: what it would bring, what became of it."""
    return _delivery(request, _found(delivery))


@allow(Permission.EXCHANGE)
@require_POST
def take(request: StaffRequest, delivery: int) -> HttpResponse:
    """Take a delivery in."""
    contested = request.POST.get("contested", "")
    return _decided(request, _found(delivery), services.take, contested=contested)


@allow(Permission.EXCHANGE)
@require_POST
def discard(request: StaffRequest, delivery: int) -> HttpResponse:
    """Do not take a delivery in."""
    return _decided(request, _found(delivery), services.discard)


@allow(Permission.EXCHANGE)
@require_POST
def take_back(request: StaffRequest, delivery: int) -> HttpResponse:
    """Take a delivery back."""
    reason = request.POST.get("reason", "")
    return _decided(request, _found(delivery), services.take_back, reason=reason)


@allow(Permission.EXCHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new_source(request: StaffRequest) -> HttpResponse:
    """Add an organisation that lists come from."""
    if request.method != "POST":
        return _source(request, None, {"trust": Source.Trust.ALONE_NOT, "every_hours": "0"})
    try:
        added = services.add_source(_terms(request), by=request.user.actor, now=clock.now())
    except ExchangeRefused as refused:
        return _source(request, None, request.POST, refused)
    return redirect("exchange-source", source=added.pk)


@allow(Permission.EXCHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def source(request: StaffRequest, source: int) -> HttpResponse:
    """One source: what its words mean, how far it is trusted, where its server is."""
    found = Source.objects.filter(pk=source).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        kept = {name: getattr(found, name) for name in (*_TYPED, "every_hours")}
        kept |= {"meanings": text_of(found.meanings), "labels": " ".join(found.labels)}
        return _source(request, found, kept)
    try:
        services.change_source(found, _terms(request), by=request.user.actor, now=clock.now())
    except ExchangeRefused as refused:
        return _source(request, found, request.POST, refused)
    return redirect("exchange-source", source=found.pk)


@allow(Permission.EXCHANGE)
@require_POST
def fetch(request: StaffRequest, source: int) -> HttpResponse:
    """Ask a source's server now."""
    found = Source.objects.filter(pk=source).first()
    if found is None:
        raise Http404
    try:
        peers.fetch_now(found, by=request.user.actor, now=clock.now())
    except ExchangeRefused as refused:
        return _overview(request, refused=refused, status=422)
    return redirect("exchange")


def _found(pk: int) -> Delivery:
    found = Delivery.objects.select_related("source", "batch").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _decided(
    request: StaffRequest, found: Delivery, decide: Callable[..., None], **said: str
) -> HttpResponse:
    try:
        decide(found, by=request.user.actor, now=clock.now(), **said)
    except ExchangeRefused as refused:
        return _delivery(request, _found(found.pk), refused)
    return redirect("exchange-delivery", delivery=found.pk)


def _terms(request: StaffRequest) -> Terms:
    typed = {name: request.POST.get(name, "").strip() for name in (*_TYPED, "every_hours")}
    hours = typed["every_hours"] or "0"
    if not (hours.isascii() and hours.isdecimal() and len(hours) < 6):
        raise ExchangeRefused("every_hours", "A number of hours, please.")
    return Terms(
        name=" ".join(typed["name"].split()),
        trust=typed["trust"],
        jurisdiction=typed["jurisdiction"].lower(),
        meanings=read_meanings(typed["meanings"]),
        labels=typed["labels"].replace(",", " ").split(),
        address=typed["address"],
        username=typed["username"],
        every_hours=int(hours),
    )


def _overview(request: StaffRequest, status: int = 200, **more: Any) -> HttpResponse:  # noqa: ANN401
    context = {
        "sources": Source.objects.all(),
        "deliveries": Delivery.objects.select_related("source")[:SHOWN],
        "formats": FORMATS,
        "countries": COUNTRIES,
        **more,
    }
    return render(request, "exchange/overview.html", context, status=status)


def _delivery(
    request: StaffRequest, found: Delivery, refused: ExchangeRefused | None = None
) -> HttpResponse:
    counts = [(name, found.counts[name.value]) for name in Standing if name.value in found.counts]
    would_list = found.counts.get(Standing.NEW.value, 0)
    trusted = found.source.trust == Source.Trust.TRUSTED
    previewed = found.state == Delivery.State.PREVIEWED
    # What is not trusted alone is added and then quarantined: two changes.
    changes = would_list if trusted else 2 * would_list
    context = {
        "delivery": found,
        "counts": counts,
        # PostgreSQL keeps no order of names.
        "words": sorted(found.unknown_words.items(), key=lambda word: (-word[1], word[0])),
        "would_list": would_list,
        "contradicting": found.counts.get(Standing.CONTRADICTING.value, 0),
        "unnamed": found.counts.get(Standing.UNNAMED.value, 0),
        "unreadable": found.counts.get(Standing.UNREADABLE.value, 0),
        "format": READERS[found.format][0] if found.format in READERS else found.format,
        "contested_choices": Delivery.Contested.choices,
        "trusted": trusted,
        "foreseen": foreseen(changes) if previewed and changes else None,
        "refused": refused,
        "typed": request.POST,
    }
    return render(request, "exchange/delivery.html", context, status=422 if refused else 200)


def _source(
    request: StaffRequest,
    found: Source | None,
    typed: Any,  # noqa: ANN401 - a form's fields, as typed or as kept
    refused: ExchangeRefused | None = None,
) -> HttpResponse:
    context = {
        "source": found,
        "typed": typed,
        "refused": refused,
        "trusts": Source.Trust.choices,
        "unknown_words": _unknown_words(found) if found else {},
    }
    return render(request, "exchange/source.html", context, status=422 if refused else 200)


def _unknown_words(found: Source) -> dict[str, int]:
    """Words of what waits for a decision that the source's meanings do not name."""
    words: dict[str, int] = {}
    for waiting in found.deliveries.filter(state=Delivery.State.PREVIEWED)[:SHOWN]:
        for word, count in waiting.unknown_words.items():
            words[word] = words.get(word, 0) + count
    return words
