"""The policy in the root of trust, read strictly and refused when it cannot hold."""

import json

import pytest
from hypothesis import given, strategies

from list_trust import make_policy, vkey, witness
from strandline.errors import ListRefused
from strandline.lists.trust.policy import Growth, Hotline, Policy, read_policy


def test_a_policy_survives_being_written_and_read():
    policy = make_policy(growth=Growth(500, 5), fresh_hours=24)
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


HOTLINES = [
    Hotline(f"h{number}.example", country, vkey(f"h{number}.example", 10 + number))
    for number, country in enumerate(["gb", "nl", "nl", "ie", "de"])
]
WITNESSES = [witness(f"w{number}.example", 20 + number) for number in range(4)]


@given(
    publisher=strategies.sampled_from(HOTLINES),
    hotlines=strategies.lists(strategies.sampled_from(HOTLINES), max_size=5),
    witnesses=strategies.lists(strategies.sampled_from(WITNESSES), max_size=4),
    quorum=strategies.integers(-1, 6),
    certification=strategies.integers(-1, 6),
    growth=strategies.builds(Growth, strategies.integers(-1, 2**54), strategies.integers(-1, 1001)),
)
def test_a_policy_either_holds_and_can_be_met_or_is_refused(
    publisher, hotlines, witnesses, quorum, certification, growth
):
    try:
        policy = make_policy(
            publisher=publisher,
            hotlines=tuple(hotlines),
            witnesses=tuple(witnesses),
            witness_quorum=quorum,
            certification=certification,
            growth=growth,
        )
    except ListRefused:
        return
    assert len({hotline.jurisdiction for hotline in policy.signers}) >= policy.certification >= 1
    assert len(set(policy.witnesses)) >= policy.witness_quorum >= 0
    assert len({hotline.vkey for hotline in policy.signers}) == len(policy.signers)
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


def test_two_jurisdictions_must_vouch_unless_the_policy_says_otherwise():
    assert make_policy().certification == 2


@pytest.mark.parametrize(
    "where", ["", "publisher", "log", "growth"], ids=lambda where: where or "top"
)
def test_a_rule_that_is_not_known_is_refused_and_not_skipped(where):
    value = make_policy().to_json()
    (value[where] if where else value)["never_on_sundays"] = True
    with pytest.raises(ListRefused, match=r"never_on_sundays.*newer strandline"):
        Policy.from_json(value)


@pytest.mark.parametrize("name", list(make_policy().to_json()))
def test_a_missing_rule_is_named(name):
    value = make_policy().to_json()
    del value[name]
    with pytest.raises(ListRefused, match=name):
        Policy.from_json(value)


@pytest.mark.parametrize("name", list(make_policy().to_json()))
@pytest.mark.parametrize("value", [None, True, 1.5, -1, "", [], [None], {}, "x" * 1000, 10**30])
def test_no_rule_of_another_kind_is_read(name, value):
    held = make_policy().to_json()
    held[name] = value
    try:
        read = Policy.from_json(held)
    except ListRefused:
        return
    # The only replacements that mean something: no hotline beside the publisher, no witness.
    assert value == []
    assert read.to_json() == held


def test_the_field_itself_must_be_there():
    with pytest.raises(ListRefused, match="missing"):
        Policy.from_json(None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"certification": 3}, "certification"),
        ({"certification": 0}, "certification"),
        ({"hotlines": ()}, "certification"),
        ({"witness_quorum": 3}, "witness_quorum"),
        ({"fresh_hours": 0}, "fresh_hours"),
        ({"fresh_hours": 10_000}, "fresh_hours"),
        ({"shrink_percent": 101}, "shrink_percent"),
        ({"growth": Growth(0, 10)}, "most_events"),
        ({"origin": "https://hotline.example/"}, "origin"),
        ({"witnesses": (witness("a.example", 4), witness("b.example", 4))}, "twice"),
        ({"witnesses": (vkey("a.example"),), "witness_quorum": 1}, "witness's key"),
        ({"log": witness("log.example", 3)}, "log's key"),
        ({"log": vkey("log.example")[:-4]}, "log's key"),
    ],
)
def test_rules_that_could_never_be_met_are_refused(changes, said):
    with pytest.raises(ListRefused, match=said):
        make_policy(**changes)


def test_one_hotline_under_two_names_does_not_count_twice():
    same = vkey("hotline.example", 1).rpartition("+")[2]
    other = Hotline("other.example", "nl", vkey("other.example", 1))
    assert other.vkey.endswith(same)
    with pytest.raises(ListRefused, match="twice"):
        make_policy(hotlines=(other,))


@pytest.mark.parametrize("changes", [{"name": "no spaces"}, {"jurisdiction": "GB"}])
def test_a_hotline_needs_a_domain_and_a_country(changes):
    values = {"name": "a.example", "jurisdiction": "gb", "vkey": vkey("a.example")}
    with pytest.raises(ListRefused):
        Hotline(**(values | changes))


def test_a_person_writes_only_what_differs_from_the_defaults():
    text = f"""
        origin = "hotline.example"
        certification = 1

        [publisher]
        name = "hotline.example"
        jurisdiction = "gb"
        vkey = "{vkey("hotline.example")}"

        [log]
        vkey = "{vkey("log.example", 2)}"

        [growth]
        most_events = 7
    """
    policy = read_policy(text)
    assert policy.growth == Growth(7, Growth().most_percent)
    assert (policy.hotlines, policy.witnesses, policy.witness_quorum) == ((), (), 0)
    assert policy.fresh_hours == make_policy().fresh_hours


@pytest.mark.parametrize("text", ["origin = ", "growth = 3", "[[publisher]]", ""])
def test_a_file_that_is_no_policy_is_refused_with_a_sentence(text):
    with pytest.raises(ListRefused):
        read_policy(text)
