"""Manifests: one text for one edition."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.lists import ListRefused, Manifest
from strandline.lists.manifest import parse_manifest

MANIFEST = Manifest(
    origin="hotline.example",
    edition=2,
    published=datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC),
    entries=3,
    first=1,
    last=9,
    sha256="ab" * 32,
    size=1234,
    previous="cd" * 32,
    pipeline=("media-1", "media-2"),
)
TEXT = f"""\
hotline.example/list
edition 2
published 2026-03-01T12:00:05Z
entries 3
first 1
last 9
sha256 {"ab" * 32}
size 1234
previous {"cd" * 32}
pipeline media-1 media-2
"""
EMPTY = replace(MANIFEST, edition=1, entries=0, first=0, last=0, size=0, previous=None, pipeline=())


def test_the_text_is_the_one_the_format_page_gives():
    assert MANIFEST.text() == TEXT
    assert parse_manifest(TEXT) == MANIFEST


def test_an_empty_first_edition_survives_being_written_and_read():
    assert parse_manifest(EMPTY.text()) == EMPTY


@given(place=st.integers(0, len(TEXT) - 1), character=st.characters(codec="utf-8"))
def test_another_text_is_another_manifest_or_refused(place, character):
    altered = TEXT[:place] + character + TEXT[place + 1 :]
    try:
        manifest = parse_manifest(altered)
    except ListRefused:
        return
    assert manifest.text() == altered


@given(text=st.text(max_size=300))
def test_arbitrary_text_is_refused_with_a_sentence(text):
    with pytest.raises(ListRefused, match=r"\.$"):
        parse_manifest(text)


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("edition 2", "edition 02"),
        ("edition 2", "edition +2"),
        ("edition 2", "edition 0"),
        ("edition 2", "edition 1000000"),
        ("entries 3", "entries 10"),
        ("entries 3", "entries 0"),
        ("first 1", "first 0"),
        ("last 9", "last 0"),
        ("published 2026-03-01T12:00:05Z", "published 2026-3-01T12:00:05Z"),
        ("published 2026-03-01T12:00:05Z", "published 2026-13-01T12:00:05Z"),
        ("pipeline media-1 media-2", "pipeline media-2 media-1"),
        ("pipeline media-1 media-2", "pipeline -"),
        (f"previous {'cd' * 32}", "previous -"),
        (f"previous {'cd' * 32}", f"previous {'CD' * 32}"),
        ("hotline.example/list", "hotline.example/log"),
        ("size 1234\n", ""),
        ("size 1234\n", "size 1234\nsize 1234\n"),
    ],
)
def test_a_line_that_cannot_be_is_refused(line, other):
    assert line in TEXT
    with pytest.raises(ListRefused):
        parse_manifest(TEXT.replace(line, other))


def test_times_are_utc_and_whole_seconds():
    for published in (
        MANIFEST.published.replace(tzinfo=None),
        MANIFEST.published.replace(microsecond=1),
        MANIFEST.published.astimezone(timezone(timedelta(hours=1))),
    ):
        with pytest.raises(ListRefused, match="UTC"):
            replace(MANIFEST, published=published)
