"""A whole published list over loopback: log, two witnesses, a second hotline, trust by TUF.

Everything has fixed keys and one clock, ``PublishedList.now``, which a test may set.
"""

import contextlib
import hashlib
import http.server
import shutil
import threading
import time
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from strandline.errors import ListRefused
from strandline.lists.member import membership
from strandline.lists.member.subscription import Subscription
from strandline.lists.published.blocks import Block
from strandline.lists.published.certificate import Certificate
from strandline.lists.published.classes import Action, EntryClass
from strandline.lists.published.editions import Counts, EditionPlan, write_edition
from strandline.lists.published.events import Entry, Event, Fingerprints, Frame, Kind
from strandline.lists.published.manifests import parse_manifest
from strandline.lists.state import State
from strandline.lists.trust import ceremony
from strandline.lists.trust.policy import Growth, Hotline, Policy
from strandline.lists.trust.repository import OnlineKeys, Repository
from strandline.transparency import CosignatureSigner, Log, Signer, make_proof
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.notes import split_note
from strandline.transparency.witness import Witness
from strandline.transparency.witnessing import ask

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
API_KEY = "member-key-1"
ORIGIN = "list.example"
PIPELINE = "media-1+pdq-1"
A = EntryClass("A", "camera", "gb")
B = EntryClass("B", "drawn", "gb", labels=("series",))
SALT = b"salt" * 8


def signer(name: str) -> Signer:
    return Signer.from_seed(name, hashlib.sha256(name.encode()).digest())


def digest(kind: str, seed: object) -> str:
    return hashlib.new(kind, str(seed).encode()).hexdigest()


def fingerprints(seed: object, **changes: object) -> Fingerprints:
    values = {
        "sha256": digest("sha256", seed),
        "sha1": digest("sha1", seed),
        "md5": digest("md5", seed),
        "pdq": digest("sha256", f"pdq {seed}"),
        "quality": 100,
    }
    return Fingerprints(**(values | changes))


def film(seed: object, frames: int = 4) -> Fingerprints:
    shown = (Frame(n * 1000, 90, digest("sha256", f"{seed} {n}")) for n in range(frames))
    return fingerprints(seed, pdq=None, quality=0, video=tuple(shown))


@dataclass
class Book:
    """The record behind the list: gives events their sequence numbers."""

    sequence: int = 0
    entries: dict[int, Entry] = field(default_factory=dict)
    contested: set[int] = field(default_factory=set)

    def add(self, number: int, entry_class: EntryClass = A, told: Fingerprints | None = None):
        told = told or fingerprints(number)
        kind = Kind.VIDEO if told.video else Kind.IMAGE
        entry = Entry(number, entry_class, kind, PIPELINE, told)
        self.entries[number] = entry
        return self._event(Action.ADD, entry, entry)

    def amend(self, number: int, told: Fingerprints):
        entry = replace(self.entries[number], fingerprints=told)
        self.entries[number] = entry
        return self._event(Action.AMEND, entry, entry)

    def withdraw(self, number: int, reason: str = "mistaken"):
        self.contested.discard(number)
        return self._event(Action.WITHDRAW, self.entries.pop(number), None, reason)

    def quarantine(self, number: int):
        self.contested.add(number)
        return self._event(Action.QUARANTINE, self.entries[number], None, "disputed")

    def restore(self, number: int):
        self.contested.discard(number)
        return self._event(Action.RESTORE, self.entries[number], None)

    def _event(self, action, entry, told, reason=""):
        self.sequence += 1
        return Event(self.sequence, action, entry.number, entry.entry_class, reason, told)

    def counts(self) -> dict[EntryClass, Counts]:
        everything = Counter(entry.entry_class for entry in self.entries.values())
        held = Counter(self.entries[number].entry_class for number in self.contested)
        return {each: Counts(everything[each], held[each]) for each in (A, B, *everything)}


class PublishedList:
    """Publishes editions into one folder, an hour apart."""

    def __init__(self, home: Path, **policy: object) -> None:
        self.home, self.changes = home, policy
        self.directory = home / "published"
        self.now = NOW
        self.book = Book()
        self.publisher = signer("hotline.example")
        self.second = signer("second.example")
        self.log_signer = signer(f"{ORIGIN}/log")
        self.witness_signers = [CosignatureSigner(signer(f"witness-{n}.example")) for n in (1, 2)]
        values = {
            "origin": ORIGIN,
            "publisher": Hotline("hotline.example", "gb", self.publisher.vkey),
            "log": self.log_signer.vkey,
            "hotlines": (Hotline("second.example", "de", self.second.vkey),),
            "witnesses": tuple(each.vkey for each in self.witness_signers),
            "witness_quorum": 2,
            "growth": Growth(1000, 50),
            "shrink_percent": 60,
        }
        self.policy = Policy(**(values | policy))
        self.made = ceremony.make_all(home / "keys", self.directory, self.policy, now=NOW)
        self.log = Log(self.directory / "log", self.log_signer)
        self.witnesses = [
            Witness(home / f"witness-{n}.db", each, [self.log_signer.verifier], now=self._clock)
            for n, each in enumerate(self.witness_signers)
        ]
        #: Every manifest, and what trust names: the newest editions.
        self.manifests = []
        self.targets: dict[str, bytes] = {}

    def copied_to(self, home: Path) -> "PublishedList":
        """The same publisher at another place, to go its own way from here."""
        shutil.copytree(self.home, home)
        copy = PublishedList(home, **self.changes)
        copy.now, copy.targets = self.now, dict(self.targets)
        copy.manifests, copy.book = list(self.manifests), deepcopy(self.book)
        return copy

    def _clock(self) -> datetime:
        return self.now

    @property
    def fingerprint(self) -> str:
        return self.made.fingerprint

    @property
    def repository(self) -> Repository:
        return Repository(self.directory, OnlineKeys.open(**self.made.online))

    # One step of publishing after the other.

    def write(self, *events: Event):
        """The files and manifest of the next edition; nothing counts yet."""
        self.now += HOUR
        by_class: dict[EntryClass, list[Event]] = {}
        for event in events:
            by_class.setdefault(event.entry_class, []).append(event)
        previous = self.manifests[-1] if self.manifests else None
        plan = EditionPlan(ORIGIN, len(self.manifests) + 1, self.now, previous)
        deltas = [(each, [Block.of(some)]) for each, some in by_class.items()]
        return write_edition(self.directory, plan, deltas, self.book.counts(), salt_key=SALT)

    def state(self, name: str, text: str, by: Signer, edition: int) -> str:
        """Sign, log and keep one statement; its proof comes with the next checkpoint."""
        note = by.sign(text)
        path = f"editions/{edition:06d}/{name}"
        if self.log.index_of(note.encode()) is None:
            self.log.append([note.encode()])
        (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / path).write_text(note)
        self.targets[path] = note.encode()
        return path

    def checkpoint(self) -> str:
        """The log as it stands, cosigned by both witnesses and published."""
        note, reader = self.log.checkpoint(), self.log.reader()
        size = Checkpoint.parse(split_note(note)[0]).size
        lines = [
            ask(
                lambda _, body, witness=witness: witness.add_checkpoint(body)[:2],
                "http://witness.example",
                note,
                lambda old: reader.consistency(old, size),
                each.verifier,
            )
            for witness, each in zip(self.witnesses, self.witness_signers, strict=True)
        ]
        return self.log.publish(lines, checkpoint=note)

    def prove(self, *paths: str) -> None:
        """Proofs beside statements, from the published checkpoint."""
        note = self.log.published()
        size = Checkpoint.parse(split_note(note)[0]).size
        for path in paths:
            index = self.log.index_of((self.directory / path).read_bytes())
            proof = make_proof(index, self.log.reader().inclusion(index, size), note)
            (self.directory / f"{path}.proof").write_text(proof)

    def release(self, newest: int = 3) -> None:
        oldest = len(self.manifests) - newest + 1
        named = {
            path: data for path, data in self.targets.items() if int(path.split("/")[1]) >= oldest
        }
        self.repository.release(named, self.now)

    def publish(self, *events: Event, certified: bool = True):
        """The next edition, all of it."""
        manifest = self.write(*events)
        paths = [self.state("manifest", manifest.text(), self.publisher, manifest.edition)]
        self.manifests.append(manifest)
        if certified:
            paths.append(self.certify(manifest))
        self.checkpoint()
        self.prove(*paths)
        self.release()
        return manifest

    def certify(self, manifest, by: Signer | None = None, classes=None) -> str:
        by = by or self.second
        chosen = [each for each, _ in manifest.classes] if classes is None else classes
        text = Certificate.of(manifest, by.name, chosen).text()
        return self.state(f"certificate.{by.name}", text, by, manifest.edition)

    def heartbeat(self) -> None:
        """Nothing is new, and that is said again."""
        self.checkpoint()
        self.repository.heartbeat(self.now)

    def edit(self, edition: int, name: str) -> Path:
        return self.directory / f"editions/{edition:06d}/{name}"


@dataclass
class Site:
    """What the server does, and what it was asked."""

    url: str
    #: Answers that differ from the files: path -> (status, headers, body).
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: Called with the path before an answer; may raise ConnectionError to break it off.
    before: list = field(default_factory=list)


def serve(directory: Path):  # noqa: C901 - one server, whole
    """A server for a folder behind a bearer check; the site, and what stops it."""

    found = Site("")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(directory))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            found.asked.append(self.path)
            with contextlib.suppress(ConnectionError):
                for hook in found.before:
                    hook(self)
                self._serve()
                return
            self.close_connection = True

        def _serve(self) -> None:
            if self.headers["Authorization"] != f"Bearer {API_KEY}":
                self._answer(401, {}, b"who are you?")
            elif self.path in found.answers:
                self._answer(*found.answers[self.path])
            else:
                super().do_GET()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return found, stop


@pytest.fixture(scope="session")
def three_editions(tmp_path_factory):
    """A published list of three editions, which tests copy."""
    made = PublishedList(tmp_path_factory.mktemp("three") / "house")
    book = made.book
    made.publish(*(book.add(n) for n in range(1, 6)), book.add(6, B), book.add(7, B, film(7)))
    made.publish(book.add(8), book.quarantine(1), book.withdraw(2), book.amend(3, fingerprints(33)))
    made.publish(book.add(9, B), book.restore(1))
    return made


@pytest.fixture
def published(three_editions, tmp_path):
    """A publisher with three editions."""
    return three_editions.copied_to(tmp_path / "house")


@pytest.fixture
def list_site(published):
    """Its folder on the web."""
    found, stop = serve(published.directory)
    yield found
    stop()


class Member:
    """One who holds a copy, with the publisher's clock."""

    def __init__(self, directory: Path, published: PublishedList, site: Site) -> None:
        self.directory, self.published, self.site = directory, published, site
        self.ahead = timedelta()

    @property
    def now(self) -> datetime:
        return self.published.now + self.ahead

    def init(self, **changes: object):
        values = {"fingerprint": self.published.fingerprint, "api_key": API_KEY}
        return membership.init(self.directory, self.site.url, **(values | changes))

    def sync(self, **changes: object):
        return membership.sync(self.directory, **({"api_key": API_KEY, "now": self.now} | changes))

    def verify(self):
        return membership.verify(self.directory, now=self.now)

    @property
    def edition(self) -> int:
        return State.open(self.directory / "store").edition

    def refuse(self, reason: str, **changes: object) -> str:
        """The sync is refused for this reason; what was held stays in use, whole."""
        held = self.edition if (self.directory / "store").exists() else None
        with pytest.raises(ListRefused, match=reason) as caught:
            self.sync(**changes)
        said = caught.value.message
        assert said.endswith(".")
        assert ("No list is held yet." if held is None else f"Edition {held} is kept") in said
        if held is not None:
            assert self.edition == held
        return said


@pytest.fixture
def newcomer(tmp_path, published, list_site):
    """A member that trusts the list and has not synced yet."""
    found = Member(tmp_path / "member", published, list_site)
    found.init()
    return found


@pytest.fixture(scope="session")
def synced_copy(three_editions, tmp_path_factory):
    """A member's copy of the three editions, which tests copy."""
    site, stop = serve(three_editions.directory)
    found = Member(tmp_path_factory.mktemp("copy") / "member", three_editions, site)
    found.init()
    found.sync()
    stop()
    return found.directory


@pytest.fixture
def member(synced_copy, tmp_path, published, list_site):
    """A member that holds the three editions."""
    found = Member(tmp_path / "member", published, list_site)
    shutil.copytree(synced_copy, found.directory)
    Subscription(list_site.url).write(found.directory)
    shutil.rmtree(found.directory / "incoming")
    return found


def wait_for(condition, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def copied(directory: Path, name: str) -> Path:
    copy = directory.with_name(name)
    if directory.exists():
        shutil.copytree(directory, copy)
    return copy


def manifest_in(directory: Path, edition: int):
    note = (directory / f"editions/{edition:06d}/manifest").read_bytes()
    return parse_manifest(note.rpartition(b"\n\n")[0].decode() + "\n")
