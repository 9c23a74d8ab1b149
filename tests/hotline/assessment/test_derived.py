import pytest

from strandline.hotline.assessment import services
from strandline.hotline.assessment.derived import findings
from strandline.hotline.assessment.words import Act, AgeBand, Category, Child, Maturity, Sex
from strandline.hotline.reports.states import State

pytestmark = pytest.mark.django_db


def child(age, sex):
    return (Child(age, sex, Maturity.PRE_PUBESCENT),)


def test_an_address_is_as_bad_as_its_worst_item_and_as_young_as_its_youngest_child(
    address, analysts, seen, now
):
    row = address(State.CAPTURED, pictures=2)
    assert findings(row).category is None
    of_item = (
        seen(Act.OTHER_INDECENT, children=child(AgeBand.FROM_3, Sex.BOY)),
        seen(Act.PENETRATIVE, children=child(AgeBand.FROM_11, Sex.GIRL)),
    )
    for analyst in analysts[:2]:
        held = services.claim(row, analyst, now=now)
        items = list(services.remaining(held))
        for item, observations in zip(items, of_item, strict=True):
            services.assess(held, item, observations, now=now)
    found = findings(row)
    assert (found.category, found.age, found.sex) == (Category.A, AgeBand.FROM_3, "both")
    assert found.decided == 2


def test_where_a_third_decided_only_the_thirds_children_count(
    address, analysts, senior, seen, assess_all
):
    row = address(State.CAPTURED, pictures=1)
    assess_all(row, analysts[0], seen(Act.SADISM, children=child(AgeBand.FROM_0, Sex.BOY)))
    assess_all(row, analysts[1], seen(Act.OTHER_SEXUAL))
    assess_all(row, senior, seen(Act.OTHER_SEXUAL, children=child(AgeBand.FROM_14, Sex.GIRL)))
    found = findings(row)
    assert (found.category, found.age, found.sex) == (Category.B, AgeBand.FROM_14, "girl")
