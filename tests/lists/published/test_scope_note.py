"""The text of a scope note: one scope, one text, and nothing else is read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.errors import ListRefused
from strandline.lists.published.classes import Column, Scope
from strandline.lists.published.scope_note import ScopeNote

ISSUED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NARROW = ScopeNote(
    origin="hotline.example",
    member="member:3",
    issued=ISSUED,
    scope=Scope(
        columns=frozenset({Column.PDQ, Column.MD5}),
        categories=frozenset({"B", "A"}),
        without_labels=frozenset({"series"}),
    ),
)
TEXT = """hotline.example/scope
format 2
member member:3
issued 2026-03-02T09:00:00Z
columns md5 pdq
categories A B
provenances -
jurisdictions -
survivors -
labels -
without-labels series
"""
words = st.frozensets(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True), max_size=4)


def test_one_scope_has_one_text():
    assert NARROW.text() == TEXT
    assert ScopeNote.parse(TEXT) == NARROW


@given(st.frozensets(st.sampled_from(list(Column)), min_size=1), words, words, words, words, words)
def test_every_scope_is_read_back_as_it_was(columns, categories, provenances, labels, without, law):
    note = ScopeNote(
        "hotline.example",
        "member:1",
        ISSUED,
        Scope(
            columns=columns,
            categories=categories,
            provenances=provenances,
            jurisdictions=law,
            labels=labels,
            without_labels=without,
        ),
    )
    assert ScopeNote.parse(note.text()) == note


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "more 1\n",
        TEXT.replace("format 2", "format 3"),
        TEXT.replace("A B", "B A"),
        TEXT.replace("A B", "A A"),
        TEXT.replace("A B", "A  B"),
        TEXT.replace("A B", "A ../B"),
        TEXT.replace("md5 pdq", "-"),
        TEXT.replace("md5 pdq", "md5 sha3"),
        TEXT.replace("/scope", "/list"),
        TEXT.replace("09:00:00Z", "09:00:00+01:00"),
        TEXT.replace("labels -\n", "", 1),
        TEXT.replace("member:3", "a member"),
    ],
)
def test_what_is_not_canonical_is_refused(text):
    with pytest.raises(ListRefused):
        ScopeNote.parse(text)


def test_a_scope_without_any_kind_of_hash_is_refused():
    with pytest.raises(ListRefused, match="at least one"):
        ScopeNote("hotline.example", "member:3", ISSUED, Scope(columns=frozenset()))
