import socket

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from strandline.demo import hosts, registry
from strandline.demo.web import SimulatedWeb


@pytest.fixture
def resolver(web):
    resolver = dns.resolver.Resolver(configure=False)
    host, _, port = web.dns_address.partition(":")
    resolver.nameservers, resolver.port, resolver.lifetime = [host], int(port), 3
    return resolver


def texts(found):
    return [b"".join(record.strings).decode() for record in found]


@pytest.mark.parametrize("tcp", [False, True])
def test_every_site_has_its_hosts_address(resolver, tcp):
    for host in hosts.HOSTS:
        for name in (host.domain, *(page.site for page in host.pages)):
            found = resolver.resolve(name, "A", tcp=tcp)
            assert [record.address for record in found] == [host.address]


def test_names_are_answered_in_any_case(resolver):
    assert len(resolver.resolve("Gallery.ALDER-hosting.example.", "A")) == 1


def test_the_registries_have_addresses(resolver):
    for name, address in registry.services().items():
        assert [record.address for record in resolver.resolve(name, "A")] == [address]


def test_other_names_do_not_exist(resolver):
    for name in ("nobody.example", "strandline.org", "1.2.0.192.origin.asn.cymru.com"):
        with pytest.raises(dns.resolver.NXDOMAIN):
            resolver.resolve(name, "A")


def test_a_name_that_exists_has_no_records_of_other_types(resolver):
    for name, rdtype in (("gallery.alder-hosting.example", "AAAA"), ("example", "A")):
        with pytest.raises(dns.resolver.NoAnswer):
            resolver.resolve(name, rdtype)


@pytest.mark.parametrize("host", hosts.HOSTS, ids=lambda host: host.label)
def test_origin_and_country_are_told_in_the_form_of_the_public_service(resolver, host):
    backwards = ".".join(reversed(host.address.split(".")))
    origin = texts(resolver.resolve(f"{backwards}.origin.asn.cymru.com", "TXT"))
    assert origin == [
        f"{host.asn} | {host.network} | {host.country} | {host.registry} | 2010-01-01"
    ]
    system = texts(resolver.resolve(f"AS{host.asn}.asn.cymru.com", "TXT"))
    owner = f"{host.network_name}, {host.country}"
    assert system == [f"{host.asn} | {host.country} | {host.registry} | 2010-01-01 | {owner}"]


def test_noise_is_not_answered_and_does_not_stop_the_resolver(web, resolver):
    host, _, port = web.dns_address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"\x00noise", (host, int(port)))
    with socket.create_connection((host, int(port)), timeout=2) as sender:
        sender.sendall(b"\x00\x03abc")
        assert sender.recv(10) == b""
    assert len(resolver.resolve("gallery.alder-hosting.example", "A")) == 1


def test_a_query_without_a_question_is_a_format_error(web):
    host, _, port = web.dns_address.partition(":")
    query = dns.message.Message(id=7)
    reply = dns.query.udp(query, host, port=int(port), timeout=2)
    assert reply.rcode() == dns.rcode.FORMERR


def test_a_taken_port_is_an_error_and_leaves_nothing_open(tmp_path, web, clock):
    port = int(web.dns_address.partition(":")[2])
    with pytest.raises(OSError, match="in use"), SimulatedWeb(tmp_path, clock, dns_port=port):
        pass
