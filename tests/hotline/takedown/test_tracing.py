"""Tracing over real sockets: the simulated web's registries, resolver and routing."""

from datetime import timedelta

import pytest

from strandline.demo import hosts
from strandline.hotline.takedown import tracing
from strandline.hotline.takedown.tracing import LATER, LATEST, retry_after, trace_host


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    monkeypatch.setattr(tracing, "_bootstraps", {})


@pytest.fixture
def trace_of(web, tools):
    def trace(key, **options):
        page = hosts.page(key)
        site = hosts.host_of(page).domain
        return trace_host(page.site, site, tools.registries, web.rdap_bootstrap_url, **options)

    return trace


def test_host_network_routing_and_registrar_are_found(trace_of):
    host = hosts.host_of(hosts.page("removes-at-first"))
    traced = trace_of("removes-at-first")
    assert traced.ip == host.address
    assert (traced.origin.asn, traced.origin.prefix) == (host.asn, str(host.network))
    assert traced.as_name == f"{host.network_name}, {host.country}"
    assert (traced.network.name, traced.country) == (host.network_name, host.country)
    assert traced.contacts == (host.abuse, host.registrar_abuse)
    assert traced.again_in is None
    assert any("/ip/" in asked for asked in traced.asked)


def test_a_network_without_a_contact_leaves_the_registrars(trace_of):
    host = hosts.host_of(hosts.page("same-bytes"))
    assert trace_of("same-bytes").contacts == (host.registrar_abuse,)


def test_a_domain_no_registry_knows_leaves_the_networks(trace_of):
    host = hosts.host_of(hosts.page("one-undecodable"))
    traced = trace_of("one-undecodable")
    assert traced.contacts == (host.abuse,)
    assert traced.domain is None
    assert traced.again_in is None


def test_a_busy_registry_says_when_to_ask_again_and_then_answers(trace_of):
    host = hosts.host_of(hosts.page("unavailable-at-times"))
    first = trace_of("unavailable-at-times")
    assert first.network is None
    assert first.again_in == timedelta(seconds=60)
    assert trace_of("unavailable-at-times").contacts[0] == host.abuse


def test_the_server_that_was_seen_is_traced_whatever_the_name_says_now(trace_of):
    other = hosts.host_of(hosts.page("moves"))
    traced = trace_of("removes-at-first", ip=other.address)
    assert traced.contacts[0] == other.abuse


def test_the_network_next_door_is_not_taken_for_the_one_above(trace_of):
    for key in ("removes-with-410", "removes-at-second", "moves"):
        assert trace_of(key).parent is None


def test_a_name_that_does_not_exist_is_traced_to_nobody(web, tools):
    traced = trace_host("nowhere.test", "nowhere.test", tools.registries, web.rdap_bootstrap_url)
    assert (traced.ip, traced.contacts) == (None, ())


def test_registries_that_are_away_are_asked_later(web, tools):
    away = "http://nothing.alder-hosting.example:9/"
    traced = trace_host("gallery.alder-hosting.example", "x.example", tools.registries, away)
    assert traced.contacts == ()
    assert traced.again_in == LATER
    assert traced.origin is not None


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(minutes=1)),
        ("9999999", LATEST),
        ("99999999999999", LATER),
        ("-5", LATER),
        ("Wed, 21 Oct 2026 07:28:00 GMT", LATER),
        ("²", LATER),
        ("", LATER),
    ],
)
def test_retry_after_is_kept_within_bounds(header, wait):
    assert retry_after(header) == wait
