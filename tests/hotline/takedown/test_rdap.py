import json
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strandline.demo import registry
from strandline.demo.hosts import HOSTS, Contact
from strandline.hotline.takedown import rdap


def host(contact):
    return next(host for host in HOSTS if host.contact is contact)


def entity(*roles, mail=None, name="Somebody", inner=()):
    card = [["version", {}, "text", "4.0"], ["fn", {}, "text", name]]
    if mail:
        card.append(["email", {}, "text", mail])
    return {
        "objectClassName": "entity",
        "roles": list(roles),
        "vcardArray": ["vcard", card],
        "entities": list(inner),
    }


def network(*entities, **fields):
    return json.dumps(
        {"objectClassName": "ip network", "entities": list(entities), **fields}
    ).encode()


@pytest.mark.parametrize("contact", [Contact.FLAT, Contact.NESTED])
def test_the_abuse_contact_is_found_beside_the_owner_and_inside_it(contact):
    owner = host(contact)
    found = rdap.read_network(json.dumps(registry.network_document(owner, 80)).encode())
    assert found.abuse == owner.abuse
    assert found.country == owner.country
    assert found.owner
    assert found.span == f"{owner.network[0]} - {owner.network[-1]}"


def test_a_network_without_an_abuse_contact_has_none_and_its_operators_are_not_taken_for_it():
    document = registry.network_document(host(Contact.MISSING), 80)
    assert rdap.read_network(json.dumps(document).encode()).abuse == ""


def test_a_domain_has_its_registrars_abuse_contact():
    found = rdap.read_domain(json.dumps(registry.domain_document(HOSTS[0], 80)).encode())
    assert found.abuse == HOSTS[0].registrar_abuse
    assert found.name == HOSTS[0].domain
    assert found.registrar.startswith("Registrar ")


def test_the_contact_nearest_to_the_top_wins():
    deep = entity("registrant", inner=[entity("abuse", mail="deep@host.example")])
    found = rdap.read_network(network(deep, entity("abuse", mail="top@host.example")))
    assert found.abuse == "top@host.example"


def test_a_contact_that_is_no_mailbox_is_passed_over():
    found = rdap.read_network(
        network(
            entity("abuse", mail="abuse@host.example\r\nBcc: all@host.example"),
            entity("abuse", mail="abuse at host dot example"),
            entity("abuse", mail="real@host.example"),
        )
    )
    assert found.abuse == "real@host.example"


def test_entities_below_the_deepest_level_are_not_read():
    inner = entity("abuse", mail="abuse@host.example")
    for _ in range(rdap.DEEPEST):
        inner = entity("registrant", inner=[inner])
    assert rdap.read_network(network(inner)).abuse == ""


def test_more_entities_than_the_limit_are_not_read():
    many = [entity("technical")] * rdap.MOST_ENTITIES
    assert rdap.read_network(network(*many, entity("abuse", mail="a@host.example"))).abuse == ""


def test_the_first_answer_that_is_another_object_is_no_answer():
    assert rdap.read_domain(network()) is None
    assert rdap.read_system(network()) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"objectClassName": "ip network"' + b" " * (rdap.MOST_BYTES + 1) + b"}",
        b'{"startAddress": ' + b"9" * 10_000 + b"}",
    ],
)
def test_a_hostile_body_is_no_answer(body):
    assert rdap.read_network(body) is None
    assert rdap.services_for_address(body, ip_address("192.0.2.1")) == ()


texts = st.text("a@.\n\0é-1:/", max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["entities", "roles", "vcardArray", "links", "startAddress", "endAddress", "country", "name"]
)


inner_objects = st.lists(st.dictionaries(keys, json_values, max_size=3), max_size=3)


@settings(max_examples=60)
@given(st.dictionaries(keys, json_values | inner_objects, max_size=4))
def test_no_shape_of_answer_makes_it_fail(document):
    for kind, read in (
        ("ip network", rdap.read_network),
        ("domain", rdap.read_domain),
        ("autnum", rdap.read_system),
    ):
        found = read(json.dumps(document | {"objectClassName": kind}).encode())
        assert found is not None
        assert found.name.isprintable()
        assert len(found.name) <= rdap.LONGEST_NAME


@settings(max_examples=60)
@given(json_values)
def test_no_bootstrap_file_makes_it_fail(services):
    body = json.dumps({"services": services}).encode()
    rdap.services_for_address(body, ip_address("192.0.2.1"))
    rdap.services_for_domain(body, "host.example")
    rdap.services_for_system(body, 64496)


BOOTSTRAP = json.dumps(
    {
        "services": [
            [["192.0.0.0/8", "2001:db8::/32"], ["https://wide.example/"]],
            [["192.0.2.0/24"], ["http://plain.example/rdap", "https://near.example/rdap/"]],
            [["example", "co.example"], ["https://names.example/"]],
            [["64496-64511", "65000"], ["https://systems.example/"]],
            [["203.0.113.0/24"], ["ftp://no.example/"]],
        ]
    }
).encode()


def test_the_longest_prefix_and_the_secure_address_come_first():
    assert rdap.services_for_address(BOOTSTRAP, ip_address("192.0.2.9")) == (
        "https://near.example/rdap/",
        "http://plain.example/rdap/",
    )
    assert rdap.services_for_address(BOOTSTRAP, ip_address("192.9.9.9")) == (
        "https://wide.example/",
    )
    assert rdap.services_for_address(BOOTSTRAP, ip_address("2001:db8::1"))
    assert rdap.services_for_address(BOOTSTRAP, ip_address("198.51.100.1")) == ()
    assert rdap.services_for_address(BOOTSTRAP, ip_address("203.0.113.1")) == ()


def test_domains_and_systems_find_their_registry():
    assert rdap.services_for_domain(BOOTSTRAP, "Deep.Host.co.example.")
    assert rdap.services_for_domain(BOOTSTRAP, "host.test") == ()
    assert rdap.services_for_system(BOOTSTRAP, 64500)
    assert rdap.services_for_system(BOOTSTRAP, 65000)
    assert rdap.services_for_system(BOOTSTRAP, 64512) == ()


def test_the_network_around_is_asked_for_by_a_wider_prefix():
    inner = rdap.read_network(network(startAddress="192.0.2.0", endAddress="192.0.2.255"))
    outer = rdap.read_network(network(startAddress="192.0.0.0", endAddress="192.0.255.255"))
    beside = rdap.read_network(network(startAddress="192.0.3.0", endAddress="192.0.3.255"))
    assert rdap.wider(inner) == "192.0.2.0/23"
    assert outer.encloses(inner)
    assert not inner.encloses(outer)
    assert not inner.encloses(inner)
    assert not beside.encloses(inner)
    assert rdap.wider(rdap.read_network(network())) == ""
