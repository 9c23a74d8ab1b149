"""The rules by themselves: who said what, and what it comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.config import FeedbackPolicy
from strandline.hotline.feedback.quorum import Voice, judge
from strandline.hotline.feedback.words import REASONS, Cause, Reason, Say

POLICY = FeedbackPolicy(quorum=2, vouchers=2, not_useful_quorum=3)


def voices(*said):
    usual = {say: reasons[0] for say, reasons in REASONS.items()}
    return [
        Voice(
            who, Say(what.split(":")[0]), Reason(what.split(":")[1]) if ":" in what else usual[what]
        )
        for who, what in said
    ]


def verdict(*said, source="hotline", policy=POLICY, **more):
    return judge(voices(*said), source=source, policy=policy, **more)


def test_without_a_word_nothing_happens():
    assert verdict() == judge([], source="x", policy=POLICY)
    assert verdict().cause is None


def test_one_dispute_asks_for_a_review_and_leaves_a_confirmed_entry_matched():
    found = verdict(("a", "confirm"), ("b", "dispute"))
    assert (found.cause, found.quarantine) == (Cause.DISPUTED, "")


def test_an_entry_that_only_one_source_vouches_for_is_quarantined_by_the_first_dispute():
    found = verdict(("a", "dispute"))
    assert "only one source" in found.quarantine
    assert not found.by_quorum


def test_independent_disputes_quarantine_an_entry_however_many_confirm_it():
    found = verdict(*((f"c{n}", "confirm") for n in range(9)), ("a", "dispute"), ("b", "dispute"))
    assert "2 independent members" in found.quarantine
    assert found.by_quorum


def test_two_members_of_one_group_are_one_voice():
    found = verdict(("c", "confirm"), ("house", "dispute"), ("house", "dispute"))
    assert found.quarantine == ""


def test_a_source_that_disputes_its_own_entry_no_longer_vouches_for_it():
    found = verdict(("a", "confirm"), ("hotline", "dispute"))
    assert "only one source" in found.quarantine
    assert "nobody else" in verdict(("hotline", "dispute")).quarantine


def test_a_wrong_category_is_reviewed_and_matched_meanwhile():
    found = verdict(("a", "dispute:wrong-category"), ("b", "dispute:wrong-category"))
    assert (found.cause, found.quarantine) == (Cause.DISPUTED, "")


def test_a_review_that_kept_the_entry_vouches_for_it():
    assert verdict(("a", "dispute"), reviewed=True).quarantine == ""
    assert verdict(("a", "dispute"), ("b", "dispute"), reviewed=True).quarantine


@pytest.mark.parametrize(("many", "cause"), [(1, None), (2, None), (3, Cause.NOT_USEFUL)])
def test_enough_members_finding_it_of_no_use_ask_for_a_review_alone(many, cause):
    found = verdict(*((f"m{n}", "not-useful") for n in range(many)))
    assert (found.cause, found.quarantine) == (cause, "")


def test_vouching_can_be_switched_off():
    policy = FeedbackPolicy(vouchers=1)
    assert verdict(("a", "dispute"), policy=policy).quarantine == ""


said = st.tuples(st.sampled_from("abcdef"), st.sampled_from([say.value for say in Say]))


@given(st.lists(said, max_size=12), st.randoms())
def test_the_order_of_voices_does_not_matter(all_said, random):
    other = list(all_said)
    random.shuffle(other)
    assert verdict(*all_said) == verdict(*other)


@given(st.lists(said, max_size=12), st.sampled_from("abcdef"))
def test_a_further_dispute_never_frees_an_entry(all_said, who):
    if verdict(*all_said).quarantine:
        assert verdict(*all_said, (who, "dispute")).quarantine


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12))
def test_one_group_alone_never_makes_a_quorum(confirming):
    said = [(who, "confirm") for who in confirming] + [("z", "dispute")] * 5
    assert verdict(*said).quarantine == ""
