from hypothesis import assume, given
from hypothesis import strategies as st

from strandline.hotline.assessment import checks, laws
from strandline.hotline.assessment.words import (
    ILLEGAL,
    Act,
    AgeBand,
    Answer,
    Baseline,
    Capture,
    Category,
    Child,
    Generation,
    Maturity,
    Observations,
    Provenance,
    Reason,
    Setting,
    Sex,
    SourceAppKind,
    YesNo,
)

children = st.builds(
    Child, st.sampled_from(AgeBand), st.sampled_from(Sex), st.sampled_from(Maturity)
)


def maybe(choices):
    return st.none() | st.sampled_from(choices)


observations = st.builds(
    Observations,
    acts=st.frozensets(st.sampled_from(Act)),
    children=st.lists(children, max_size=4).map(tuple),
    provenance=maybe(Provenance),
    capture=maybe(Capture),
    self_generated=maybe(Answer),
    extortion=maybe(Answer),
    setting=maybe(Setting),
    alone=maybe(YesNo),
    generation=maybe(Generation),
    source_app_kind=maybe(SourceAppKind),
    baseline=maybe(Baseline),
    reason=maybe(Reason),
)
ORDER = list(Category)


@given(observations)
def test_every_law_gives_every_observation_a_category(seen):
    for version in laws.LAWS:
        assert laws.derive(seen, version) in Category


@given(observations)
def test_nothing_is_illegal_without_a_child_and_an_act(seen):
    if laws.derive(seen) in ILLEGAL:
        assert seen.children
        assert seen.acts


@given(observations, st.sampled_from(Act))
def test_seeing_one_act_more_never_makes_it_milder(seen, act):
    assume(seen.children)
    more = Observations(**{**vars(seen), "acts": seen.acts | {act}})
    assert ORDER.index(laws.derive(more)) <= ORDER.index(laws.derive(seen))


@given(observations)
def test_what_is_drawn_is_never_graded_a_b_or_c(seen):
    drawn = Observations(**{**vars(seen), "provenance": Provenance.DRAWN})
    assert laws.derive(drawn) not in {Category.A, Category.B, Category.C}


@given(observations)
def test_not_illegal_is_only_what_a_reason_says_so_of(seen):
    if laws.derive(seen) == Category.NOT_ILLEGAL:
        assert seen.reason in laws.NOT_ILLEGAL_REASONS


@given(observations, maybe(Baseline), maybe(Setting), maybe(Answer))
def test_circumstances_do_not_change_the_category(seen, baseline, setting, answer):
    other = Observations(
        **{**vars(seen), "baseline": baseline, "setting": setting, "extortion": answer}
    )
    assert laws.derive(other) == laws.derive(seen)


def test_the_uk_definition():
    child = (Child(AgeBand.FROM_7, Sex.BOY, Maturity.PRE_PUBESCENT),)
    expected = {
        Act.PENETRATIVE: Category.A,
        Act.ANIMAL: Category.A,
        Act.SADISM: Category.A,
        Act.OTHER_SEXUAL: Category.B,
        Act.OTHER_INDECENT: Category.C,
    }
    for act, category in expected.items():
        seen = Observations(acts=frozenset({act}), children=child, provenance=Provenance.CAMERA)
        assert laws.derive(seen) == category


@given(observations)
def test_what_passes_the_checks_is_decided_one_way(seen):
    if checks.faults(seen):
        return
    category = laws.derive(seen)
    assert (category in ILLEGAL) == (seen.reason is None)
    if category in ILLEGAL:
        assert seen.baseline in {Baseline.BASELINE, Baseline.NATIONAL_ONLY}


@given(observations)
def test_a_fault_names_a_field_of_the_form(seen):
    assert set(checks.faults(seen)) <= set(vars(seen))


@given(st.lists(st.sampled_from(Category), min_size=1))
def test_the_worst_is_one_of_them_and_no_other_is_worse(categories):
    worst = laws.worst(categories)
    assert worst in categories
    assert all(ORDER.index(worst) <= ORDER.index(one) for one in categories)


@given(st.lists(children))
def test_the_youngest_and_the_sexes_of_several_children(rows):
    ages = list(AgeBand)
    youngest = laws.youngest(rows)
    assert (youngest is None) == (rows == [])
    assert all(ages.index(youngest) <= ages.index(row.age) for row in rows)
    found = {row.sex for row in rows}
    assert (laws.sexes(rows) == "both") == ({Sex.GIRL, Sex.BOY} <= found)
    assert (laws.sexes(rows) == "") == (rows == [])


def test_there_are_the_21_reasons_hotlines_exchange():
    assert len(Reason) == 21
