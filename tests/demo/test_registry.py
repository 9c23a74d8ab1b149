import json
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import pytest

from strandline.demo import hosts, registry
from strandline.demo.hosts import Contact


@pytest.fixture
def ask(web, visitor):
    """GET a JSON document by its whole address; (status, headers, document)."""

    def get(url):
        parts = urlsplit(url)
        assert parts.port == web.http_port
        got = visitor.get(parts.hostname, parts.path, address=registry.ADDRESS)
        return got.status, got.headers, json.loads(got.body)

    return get


def service(ask, web, file, wanted):
    _, _, document = ask(web.rdap_bootstrap_url + file)
    assert document["version"] == "1.0"
    (found,) = [urls for names, urls in document["services"] if wanted(names)]
    return found[0]


def network_of(ask, web, host):
    def holds(names):
        return any(ip_address(host.address) in ip_network(name) for name in names)

    url = service(ask, web, "ipv4.json", holds) + f"ip/{host.address}"
    answer = ask(url)
    return ask(url) if answer[0] == 429 else answer


def by_role(entities, role):
    """(entity, depth) of every entity with this role, at any depth."""
    found = []
    for entity in entities:
        found += [(entity, 0)] if role in entity["roles"] else []
        found += [(inner, depth + 1) for inner, depth in by_role(entity.get("entities", []), role)]
    return found


def mailboxes(entity):
    kind, properties = entity["vcardArray"]
    assert kind == "vcard"
    assert properties[0] == ["version", {}, "text", "4.0"]
    return [value for name, _, type_, value in properties if name == "email" and type_ == "text"]


@pytest.mark.parametrize("host", hosts.HOSTS, ids=lambda host: host.label)
def test_a_network_is_found_by_way_of_the_bootstrap_file(ask, web, host):
    status, headers, document = network_of(ask, web, host)
    assert status == 200
    assert headers["Content-Type"] == "application/rdap+json"
    assert "rdap_level_0" in document["rdapConformance"]
    assert document["objectClassName"] == "ip network"
    assert document["name"] == host.network_name
    assert document["country"] == host.country
    low, high = ip_address(document["startAddress"]), ip_address(document["endAddress"])
    assert low <= ip_address(host.address) <= high


@pytest.mark.parametrize("host", hosts.HOSTS, ids=lambda host: host.label)
def test_the_abuse_contact_is_where_the_table_says(ask, web, host):
    _, _, document = network_of(ask, web, host)
    found = [(mailboxes(entity), depth) for entity, depth in by_role(document["entities"], "abuse")]
    expected = {
        Contact.FLAT: [([host.abuse], 0)],
        Contact.NESTED: [([host.abuse], 1)],
        Contact.MISSING: [],
    }
    assert found == expected[host.contact]
    assert by_role(document["entities"], "technical")


def test_every_kind_of_contact_occurs():
    assert {host.contact for host in hosts.HOSTS} == set(Contact)


def test_a_busy_registry_says_when_to_ask_again_and_then_answers(ask, web):
    (host,) = (host for host in hosts.HOSTS if host.busy_at_first)
    url = f"http://{registry.registry_site(host.registry)}:{web.http_port}/ip/{host.address}"
    status, headers, document = ask(url)
    assert (status, headers["Retry-After"]) == (429, "60")
    assert document["errorCode"] == 429
    assert ask(url)[0] == 200
    assert ask(url)[0] == 200


def test_a_domain_has_its_registrars_abuse_contact(ask, web):
    base = service(ask, web, "dns.json", lambda names: "example" in names)
    status, _, document = ask(f"{base}domain/alder-hosting.example")
    assert status == 200
    assert document["ldhName"].lower() == "alder-hosting.example"
    ((entity, depth),) = by_role(document["entities"], "abuse")
    assert depth == 1
    assert mailboxes(entity) == ["abuse@registrar-a.example"]


def test_one_domain_is_unknown_while_its_network_is_known(ask, web):
    (host,) = (host for host in hosts.HOSTS if not host.domain_listed)
    base = service(ask, web, "dns.json", lambda names: "example" in names)
    status, headers, document = ask(f"{base}domain/{host.domain}")
    assert (status, document["errorCode"]) == (404, 404)
    assert headers["Content-Type"] == "application/rdap+json"
    assert network_of(ask, web, host)[0] == 200


def test_registries_know_only_their_own_networks(ask, web):
    base = f"http://{registry.registry_site('arin')}:{web.http_port}"
    assert ask(f"{base}/ip/127.64.3.1")[0] == 200
    assert ask(f"{base}/ip/127.64.1.1")[0] == 404
    assert ask(f"{base}/ip/nonsense")[0] == 400
    assert ask(f"{base}/entity/x")[0] == 404


def test_doubled_slashes_in_joined_addresses_are_folded(ask, web):
    assert ask(web.rdap_bootstrap_url + "/ipv4.json")[0] == 200
