"""Addresses of the simulated web, from their confirmation to their end, over real sockets."""

from collections import Counter

import pytest

from strandline.demo import hosts
from strandline.hotline.audit.verify import verify
from strandline.hotline.reports.models import ReportedUrl
from strandline.hotline.reports.states import State

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: Page of the simulated web -> the states after its confirmation, and every notice about it.
EXPECTED = {
    "removes-at-first": (
        "traced noticed monitored removed closed",
        ["1 first abuse@alder-hosting.example"],
    ),
    "removes-at-second": (
        "traced noticed monitored removed closed",
        ["1 first abuse@cedar-cloud.example", "1 reminder abuse@cedar-cloud.example"],
    ),
    "never-removes": (
        "traced noticed monitored unchanged",
        [
            "1 first abuse@dogwood-net.example",
            "1 reminder abuse@dogwood-net.example",
            "1 escalation abuse@registrar-b.example",
        ],
    ),
    "moves": ("traced noticed monitored moved closed", ["1 first abuse@elm-share.example"]),
    "unavailable-at-times": (
        "traced noticed monitored removed closed",
        ["1 first abuse@ginkgo-host.example", "1 reminder abuse@ginkgo-host.example"],
    ),
    "says-not-found": (
        "traced noticed monitored removed closed",
        ["1 first abuse@hazel-images.example"],
    ),
    "pathway-only": (
        "traced noticed monitored removed closed",
        ["1 first abuse@ivy-boards.example"],
    ),
    "comes-back": (
        "traced noticed monitored removed reopened noticed monitored removed closed",
        ["1 first abuse@juniper-data.example", "2 first abuse@juniper-data.example"],
    ),
    # No registry knows an abuse contact of its network: the registrar's is written to.
    "same-bytes": (
        "traced noticed monitored removed closed",
        ["1 first abuse@registrar-b.example"],
    ),
}
#: The new home of "moves": nobody looked at its pictures again, they are confirmed already.
MOVED_TO = ("traced noticed monitored removed closed", ["1 first abuse@fir-vault.example"])


def way(address):
    changes = [change.after for change in address.changes.all()]
    return " ".join(changes[changes.index(State.SECOND_ASSESSED) + 1 :])


def notices(address):
    return [f"{n.round} {n.level} {n.recipient}" for n in address.notices.all()]


def test_every_kind_of_host_comes_to_its_end(report, confirm, days, web):
    addresses = {}
    for key in EXPECTED:
        referrer = hosts.PATHWAY_REFERRER if key == "pathway-only" else ""
        addresses[key] = report(key, referrer=referrer)
    for address in addresses.values():
        confirm(address)
    days(50)
    addresses["moved-to"] = ReportedUrl.objects.get(moved_from=addresses["moves"])
    found = {key: (way(address), notices(address)) for key, address in addresses.items()}
    assert found == EXPECTED | {"moved-to": MOVED_TO}
    sent = Counter(mail.message_id for mail in web.mails)
    assert set(sent.values()) == {1}
    assert sum(len(letters) for _, letters in found.values()) == len(sent)
    assert verify().ok
