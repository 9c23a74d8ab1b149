"""Taking a report in: joined, ranked, sealed; or refused, leaving nothing."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from strandline.errors import CannotOpen
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import ReportRefused
from strandline.hotline.reports import services
from strandline.hotline.reports.models import Capture, Report, ReportedUrl
from strandline.hotline.reports.priority import BY_SOURCE, priority
from strandline.hotline.reports.return_code import fold, new_code
from strandline.hotline.reports.services import (
    LONGEST_CONTACT,
    LONGEST_NOTE,
    change_state,
    change_states,
    report_by_code,
    take_report,
)
from strandline.hotline.reports.signals import address_reported_again
from strandline.hotline.reports.states import State
from strandline.vault import unseal

URL = "https://pictures.example.com/a"


@pytest.fixture
def take(db, hotline, now, monkeypatch):
    """``take("https://…", note="…")`` takes a report in; Argon2 has its own tests, and is slow."""
    monkeypatch.setattr(
        services, "code_hash", lambda typed: sha256(fold(typed).encode()).hexdigest()
    )

    def report(address=URL, **given):
        return take_report(address=address, now=given.pop("now", now), **given)

    return report


def rows():
    """How many rows each table of the hotline has."""
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model.__module__.startswith("strandline.")
    }


def test_a_first_report_makes_an_address_that_is_due_for_capture(take, now):
    taken = take(note="It is in the third row", contact="me@example.org")
    row = taken.report.address
    assert (row.state, row.reports_count, row.host) == (
        State.TRIAGED,
        1,
        "pictures.example.com",
    )
    assert row.site == "example.com"
    assert Capture.objects.get(address=row).due_at == now
    assert list(row.changes.values_list("after", flat=True)) == ["deduplicated", "triaged"]
    assert taken.report.duplicate_of is None
    assert len(taken.code.split()) == 7


@pytest.mark.parametrize(
    "other",
    [
        URL,
        "HTTPS://Pictures.Example.COM/a",
        "https://pictures.example.com:443/a",
        "https://pictures.example.com/b/../a",
        "https://pictures.example.com/%61",
        "  https://pictures.example.com/a#part  ",
    ],
)
def test_the_same_address_written_otherwise_is_joined(other, take):
    first, second = take(), take(other)
    assert second.report.address == first.report.address
    assert second.report.duplicate_of == first.report
    assert ReportedUrl.objects.get().reports_count == 2
    assert Capture.objects.count() == 1
    assert first.code != second.code
    assert first.report.reference != second.report.reference


def test_another_address_is_not_joined(take):
    take()
    take("https://pictures.example.com/A")
    take("http://pictures.example.com/a")
    assert ReportedUrl.objects.count() == 3


def test_each_report_of_an_address_makes_it_sooner(take):
    ranks = [take().report.address.priority for _ in range(7)]
    assert ranks[:6] == sorted(set(ranks[:6]))
    assert ranks[6] == ranks[5], "a flood of reports does not outrank everything"


def test_who_reports_decides_how_soon(take):
    for number, source in enumerate(Report.Source):
        row = take(f"https://h{number}.example.com/", source=source).report.address
        assert row.priority == BY_SOURCE[source]


def test_a_later_report_never_makes_it_less_urgent(take):
    high = take(source=Report.Source.POLICE).report.address.priority
    assert take(source=Report.Source.OTHER).report.address.priority >= high


def test_a_site_that_held_confirmed_content_before_is_seen_sooner(take, now):
    known = take("https://pictures.example.com/old").report.address
    path = (State.CAPTURED, State.ASSESSED, State.SECOND_ASSESSED)
    change_states(known, path, by="test", now=now)
    here = take("https://elsewhere.example.com/new").report.address
    other = take("https://pictures.example.net/new").report.address
    assert here.priority == other.priority + 15


@given(st.sampled_from(Report.Source), st.integers(1, 10**6), st.booleans(), st.booleans())
def test_priority_is_bounded_and_never_falls_with_more_reports(source, reports, known, note):
    def rank(number):
        return priority(source=source, reports=number, known_site=known, has_note=note)

    assert 0 <= rank(reports) <= rank(reports + 1) <= 120


def test_what_was_written_is_sealed_apart_and_nowhere_in_the_clear(take, hotline, now):
    taken = take(note="the third row", contact="me@example.org")
    report = Report.objects.get()
    note, contact = bytes(report.note_sealed), bytes(report.contact_sealed)
    assert unseal(note, hotline.secret("note-identity")) == "the third row"
    assert unseal(contact, hotline.secret("contact-identity")) == "me@example.org"
    for sealed, wrong in ((note, "contact-identity"), (contact, "note-identity")):
        with pytest.raises(CannotOpen):
            unseal(sealed, hotline.secret(wrong))
    everything = repr(list(Report.objects.values())) + repr(list(AuditEntry.objects.values()))
    for secret in ("third row", "me@example.org", taken.code, taken.code.split()[0] + " "):
        assert secret not in everything


def test_without_words_nothing_is_sealed(take):
    report = take(note="  \0 ", contact="").report
    assert report.note_sealed is None
    assert report.contact_sealed is None


LOCAL = ["http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/", "http://169.254.1.1/x"]
REFUSED = {
    "address": [
        *LOCAL,
        "",
        "not an address",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.com/",
        "https://user:word@example.com/",
        "https://",
        f"https://example.com/{'a' * 5000}",
        "https://ex\u0430mple.com/",
        "http://localhost/",
    ],
}


@pytest.mark.parametrize("address", REFUSED["address"], ids=lambda text: text[:40] or "empty")
def test_an_address_that_is_refused_stores_nothing(address, take):
    before = rows()
    with pytest.raises(ReportRefused) as refused:
        take(address)
    assert refused.value.field == "address"
    assert len(refused.value.message) > 20
    assert rows() == before


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("note", "x" * (LONGEST_NOTE + 1)),
        ("note", f"My code is {new_code()}, keep it safe"),
        ("note", "\n".join(new_code().split())),
        ("contact", "x" * (LONGEST_CONTACT + 1)),
        ("referrer", "javascript:1"),
        ("referrer", "http://192.168.0.1/"),
    ],
    ids=["long", "a code", "a code in lines", "long contact", "script", "private referrer"],
)
def test_a_field_that_is_refused_stores_nothing_and_is_named(field, text, take):
    before = rows()
    with pytest.raises(ReportRefused) as refused:
        take(**{field: text})
    assert refused.value.field == field
    assert rows() == before


def test_what_fails_beside_the_report_undoes_the_report(take):
    before = rows()

    def fail(_taken):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take(also=fail)
    assert rows() == before


def test_an_address_that_was_not_found_is_tried_again_when_reported_again(take, now):
    row = take().report.address
    change_state(row, State.NOT_FOUND, by="test", now=now)
    Capture.objects.update(due_at=None, tries=3, given_up_at=now)
    later = now + timedelta(days=9)
    assert take(now=later).report.address.state == State.TRIAGED
    work = Capture.objects.get()
    assert (work.due_at, work.tries, work.given_up_at) == (later, 0, None)


def test_rooms_above_hear_of_an_address_that_is_reported_again(take, now):
    row = take().report.address
    change_state(row, State.CAPTURED, by="test", now=now)
    heard = []

    def listen(*, address, now, **_):
        heard.append((address, now))

    address_reported_again.connect(listen)
    try:
        take()
    finally:
        address_reported_again.disconnect(listen)
    assert heard == [(row, now)]


def test_a_referrer_is_kept_for_the_pathway_and_not_overwritten(take):
    row = take(referrer="https://forum.example.com/t/1").report.address
    assert row.referrer == "https://forum.example.com/t/1"
    take(referrer="https://forum.example.com/t/2")
    row.refresh_from_db()
    assert row.referrer == "https://forum.example.com/t/1"


def test_the_report_is_found_by_its_code_until_it_expires(take, now, hotline):
    taken = take()
    assert report_by_code(taken.code, now=now) == taken.report
    end = now + hotline.intake.code_lives
    assert report_by_code(taken.code, now=end) == taken.report
    assert report_by_code(taken.code, now=end + timedelta(seconds=1)) is None
    assert report_by_code(new_code(), now=now) is None
