"""The other hotline: it signs only what it has checked, and only under its own name."""

import json
import threading
import wsgiref.simple_server

import pytest

from strandline.errors import ListRefused, SiteFailed
from strandline.lists import certifying
from strandline.lists.auditing import Beacon, parse_protocol
from strandline.lists.published.certificate import parse_certificate
from strandline.transparency import Verifier, open_note

OTHER = "second.example"
BEACON = Beacon("drand-quicknet", "4711", "8f14e45fceea167a5a36dedd4bea2543")


@pytest.fixture
def copy(published, member):
    """The other hotline's own copy, at an edition that nobody certified yet."""
    published.publish(published.book.add(10), certified=False)
    member.refuse("is not certified")
    member.sync(certifying=OTHER)
    assert member.edition == 4
    return member


def said(published, note, by):
    return open_note(note, [Verifier.from_vkey(by.vkey)]).text


def test_what_was_checked_is_certified_and_then_every_member_takes_it(published, copy):
    note, protocol = certifying.vouch(copy.directory, published.second, now=copy.now)
    certificate = parse_certificate(said(published, note, published.second))
    manifest = published.manifests[-1]
    assert protocol is None
    assert (certificate.hotline, certificate.edition) == (OTHER, 4)
    assert all(certificate.vouches_for(manifest, each) for each, _ in manifest.classes)
    path = published.state(f"certificate.{OTHER}", certificate.text(), published.second, 4)
    published.checkpoint()
    published.prove("editions/000004/manifest", path)
    published.release()
    copy.sync(certifying="")
    assert copy.verify().manifest.edition == 4


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
