"""Members state their own figures, month by month; what cannot be right is not kept."""

import pytest

from strandline.hotline.accountability.models import MonthlyFigures
from strandline.hotline.accountability.services import state_figures
from strandline.hotline.accounts.services import add_key, add_member
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import FiguresRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(hotline, now):
    return add_member(name="Example Forum", by="test", now=now)


def test_a_statement_is_kept_with_its_audit_entry(member, now):
    state_figures(member, "2026-01", compared=10, matched=2, reported=1, now=now)
    row = MonthlyFigures.objects.get()
    assert (row.compared, row.matched, row.reported) == (10, 2, 1)
    assert AuditEntry.objects.filter(action="accountability.state_figures").count() == 1


def test_a_correction_replaces_it_and_the_chain_has_both(member, now):
    for matched in (2, 3):
        state_figures(member, "2026-01", compared=10, matched=matched, reported=1, now=now)
    assert MonthlyFigures.objects.get().matched == 3
    assert AuditEntry.objects.filter(action="accountability.state_figures").count() == 2


@pytest.mark.parametrize(
    ("month", "counts"),
    [
        ("2026-13", (1, 1, 1)),
        ("2026-1", (1, 1, 1)),
        ("1999-12", (1, 1, 1)),
        ("9999-12", (1, 1, 1)),
        ("٢٠٢٦-01", (1, 1, 1)),
        ("2026-01", (1, 2, 1)),
        ("2026-01", (2, 1, 2)),
        ("2026-01", (-1, -1, -1)),
        ("2026-01", (10**16, 0, 0)),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_kept(member, now, month, counts):
    compared, matched, reported = counts
    with pytest.raises(FiguresRefused):
        state_figures(member, month, compared=compared, matched=matched, reported=reported, now=now)
    assert not MonthlyFigures.objects.exists()


def test_a_member_states_and_reads_its_figures_with_its_key(wear, member, now):
    from django.test import Client

    key = add_key(member, by="test", now=now)
    wear("partners")
    client = Client(headers={"authorization": f"Bearer {key}"})
    month = f"{now:%Y-%m}"
    said = {"compared": 5, "matched": 1, "reported": 1}
    answer = client.put(f"/api/v1/figures/{month}", said, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert [row["matched"] for row in client.get("/api/v1/figures").json()] == [1]
    late = client.put("/api/v1/figures/2999-01", said, content_type="application/json")
    assert late.status_code == 409
    assert "not begun" in late.json()["detail"]
    assert Client().get("/api/v1/figures").status_code == 401
