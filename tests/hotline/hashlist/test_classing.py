"""Classes follow from what was recorded; nothing is guessed where two analysts differ."""

import pytest

from strandline.hotline.assessment.models import Assessment, Claim, Verdict
from strandline.hotline.assessment.words import Baseline, Stage
from strandline.hotline.hashlist.classing import class_of, identity_of, survivor_of
from strandline.hotline.reports.models import Appearance, Report
from strandline.hotline.reports.states import State
from strandline.lists.published.events import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessed(address, item, person, now):
    """``assessed({...}, {...})``: the verdict that these looks lead to, first to last."""
    from strandline.hotline.accounts.roles import Role

    def look(*looks, how=Verdict.How.AGREED, baseline=Baseline.BASELINE):
        picture, row = item(), address(State.CAPTURED)
        for stage, seen in zip(Stage, looks, strict=False):
            analyst = person(Role.ANALYST)
            claim = Claim.objects.create(
                address=row, analyst=analyst, stage=stage, taken_at=now, until=now, ended_at=now
            )
            Assessment.objects.create(
                item=picture, analyst=analyst, claim=claim, stage=stage, at=now, law="uk-1",
                category="B", **seen,
            )  # fmt: skip
        return Verdict.objects.create(
            item=picture, category="B", baseline=baseline, law="uk-1", how=how, decided_at=now
        )

    return look


CAMERA = {"provenance": "camera", "self_generated": "yes", "extortion": "no"}
DRAWN = {"provenance": "drawn", "self_generated": "no", "extortion": "no"}


def test_what_both_saw_is_in_the_class(assessed, hotline):
    assert class_of(assessed(CAMERA, CAMERA)).name == "B camera gb none baseline,self-generated"


def test_what_they_saw_differently_is_left_undetermined(assessed, hotline):
    assert class_of(assessed(CAMERA, DRAWN)).name == "B undetermined gb none baseline"


def test_where_a_third_decided_only_the_third_counts(assessed, hotline):
    verdict = assessed(CAMERA, CAMERA, DRAWN, how=Verdict.How.THIRD)
    assert class_of(verdict).name == "B drawn gb none baseline"


def test_what_nobody_recorded_is_undetermined(assessed, hotline):
    assert class_of(assessed({}, {}, baseline="")).name == "B undetermined gb none -"


@pytest.mark.parametrize(
    ("sources", "word"),
    [
        (["public"], "none"),
        (["child-service", "public"], "child-service"),
        (["child-service", "survivor"], "survivor"),
    ],
)
def test_who_asked_for_it_is_read_from_the_reports(sources, word, address, item, now):
    picture, row = item(), address(State.CAPTURED)
    Appearance.objects.create(address=row, item=picture, source_url=row.url, seen_at=now)
    for number, source in enumerate(sources):
        Report.objects.create(
            reference=f"R-{number}", return_code_hash=str(number), received_at=now,
            source=source, address=row,
        )  # fmt: skip
    assert survivor_of(picture) == word


def test_a_film_is_a_film_and_a_plain_picture_has_digests_alone(assessed, item, hotline):
    verdict = assessed(CAMERA, CAMERA)
    film = item(quality=20)
    film.kind = "video"
    what = identity_of(film, class_of(verdict))
    assert (what.kind, what.pipeline, what.fingerprints.pdq) == (Kind.VIDEO, "-", None)
