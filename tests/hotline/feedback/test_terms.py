"""What a member may have: set by an administrator, in the chain, signed by the worker."""

from datetime import timedelta

import pytest

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import terms
from strandline.hotline.feedback.models import ScopeSigning
from strandline.hotline.hashlist.scopes import scope_of
from strandline.hotline.jobs import due
from strandline.lists.published.classes import Column, Scope
from strandline.lists.published.scope_note import ScopeNote
from strandline.transparency import Verifier, open_note

pytestmark = pytest.mark.django_db

NARROW = Scope(columns=frozenset({Column.MD5, Column.PDQ}), categories=frozenset({"A", "B"}))


def test_a_member_may_have_the_whole_list_until_something_is_set(member, now):
    who, other = member(), member()
    assert scope_of(who) == Scope()
    terms.set_terms(who, NARROW, by="person:1", now=now)
    assert scope_of(who) == NARROW
    assert scope_of(other) == Scope()


def test_a_change_is_in_the_chain_with_what_it_was_changed_to(member, now):
    who = member()
    terms.set_terms(who, NARROW, mailbox="a@b.example", group="One", by="person:1", now=now)
    act = AuditEntry.objects.get(action="feedback.set_terms")
    assert (act.actor, act.subject) == ("person:1", who.actor)
    assert act.detail["categories"] == ["A", "B"]
    assert act.detail["columns"] == ["md5", "pdq"]
    assert act.detail["mailbox"] is True, "that there is one, not which"


def test_the_worker_signs_each_change_with_the_publishers_key(member, hands, hotline, now):
    who = member()
    verifier = Verifier.from_vkey((hotline.home / "keys" / "list-signer.vkey").read_text().strip())
    for later, scope in enumerate((NARROW, Scope())):
        terms.set_terms(who, scope, by="person:1", now=now)
        terms.sign(due.claim(ScopeSigning, worker="w", now=now), hands, now)
        note = ScopeNote.parse(open_note(terms.ask_note(who, now=now), [verifier]).text)
        assert note == ScopeNote(
            "hotline.example", who.actor, now + timedelta(seconds=later), scope
        ), "each is newer than the one before, also within a second"
    assert due.claim(ScopeSigning, worker="w", now=now) is None


def test_the_first_question_of_a_member_makes_its_note_due(member, hands, now):
    who = member()
    assert terms.ask_note(who, now=now) == ""
    assert terms.ask_note(who, now=now) == ""
    terms.sign(due.claim(ScopeSigning, worker="w", now=now), hands, now)
    assert "categories -\n" in terms.ask_note(who, now=now)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("scope", {"scope": Scope(columns=frozenset())}),
        ("scope", {"scope": Scope(categories=frozenset({"../x"}))}),
        ("mailbox", {"mailbox": "nobody"}),
        ("group", {"group": "x" * 61}),
    ],
)
def test_what_cannot_be_set_is_refused_at_its_field(field, given, member, now):
    who = member()
    with pytest.raises(FeedbackRefused) as refused:
        terms.set_terms(who, **{"scope": NARROW} | given, by="person:1", now=now)
    assert refused.value.field == field
    assert scope_of(who) == Scope()


def test_a_form_is_read_as_words_with_spaces_or_commas_between():
    found = terms.read_scope(["pdq"], {"categories": " B, A  A", "labels": ""})
    assert found == Scope(
        columns=frozenset({Column.PDQ}), categories=frozenset({"A", "B"}), labels=frozenset()
    )
    with pytest.raises(FeedbackRefused, match="no such kind"):
        terms.read_scope(["sha3"], {})
