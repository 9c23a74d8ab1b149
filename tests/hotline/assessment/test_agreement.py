import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.assessment.agreement import category_pairs, cohens_kappa
from strandline.hotline.assessment.words import Act
from strandline.hotline.reports.states import State

words = st.sampled_from("ABC")


def test_a_textbook_case():
    """Two readers of 50 proposals, 20 and 15 of them in agreement: kappa 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohens_kappa(pairs) == pytest.approx(0.4)


def test_there_is_no_kappa_where_chance_explains_all():
    assert cohens_kappa([]) is None
    assert cohens_kappa([("A", "A")] * 9) is None


@given(st.lists(words, min_size=2).filter(lambda said: len(set(said)) > 1))
def test_full_agreement_is_one(said):
    assert cohens_kappa(zip(said, said, strict=True)) == pytest.approx(1.0)


@given(st.lists(st.tuples(words, words)))
def test_it_lies_between_minus_one_and_one_and_does_not_mind_the_order(pairs):
    kappa = cohens_kappa(pairs)
    if kappa is not None:
        assert -1 <= kappa <= 1
        assert cohens_kappa([(b, a) for a, b in pairs]) == pytest.approx(kappa)


@pytest.mark.django_db
def test_pairs_are_of_items_assessed_twice(address, analysts, seen, assess_all, now):
    from datetime import timedelta

    one, _ = (address(State.CAPTURED, pictures=1) for _ in range(2))
    assess_all(one, analysts[0], seen(Act.SADISM))
    assess_all(one, analysts[1], seen(Act.OTHER_INDECENT))
    assert category_pairs(now, now + timedelta(days=1)) == [("A", "C")]
    assert category_pairs(now + timedelta(days=1), now + timedelta(days=2)) == []
