"""Nothing is told before a quorum saw it, nor on the word of a hotline nobody named."""

import dataclasses
import threading
import wsgiref.simple_server
from datetime import timedelta

import pytest

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.certificates import take_certificate
from strandline.hotline.hashlist.models import Certificate, Cosigning, Edition, Release
from strandline.hotline.hashlist.publishing import manifest_of
from strandline.hotline.jobs import due
from strandline.lists.published import certificate as format_
from strandline.lists.trust.policy import Hotline
from strandline.transparency import (
    CosignatureSigner,
    CosignatureVerifier,
    Signer,
    Verifier,
    open_checkpoint,
    open_proof,
)
from strandline.transparency.witness import Witness
from strandline.transparency.witness_app import witness_app

pytestmark = pytest.mark.django_db
LATER = timedelta(days=1)
OTHER = Signer.from_seed("other-hotline.example", bytes(range(32)))


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


class Running:
    """A witness on loopback that can go away and come back."""

    def __init__(self, folder, number, logs, clock):
        self.signer = CosignatureSigner.generate(f"witness-{number}.example")
        self.clock = clock
        self._witness = Witness(
            folder / f"witness-{number}", self.signer, logs, now=lambda: self.clock[0]
        )
        self._server = wsgiref.simple_server.make_server(
            "127.0.0.1", 0, self._answer, handler_class=Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.away = False
        self.asked = 0
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    def _answer(self, environ, start_response):
        self.asked += 1
        if self.away:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return witness_app(self._witness)(environ, start_response)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def clock(now):
    return [now]


@pytest.fixture
def witnesses(hotline, tmp_path, clock, now, settings):
    """Three witnesses of which two must cosign, and a policy that says so."""
    from strandline.hotline.setup import make_list_root, own_policy, verifier_key

    log = Verifier.from_vkey(verifier_key(hotline, "log-signer"))
    running = [Running(tmp_path, number, [log], clock) for number in range(3)]
    settings.HOTLINE = dataclasses.replace(
        hotline, witnesses={each.signer.name: each.url for each in running}
    )
    policy = dataclasses.replace(
        own_policy(hotline),
        witnesses=tuple(each.signer.vkey for each in running),
        witness_quorum=2,
        hotlines=(Hotline(OTHER.name, "de", OTHER.vkey),),
        certification=2,
    )
    make_list_root(hotline, now=now, policy=policy)
    yield running
    for each in running:
        each.stop()


@pytest.fixture
def opened(hotline, witnesses, clock):
    """``opened()``: the published checkpoint, believed as a member believes it."""
    from strandline.hotline.setup import verifier_key

    log = Verifier.from_vkey(verifier_key(hotline, "log-signer"))
    keys = [CosignatureVerifier.from_vkey(each.signer.vkey) for each in witnesses]

    def read():
        note = (hotline.published / "log/checkpoint").read_bytes()
        return open_checkpoint(note, log, keys, 2, now=clock[0], fresh=timedelta(hours=48))

    return read


def proven(hotline, witnesses, path):
    from strandline.hotline.setup import verifier_key

    log = Verifier.from_vkey(verifier_key(hotline, "log-signer"))
    keys = [CosignatureVerifier.from_vkey(each.signer.vkey) for each in witnesses]
    file = hotline.published / path
    proof = file.with_name(f"{file.name}.proof").read_bytes()
    return open_proof(proof, file.read_bytes(), log, keys, 2)


def test_an_edition_is_told_once_a_quorum_has_cosigned(
    witnesses, listed, publish, opened, hotline, now
):
    listed(1)
    assert publish(now).state == Edition.State.PUBLISHED
    assert len(opened().cosigned) == 3
    assert proven(hotline, witnesses, "editions/000001/manifest").index == 0


def test_one_witness_may_be_away(witnesses, listed, publish, work, opened, now):
    witnesses[1].away = True
    listed(1)
    assert publish(now).state == Edition.State.PUBLISHED
    assert len(opened().cosigned) == 2
    work(now + timedelta(minutes=3))
    (row,) = due.failing()
    assert "witness-1.example did not cosign: it answered 503" in row.last_error


def test_without_a_quorum_nothing_is_told_until_one_comes_back(
    witnesses, listed, publish, work, opened, clock, now
):
    listed(1)
    publish(now)
    for each in witnesses[1:]:
        each.away = True
    listed(1)
    assert publish(now + LATER).state == Edition.State.LOGGED
    assert opened().checkpoint.size == 1, "the last published state stays"
    told = Release.objects.get().expires_at
    work(now + LATER + timedelta(minutes=3))
    assert {row.witness for row in due.failing() if isinstance(row, Cosigning)} == {
        "witness-1.example", "witness-2.example",
    }  # fmt: skip
    clock[0] = now + 2 * LATER
    witnesses[1].away = False
    work(clock[0])
    assert Edition.objects.last().state == Edition.State.PUBLISHED
    assert opened().checkpoint.size == 2
    assert Release.objects.get().expires_at > told
    acts = AuditEntry.objects.filter(action="hashlist.publish_edition")
    assert [act.subject for act in acts] == ["edition:1", "edition:2"]


def test_a_witness_without_an_address_is_said(witnesses, listed, publish, work, now, settings):
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, witnesses={})
    listed(1)
    assert publish(now).state == Edition.State.LOGGED
    work(now + timedelta(minutes=3))
    assert any("STRANDLINE_WITNESSES" in row.last_error for row in due.failing())


def test_cosignatures_are_renewed_before_members_doubt_them(
    witnesses, listed, publish, work, opened, clock, now
):
    listed(1)
    publish(now)
    for _ in range(12):
        clock[0] = Release.objects.get().due_at
        work(clock[0])
        assert all(clock[0] - at < timedelta(hours=24) for at in opened().cosigned.values())
    assert clock[0] > now + timedelta(days=5)
    assert opened().checkpoint.size == 1


def vouch(hotline, published, signer=OTHER, name=None, **changes):
    manifest = manifest_of(hotline, published)
    said = format_.Certificate.of(
        manifest, name or signer.name, [each for each, _ in manifest.classes]
    )
    return signer.sign(dataclasses.replace(said, **changes).text())


@pytest.fixture
def edition(witnesses, listed, publish, now):
    listed(2)
    return publish(now)


def test_a_certificate_is_logged_cosigned_and_told(edition, witnesses, hotline, work, now):
    note = vouch(hotline, edition)
    taken = take_certificate(note, by="member:1", now=now)
    assert (taken.jurisdiction, taken.state) == ("de", "received")
    work(now)
    taken.refresh_from_db()
    assert taken.state == Certificate.State.RELEASED
    path = "editions/000001/certificate.other-hotline.example"
    assert (hotline.published / path).read_text() == note
    assert proven(hotline, witnesses, path).index == 1
    targets = (hotline.published / "metadata/2.targets.json").read_text()
    assert path in targets
    assert AuditEntry.objects.filter(action="hashlist.release_certificate").count() == 1


def test_the_same_certificate_again_changes_nothing(edition, hotline, work, now):
    note = vouch(hotline, edition)
    assert take_certificate(note, by="x", now=now) == take_certificate(note, by="x", now=now)
    assert AuditEntry.objects.filter(action="hashlist.take_certificate").count() == 1
    other = vouch(hotline, edition, classes=())
    with pytest.raises(ListChangeRefused, match="already, in other words"):
        take_certificate(other, by="x", now=now)


STRANGER = Signer.from_seed("stranger.example", bytes(32))
IMPOSTOR = Signer.from_seed("other-hotline.example", bytes(32))


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"signer": STRANGER}, "No hotline that the list's policy names"),
        ({"signer": IMPOSTOR}, "No trusted key signed this"),
        ({"name": "stranger.example"}, "speaks for stranger.example"),
        ({"origin": "another.example"}, "on another.example"),
        ({"edition": 7}, "no published edition 7"),
        ({"manifest": "0" * 64}, "about another edition"),
        ({"classes": (("0" * 16, "0" * 64),)}, "about another edition"),
    ],
)
def test_a_certificate_that_is_not_one_is_refused(facts, sentence, edition, hotline, now):
    with pytest.raises(ListChangeRefused, match=sentence):
        take_certificate(vouch(hotline, edition, **facts), by="x", now=now)
    assert not Certificate.objects.exists()


@pytest.mark.parametrize("note", ["", "x", "x\n\n— other-hotline.example x\n", "y" * 70_000])
def test_what_is_no_certificate_at_all_is_refused(note, edition, now):
    with pytest.raises(ListChangeRefused, match="Nothing was kept"):
        take_certificate(note, by="x", now=now)
