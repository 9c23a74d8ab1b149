"""Common innocent pictures: two people for each, and nothing near one is matched unseen."""

import hashlib

import pytest

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import innocent, innocent_file
from strandline.hotline.feedback.innocent import accept, decline, likeness, propose, remove
from strandline.hotline.feedback.models import Innocent, InnocentFile, Review
from strandline.hotline.feedback.reviews import keep
from strandline.hotline.hashlist.checks import innocent_among
from strandline.hotline.hashlist.classing import make_class
from strandline.hotline.hashlist.events import Identity
from strandline.hotline.hashlist.models import Entry, Event
from strandline.hotline.hashlist.services import import_entries
from strandline.hotline.jobs import due
from strandline.lists.published.events import Fingerprints
from strandline.lists.published.innocent_note import InnocentNote
from strandline.transparency import Verifier, open_note

pytestmark = pytest.mark.django_db

LOGO = hashlib.sha256(b"logo").hexdigest()
NEAR = f"{int(LOGO, 16) ^ 0b10101:064x}"
FAR = hashlib.sha256(b"far").hexdigest()


@pytest.fixture
def people(person):
    return person("senior-analyst"), person("manager")


@pytest.fixture
def logo(people, now):
    """A logo on the list, by its PDQ hash and its bytes."""
    first, second = people
    made = propose(what="logo", sha256="a" * 64, pdq=LOGO, reason="A bank's", by=first, now=now)
    accept(made, by=second, now=now)
    return made


def test_a_proposal_changes_nothing_until_another_person_accepts_it(people, listed, now):
    first, second = people
    (entry,) = listed(pdq=NEAR)
    made = propose(what="logo", pdq=LOGO, reason="A bank's", by=first, now=now)
    assert likeness("", LOGO) is None
    with pytest.raises(FeedbackRefused, match="somebody else"):
        accept(made, by=first, now=now)
    assert accept(made, by=second, now=now) == 1
    assert likeness("", NEAR).distance == 3
    entry.refresh_from_db()
    assert entry.state == Entry.State.QUARANTINED


def test_an_entry_on_or_near_the_list_waits_for_a_person(logo, listed):
    same, near, far = listed(pdq=LOGO) + listed(pdq=NEAR) + listed(pdq=FAR)
    assert [each.state for each in (same, near, far)] == ["quarantined", "quarantined", "listed"]
    (exact,) = listed(sha256="a" * 64)
    assert exact.state == Entry.State.QUARANTINED
    assert {review.cause for review in Review.objects.all()} == {"innocent"}
    assert "3 of 256 bits differ" in Review.objects.get(entry=near).quarantined_because
    assert Event.objects.last().why == "innocent-picture"


def test_an_import_is_looked_through_before_any_of_it_is_published(logo, now, hotline):
    rows = [
        Identity(
            Fingerprints(sha256=hashlib.sha256(bytes([n])).hexdigest(), pdq=pdq, quality=100),
            make_class("A"),
            pipeline="media-1",
        )
        for n, pdq in enumerate([FAR, NEAR, LOGO])
    ]
    import_entries(rows, source="Example Hotline", by="person:1", now=now)
    states = Entry.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["listed", "quarantined", "quarantined"]


def test_a_person_who_did_not_bring_it_can_let_it_through(logo, listed, people, now):
    (entry,) = listed(pdq=NEAR)
    keep(Review.objects.get(), reason="Another picture.", by=people[0], now=now)
    entry.refresh_from_db()
    assert entry.state == Entry.State.LISTED


def test_what_members_say_never_lets_it_through(logo, listed, member, say):
    (entry,) = listed(pdq=NEAR)
    who = member()
    say(who, "dispute", entry)
    say(who, "confirm", entry)
    assert entry.state == Entry.State.QUARANTINED
    assert Review.objects.get().is_open


def test_whoever_matches_can_ask_for_many_at_once(logo):
    asked = [("", FAR), ("", NEAR), ("a" * 64, ""), ("b" * 64, ""), ("", ""), ("a" * 64, FAR)]
    assert innocent_among(asked) == [False, True, True, False, False, True]


def test_a_removed_picture_no_longer_holds_anything(logo, listed, people, now):
    remove(logo, reason="Not that common.", by=people[0], now=now)
    (entry,) = listed(pdq=NEAR)
    assert entry.state == Entry.State.LISTED
    assert innocent_among([("", LOGO)]) == [False]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("what", {"what": "person"}),
        ("sha256", {"sha256": "xyz"}),
        ("pdq", {"pdq": "0" * 63}),
        ("sha256", {"pdq": ""}),
        ("reason", {"reason": " "}),
        ("reason", {"reason": "x" * 251}),
    ],
)
def test_a_proposal_that_cannot_be_one_is_refused_at_its_field(field, given, people, now):
    with pytest.raises(FeedbackRefused) as refused:
        propose(**{"what": "logo", "pdq": LOGO, "reason": "x"} | given, by=people[0], now=now)
    assert refused.value.field == field
    assert not Innocent.objects.exists()


def test_a_proposal_is_decided_once(people, now):
    first, second = people
    made = propose(what="logo", pdq=LOGO, reason="x", by=first, now=now)
    decline(made, reason="Nobody uses it.", by=second, now=now)
    with pytest.raises(FeedbackRefused, match="meanwhile"):
        accept(made, by=second, now=now)
    with pytest.raises(FeedbackRefused, match="meanwhile"):
        remove(made, reason="x", by=second, now=now)


def test_two_proposals_of_one_picture_are_one_line_and_lines_are_sorted(people, now):
    proposer, second = people
    for what, sha256, pdq in (("logo", "b" * 64, ""), ("meme", "", LOGO), ("logo", "", LOGO)):
        made = propose(what=what, sha256=sha256, pdq=pdq, reason="x", by=proposer, now=now)
        accept(made, by=second, now=now)
    written = innocent_file.text(origin="hotline.example", number=2, issued=now)
    assert written.endswith(f"pictures 2\nmeme - {LOGO}\nlogo {'b' * 64} -\n")
    assert InnocentNote.parse(written).number == 2


def test_no_more_are_accepted_than_members_take(people, now, monkeypatch):
    monkeypatch.setattr(innocent, "MAX_PICTURES", 1)
    first, another = (
        propose(what="logo", sha256=each * 64, reason="x", by=people[0], now=now) for each in "ab"
    )
    accept(first, by=people[1], now=now)
    with pytest.raises(FeedbackRefused, match="the most that members take"):
        accept(another, by=people[1], now=now)


def test_every_decision_is_in_the_chain(logo, people, now):
    remove(logo, reason="x", by=people[0], now=now)
    acts = AuditEntry.objects.filter(subject=logo.subject).values_list("action", flat=True)
    assert list(acts) == [
        "feedback.propose_innocent",
        "feedback.accept_innocent",
        "feedback.remove_innocent",
    ]


def test_members_get_it_as_a_signed_file(logo, hands, hotline, now):
    assert innocent_file.served() == ""
    innocent_file.sign(due.claim(InnocentFile, worker="w", now=now), hands, now)
    verifier = Verifier.from_vkey((hotline.home / "keys" / "list-signer.vkey").read_text().strip())
    assert open_note(innocent_file.served(), [verifier]).text == (
        "hotline.example/innocent\nformat 2\nnumber 1\nissued 2026-03-02T09:00:00Z\npictures 1\n"
        f"logo {'a' * 64} {LOGO}\n"
    )
