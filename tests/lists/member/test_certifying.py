"""The other hotline: it signs only what it has checked, and only under its own name."""

import io
import json
import shutil
import threading
import wsgiref.simple_server

import pytest

from list_publisher import Member, PublishedList, fingerprints, serve, signer
from strandline import lists
from strandline.errors import ListRefused, SiteFailed
from strandline.lists import certifying
from strandline.lists.auditing import Beacon, parse_protocol
from strandline.lists.member.subscription import Subscription
from strandline.lists.published.certificate import parse_certificate
from strandline.lists.state import State
from strandline.lists.trust.policy import Hotline
from strandline.transparency import Verifier, open_note

OTHER = "second.example"
BEACON = Beacon("drand-quicknet", "4711", "8f14e45fceea167a5a36dedd4bea2543")


@pytest.fixture
def copy(published, member):
    """The other hotline's own copy, at an edition that nobody certified yet."""
    published.publish(published.book.add(10), certified=False)
    made_to_certify(member)
    assert "awaiting your certificate: not certified by enough" in member.sync().awaiting
    return member


@pytest.fixture
def platform(published, list_site, synced_copy, tmp_path):
    """A member who uses the list."""
    found = Member(tmp_path / "platform", published, list_site)
    shutil.copytree(synced_copy, found.directory)
    Subscription(list_site.url).write(found.directory)
    shutil.rmtree(found.directory / "incoming")
    return found


def made_to_certify(member):
    Subscription(member.site.url, certifying=OTHER).write(member.directory)
    shutil.rmtree(member.directory / "incoming")


def publish(published, note):
    """The publisher takes a certificate in."""
    path = f"editions/000004/certificate.{OTHER}"
    (published.directory / path).write_text(note)
    published.log.append([note.encode()])
    published.targets[path] = note.encode()
    published.checkpoint()
    published.prove("editions/000004/manifest", path)
    published.release()


def said(published, note, by):
    return open_note(note, [Verifier.from_vkey(by.vkey)]).text


def test_what_was_checked_is_certified_and_then_every_member_takes_it(published, copy, platform):
    platform.refuse("is not certified")
    note, protocol = certifying.vouch(copy.directory, published.second, now=copy.now)
    certificate = parse_certificate(said(published, note, published.second))
    manifest = published.manifests[-1]
    assert protocol is None
    assert (certificate.hotline, certificate.edition) == (OTHER, 4)
    assert all(certificate.vouches_for(manifest, each) for each, _ in manifest.classes)
    publish(published, note)
    assert platform.sync().manifest.edition == 4
    assert platform.verify().awaiting == ""
    assert lists.match(platform.directory, [])


def test_an_uncertified_edition_is_looked_at_and_nothing_is_answered_from_it(published, copy):
    refused = pytest.raises(ListRefused, match="awaiting your certificate: not certified by enough")
    assert "so far only hotline.example did" in copy.verify().awaiting
    [found] = lists.explain(copy.directory, "entry-10")
    assert [each.name for each in found.vouchers] == ["hotline.example"]
    assert "awaiting your certificate" in found.awaiting
    with refused:
        lists.match(copy.directory, [])
    with refused:
        lists.HashList.open(copy.directory)
    with refused:
        lists.export(copy.directory, "csv")
    for form in lists.FOREIGN:
        with refused:
            lists.export_foreign(copy.directory, form, io.BytesIO())
    with pytest.raises(ListRefused, match="synced again"):
        State.open(copy.directory / "store")

    note, _ = certifying.vouch(copy.directory, published.second, now=copy.now)
    publish(published, note)
    with refused:
        lists.match(copy.directory, [])
    assert copy.sync().awaiting == ""
    assert copy.verify().awaiting == ""
    assert lists.HashList.open(copy.directory).find(sha256=fingerprints(10).sha256)
    assert [each.name for each in lists.explain(copy.directory, "entry-10")[0].vouchers] == [
        "hotline.example",
        OTHER,
    ]


def test_a_list_that_is_open_stops_answering_when_an_uncertified_edition_comes(published, member):
    made_to_certify(member)
    with lists.HashList.open(member.directory) as hashes:
        assert hashes.find(sha256=fingerprints(8).sha256)
        published.publish(published.book.add(10), certified=False)
        member.sync()
        for _ in range(2):
            with pytest.raises(ListRefused, match="nothing is answered from it"):
                hashes.find(sha256=fingerprints(8).sha256)
        with pytest.raises(ListRefused, match="nothing is answered from it"):
            hashes.refresh()
        published.publish(published.book.add(11))
        assert member.sync().awaiting == ""
        assert hashes.find(sha256=fingerprints(10).sha256)


def test_a_copy_that_answers_from_an_uncertified_edition_is_not_sound(copy):
    State.open(copy.directory / "store", even_withheld=True).withhold("")
    with pytest.raises(ListRefused, match="answers from it all the same"):
        copy.verify()
    assert not copy.sync().changed
    assert "awaiting" in copy.verify().awaiting


def test_the_last_of_two_hotlines_that_must_certify_is_waited_for(tmp_path):
    third = Hotline("third.example", "nl", signer("third.example").vkey)
    second = Hotline(OTHER, "de", signer(OTHER).vkey)
    published = PublishedList(tmp_path / "three", hotlines=(second, third), certification=3)
    published.publish(published.book.add(1), certified=False)
    site, stop = serve(published.directory)
    copy = Member(tmp_path / "copy", published, site)
    copy.init(certifying=OTHER)
    try:
        assert "awaiting your certificate" in copy.sync().awaiting
        published.certify(published.manifests[-1])
        published.checkpoint()
        published.prove(f"editions/000001/certificate.{OTHER}")
        published.release()
        assert "awaiting the certificates of others: not certified by" in copy.sync().awaiting
        assert "hotline.example, second.example did" in copy.verify().awaiting
    finally:
        stop()


@pytest.mark.parametrize("lost", [False, True])
def test_a_folder_that_exists_is_never_made_one_to_certify(published, member, lost):
    published.publish(published.book.add(10), certified=False)
    member.refuse("is not certified")
    if lost:
        (member.directory / "subscription").unlink()
    with pytest.raises(ListRefused, match="make a folder of its own"):
        member.init(certifying=OTHER)
    with pytest.raises(TypeError):
        member.sync(certifying=OTHER)
    if lost:
        member.init()
    member.refuse("is not certified")


def test_a_folder_to_certify_with_is_never_made_one_to_use(copy):
    with pytest.raises(ListRefused, match=r"made to certify as second\.example, and that was kept"):
        copy.init()
    copy.init(certifying=OTHER)
    assert "awaiting" in copy.sync().awaiting


def test_a_copy_with_a_changed_byte_is_not_certified(published, copy):
    page = next(copy.directory.glob("editions/000004/*/*.pdq"))
    page.write_bytes(page.read_bytes()[:-1] + b"x")
    with pytest.raises(ListRefused):
        certifying.vouch(copy.directory, published.second, now=copy.now)


def test_a_copy_that_is_not_kept_to_certify_is_not_certified(published, member):
    with pytest.raises(ListRefused, match="not kept to certify"):
        certifying.vouch(member.directory, published.second, now=member.now)


def test_another_key_than_the_policy_names_signs_nothing(published, copy):
    with pytest.raises(ListRefused, match="by another key"):
        certifying.vouch(copy.directory, published.publisher, now=copy.now)


def looked_at(copy, **bad):
    _, numbers = certifying.sample(copy.directory, BEACON, size=5, now=copy.now)
    found = dict.fromkeys(numbers, "ok")
    return certifying.Audited(BEACON, found | {numbers[0]: bad.get("first", "ok")})


def test_an_audited_certificate_names_its_protocol(published, copy):
    note, protocol = certifying.vouch(
        copy.directory, published.second, audited=looked_at(copy), now=copy.now
    )
    told = parse_protocol(said(published, protocol, published.second))
    assert (told.edition, told.entries, len(told.found), told.bad) == (4, 9, 5, 0)
    certificate = parse_certificate(said(published, note, published.second))
    assert certificate.audit == told.digest()


def test_one_bad_entry_and_nothing_is_signed(published, copy):
    audited = looked_at(copy, first="not-illegal")
    with pytest.raises(ListRefused, match="1 of 5 entries that were looked at are bad"):
        certifying.vouch(copy.directory, published.second, audited=audited, now=copy.now)


def test_a_sample_that_somebody_chose_is_refused(published, copy):
    drawn = looked_at(copy).found
    chosen = dict.fromkeys(
        sorted({number for number in range(1, 11) if number != 2} - set(drawn))[:4], "ok"
    )
    with pytest.raises(ListRefused, match="they were chosen"):
        certifying.vouch(
            copy.directory,
            published.second,
            audited=certifying.Audited(BEACON, chosen),
            now=copy.now,
        )


@pytest.fixture
def desk():
    """A publisher's desk that answers as it is told; what it was given."""
    given, answer = [], [200, {"state": "received"}]

    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *arguments):
            pass

    def application(environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        given.append((environ["PATH_INFO"], environ["HTTP_AUTHORIZATION"], json.loads(body)))
        data = json.dumps(answer[1]).encode()
        start_response(f"{answer[0]} X", [("Content-Length", str(len(data)))])
        return [data]

    server = wsgiref.simple_server.make_server("127.0.0.1", 0, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", given, answer
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_is_handed_in_with_the_key(desk):
    url, given, _ = desk
    assert certifying.submit(url, "note", api_key="slk_1") == "received"
    assert given == [("/api/v1/certificates", "Bearer slk_1", {"note": "note"})]


def test_a_refusal_is_told_with_its_reason(desk):
    url, _, answer = desk
    answer[:] = [422, {"detail": "It is about another edition. Nothing was kept."}]
    with pytest.raises(ListRefused, match="another edition"):
        certifying.submit(url, "note", api_key="slk_1")
    answer[:] = [500, []]
    with pytest.raises(ListRefused, match="status 500"):
        certifying.submit(url, "note", api_key="slk_1")


def test_a_publisher_that_is_not_there_is_said():
    with pytest.raises(SiteFailed, match="Send the certificate again"):
        certifying.submit("http://127.0.0.1:9", "note", api_key="slk_1")
