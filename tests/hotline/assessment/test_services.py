from datetime import timedelta

import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.assessment import services
from strandline.hotline.assessment.models import Assessment, Claim, Verdict
from strandline.hotline.assessment.signals import address_confirmed, item_decided
from strandline.hotline.assessment.words import Act, Category, Observations, Reason, Stage
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import AssessmentRefused, ClaimRefused, NotAllowed
from strandline.hotline.reports.models import Appearance
from strandline.hotline.reports.signals import address_captured
from strandline.hotline.reports.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(address, analysts):
    return address, analysts


@pytest.fixture
def heard():
    got = []

    def decided(**kwargs):
        got.append(("decided", kwargs["verdict"].category))

    def confirmed(**kwargs):
        got.append(("confirmed", kwargs["address"].pk))

    item_decided.connect(decided)
    address_confirmed.connect(confirmed)
    yield got
    item_decided.disconnect(decided)
    address_confirmed.disconnect(confirmed)


def test_two_analysts_who_agree_confirm_an_address(address, analysts, seen, assess_all, heard):
    row = address(State.CAPTURED, pictures=2)
    assess_all(row, analysts[0], seen(Act.OTHER_SEXUAL))
    row.refresh_from_db()
    assert row.state == State.ASSESSED
    assert heard == []
    assess_all(row, analysts[1], seen(Act.OTHER_SEXUAL))
    row.refresh_from_db()
    assert row.state == State.SECOND_ASSESSED
    assert [v.category for v in Verdict.objects.all()] == [Category.B, Category.B]
    assert heard == [("decided", "B"), ("decided", "B"), ("confirmed", row.pk)]


def test_nothing_illegal_ends_as_not_illegal(address, analysts, nothing, assess_all, heard):
    row = address(State.CAPTURED, pictures=1)
    assess_all(row, analysts[0], nothing)
    assess_all(row, analysts[1], nothing)
    row.refresh_from_db()
    assert row.state == State.NOT_ILLEGAL
    assert heard == [("decided", "not-illegal")]


def test_a_disagreement_waits_for_an_uninvolved_senior(desk, senior, seen, assess_all, now):
    address, analysts = desk
    row = address(State.CAPTURED, pictures=1)
    assess_all(row, senior, seen(Act.SADISM))
    assess_all(row, analysts[0], seen(Act.OTHER_INDECENT))
    row.refresh_from_db()
    assert row.state == State.ASSESSED
    assert not Verdict.objects.exists()
    assert services.claim_next(analysts[1], now=now) is None
    assert services.claim_next(senior, now=now) is None


def test_the_third_decides(desk, senior, seen, assess_all, now):
    address, analysts = desk
    row = address(State.CAPTURED, pictures=1)
    assess_all(row, analysts[0], seen(Act.OTHER_SEXUAL))
    assess_all(row, analysts[1], seen(Act.OTHER_INDECENT))
    held = services.claim_next(senior, now=now)
    assert (held.address_id, held.stage) == (row.pk, Stage.THIRD)
    services.assess(held, services.remaining(held).get(), seen(Act.OTHER_INDECENT), now=now)
    verdict = Verdict.objects.get()
    assert (verdict.category, verdict.how) == (Category.C, Verdict.How.THIRD)
    row.refresh_from_db()
    assert row.state == State.SECOND_ASSESSED


def test_another_baseline_is_a_disagreement(address, analysts, seen, assess_all):
    row = address(State.CAPTURED, pictures=1)
    assess_all(row, analysts[0], seen(Act.OTHER_SEXUAL))
    assess_all(row, analysts[1], seen(Act.OTHER_SEXUAL, baseline="national-only"))
    assert not Verdict.objects.exists()


def test_the_first_analyst_is_never_the_second(address, analysts, seen, assess_all, now):
    row = address(State.CAPTURED, pictures=1)
    assess_all(row, analysts[0], seen(Act.SADISM))
    assert services.claim_next(analysts[0], now=now) is None
    with pytest.raises(ClaimRefused, match="nothing for you"):
        services.claim(row, analysts[0], now=now)
    assert services.claim_next(analysts[1], now=now).stage == Stage.SECOND


def test_an_item_decided_at_one_address_is_decided_at_all(address, analysts, seen, assess_all, now):
    one, other = (address(State.CAPTURED, pictures=1) for _ in range(2))
    Appearance.objects.filter(address=other).update(item=Appearance.objects.get(address=one).item)
    assess_all(one, analysts[0], seen(Act.SADISM))
    other.refresh_from_db()
    assert other.state == State.ASSESSED
    assess_all(one, analysts[1], seen(Act.SADISM))
    other.refresh_from_db()
    assert other.state == State.SECOND_ASSESSED
    assert services.claim_next(analysts[2], now=now) is None


def test_an_adopted_verdict_needs_nobody_to_look(address, analysts, now, heard):
    row = address(State.CAPTURED, pictures=1)
    item = Appearance.objects.get(address=row).item
    verdict = services.adopt(item, category=Category.A, entry=7, by="worker", now=now)
    assert (verdict.how, verdict.entry) == (Verdict.How.EXACT_MATCH, 7)
    row.refresh_from_db()
    assert row.state == State.SECOND_ASSESSED
    assert heard == [("decided", "A"), ("confirmed", row.pk)]
    again = services.adopt(item, category=Category.B, entry=8, by="worker", now=now)
    assert again.pk == verdict.pk
    assert services.claim_next(analysts[0], now=now) is None


def test_an_address_whose_items_are_all_known_is_settled_when_captured(
    address, analysts, seen, assess_all, now
):
    known, later = (address(State.CAPTURED, pictures=1) for _ in range(2))
    assess_all(known, analysts[0], seen(Act.SADISM))
    assess_all(known, analysts[1], seen(Act.SADISM))
    Appearance.objects.filter(address=later).update(item=Appearance.objects.get(address=known).item)
    address_captured.send(type(later), address=later, now=now)
    later.refresh_from_db()
    assert later.state == State.SECOND_ASSESSED


def test_settling_twice_changes_nothing_more(address, analysts, seen, assess_all, now):
    row = address(State.CAPTURED, pictures=1)
    assess_all(row, analysts[0], seen(Act.SADISM))
    before = row.changes.count()
    services.settle(row, by="test", now=now)
    services.settle(row, by="test", now=now)
    assert row.changes.count() == before


def test_undecodable_items_hold_nothing_up(address, analysts, nothing, assess_all):
    row = address(State.CAPTURED, pictures=2)
    broken = Appearance.objects.filter(address=row).first().item
    broken.refusal = "undecodable"
    broken.save()
    assert len(assess_all(row, analysts[0], nothing)) == 1
    row.refresh_from_db()
    assert row.state == State.ASSESSED


def test_assessing_a_colleagues_item_meanwhile_is_its_second_assessment(
    address, analysts, seen, now
):
    one, other = (address(State.CAPTURED, pictures=1) for _ in range(2))
    item = Appearance.objects.get(address=one).item
    Appearance.objects.filter(address=other).update(item=item)
    first, second = (
        services.claim(row, who, now=now) for row, who in zip((one, other), analysts, strict=False)
    )
    services.assess(first, item, seen(Act.SADISM), now=now)
    assert services.assess(second, item, seen(Act.SADISM), now=now).stage == Stage.SECOND
    assert Verdict.objects.get().how == Verdict.How.AGREED


def test_an_item_of_another_address_is_refused(address, analysts, seen, now):
    one, other = (address(State.CAPTURED, pictures=1) for _ in range(2))
    held = services.claim(one, analysts[0], now=now)
    with pytest.raises(AssessmentRefused, match="not part"):
        services.assess(held, Appearance.objects.get(address=other).item, seen(Act.SADISM), now=now)


def test_contradictions_are_refused_at_their_field_and_nothing_is_written(
    address, analysts, seen, now
):
    row = address(State.CAPTURED, pictures=1)
    held = services.claim(row, analysts[0], now=now)
    with pytest.raises(AssessmentRefused) as refused:
        services.assess(
            held, services.remaining(held).get(), seen(Act.SADISM, reason=Reason.ADULT), now=now
        )
    assert set(refused.value.fields) == {"reason"}
    assert not Assessment.objects.exists()


def test_an_assessment_reads_back_as_it_was_recorded(address, analysts, seen, assess_all):
    row = address(State.CAPTURED, pictures=1)
    observations = seen(Act.SADISM, Act.OTHER_INDECENT)
    [assessment] = assess_all(row, analysts[0], observations)
    assert Assessment.objects.get(pk=assessment.pk).observations == observations


def test_the_audit_chain_tells_that_an_item_was_assessed_but_not_how(
    address, analysts, seen, assess_all
):
    assess_all(address(State.CAPTURED, pictures=1), analysts[0], seen(Act.SADISM))
    entry = AuditEntry.objects.get(action="assessment.assess")
    assert set(entry.detail) == {"assessment", "stage", "address"}


def test_a_finished_claim_records_nothing_more(address, analysts, nothing, assess_all, now):
    row = address(State.CAPTURED, pictures=1)
    [assessment] = assess_all(row, analysts[0], nothing)
    held = assessment.claim
    held.refresh_from_db()
    assert held.ending == Claim.Ending.FINISHED
    with pytest.raises(ClaimRefused, match="nothing was recorded"):
        services.assess(held, assessment.item, nothing, now=now)


def test_reasons_that_say_nothing_of_the_content_leave_it_undetermined(
    address, analysts, assess_all
):
    row = address(State.CAPTURED, pictures=1)
    for analyst in analysts[:2]:
        assess_all(row, analyst, Observations(reason=Reason.AGE_UNCLEAR))
    assert Verdict.objects.get().category == Category.UNDETERMINED


def test_a_manager_cannot_claim(address, person, now):
    row = address(State.CAPTURED, pictures=1)
    manager = person(Role.MANAGER)
    with pytest.raises(NotAllowed):
        services.claim_next(manager, now=now)
    with pytest.raises(NotAllowed):
        services.claim(row, manager, now=now)


def test_each_assessment_starts_the_claims_time_anew(address, analysts, nothing, now):
    row = address(State.CAPTURED, pictures=2)
    held = services.claim(row, analysts[0], now=now)
    later = now + timedelta(minutes=30)
    services.assess(held, services.remaining(held).first(), nothing, now=later)
    assert services.running(analysts[0], now=now + timedelta(minutes=70)) == held
