from ipaddress import ip_address, ip_network

from strandline.demo import hosts
from strandline.demo.hosts import HOSTS, Standing


def test_everything_is_under_reserved_names_and_numbers():
    for host in HOSTS:
        assert host.domain.endswith(".example")
        assert 64496 <= host.asn <= 64511
        assert ip_address(host.address) in host.network
        assert host.network.subnet_of(ip_network(hosts.NETWORK))
        assert host.network.is_loopback
        for page in host.pages:
            assert page.site.endswith(f".{host.domain}")


def test_no_two_hosts_share_a_network_a_system_or_a_mailbox():
    for facts in ("address", "network", "asn", "domain", "abuse", "network_name"):
        assert len({getattr(host, facts) for host in HOSTS}) == len(HOSTS), facts


def test_keys_and_addresses_of_pages_are_unique():
    pages = list(hosts.pages())
    assert len({page.key for page in pages}) == len(pages)
    assert len({page.url(80) for page in pages}) == len(pages)
    assert all(hosts.page(page.key) is page for page in pages)


def test_one_picture_is_the_same_bytes_on_two_hosts():
    here, there = hosts.page("same-bytes"), hosts.page("removes-at-first")
    assert hosts.host_of(here) is not hosts.host_of(there)
    assert here.pictures[0].data() == there.pictures[0].data()


def test_copies_are_of_subjects_and_differ_from_them_in_bytes():
    copies = [p for key in ("copies", "more-copies") for p in hosts.page(key).pictures]
    copied = {picture.seed for picture in copies}
    originals = {
        picture.seed: picture.data()
        for page in hosts.pages()
        for picture in page.pictures
        if picture.seed in copied and picture.scale == 1.0
    }
    assert len(copies) == 5
    for picture in copies:
        assert picture.data() != originals[picture.seed]


def test_innocent_pages_and_decoys_share_no_picture_with_subjects():
    pages = list(hosts.pages())
    subject = {p.seed for page in pages if page.standing is Standing.SUBJECT for p in page.pictures}
    innocent = {
        p.seed for page in pages if page.standing is Standing.INNOCENT for p in page.pictures
    }
    decoys = {p.seed for page in pages for p in page.decoy}
    assert innocent
    assert decoys
    assert not subject & (innocent | decoys)
