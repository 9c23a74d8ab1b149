import dataclasses
from datetime import timedelta, timezone

import pytest

from list_histories import CAMERA, DRAWN, FIRST, SECOND
from strandline.errors import ListRefused
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.manifests import ClassState, parse_manifest

PUBLISHED = FIRST.published
TEXT = f"""\
hotline.example/list
format 2
edition 2
published 2026-03-01T13:00:00Z
sequence 8
entries 4
quarantined 0
added 2
amended 1
withdrawn 1
quarantined-now 0
restored 0
previous {FIRST.digest()}
pipeline media-1+pdq-1 media-2+pdq-1
class {CAMERA.id} 3 0 7 {"cd" * 32} C camera gb none -
class {DRAWN.id} 1 0 8 {"ef" * 32} B drawn de none baseline,series
"""


def test_the_text_is_the_one_in_the_specification():
    assert SECOND.text() == TEXT
    assert "previous -\n" in FIRST.text()


def test_a_manifest_is_read_back_from_its_text():
    assert parse_manifest(TEXT) == SECOND
    assert parse_manifest(FIRST.text()) == FIRST


def test_a_list_of_nothing_has_a_manifest():
    empty = dataclasses.replace(FIRST, added=0, quarantined_now=0, pipeline=(), classes=())

    assert parse_manifest(empty.text()) == empty
    assert (empty.sequence, empty.entries) == (0, 0)
    assert empty.follows(None) is None


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("format 2", "format 3"),
        ("edition 2", "edition 02"),
        ("edition 2", "edition 1"),
        ("edition 2", "edition 0"),
        ("edition 2", "edition 1000000"),
        ("entries 4", "entries 5"),
        ("sequence 8", "sequence 7"),
        ("quarantined 0", "quarantined 1"),
        ("added 2", "added -2"),
        ("added 2", "added two"),
        ("13:00:00Z", "13:00:00"),
        ("2026-03-01", "2026-3-1"),
        ("hotline.example/list", "hotline.example/index"),
        ("hotline.example/list", "a b/list"),
        ("hotline.example/list", "a+b/list"),
        ("media-1+pdq-1 media-2+pdq-1", "media-2+pdq-1 media-1+pdq-1"),
        ("media-1+pdq-1 media-2+pdq-1", "media-1+pdq-1 media-1+pdq-1"),
        ("media-1+pdq-1 media-2+pdq-1", "- media-1+pdq-1"),
        ("pipeline media", "pipelines media"),
        ("C camera gb", "C camera fr"),
        (f"class {DRAWN.id}", f"class {CAMERA.id}"),
        (" 3 0 7 ", " 3 4 7 "),
        (" 3 0 7 ", " 3 0 0 "),
        ("ef" * 32, "EF" * 32),
        ("ef" * 32, "ef" * 31),
        ("baseline,series", "series,baseline"),
        ("baseline,series\n", "baseline,series"),
        ("baseline,series\n", "baseline,series\n\n"),
        ("class", "clazz"),
    ],
)
def test_another_text_is_refused(line, other):
    assert line in TEXT
    with pytest.raises(ListRefused):
        parse_manifest(TEXT.replace(line, other))


def test_classes_out_of_order_are_refused():
    with pytest.raises(ListRefused, match="classes in order"):
        dataclasses.replace(SECOND, classes=SECOND.classes[::-1])


@pytest.mark.parametrize(
    "published",
    [
        PUBLISHED.replace(tzinfo=None),
        PUBLISHED.replace(microsecond=1),
        PUBLISHED.astimezone(timezone(timedelta(hours=1))),
    ],
)
def test_a_time_that_is_not_utc_in_whole_seconds_is_refused(published):
    with pytest.raises(ListRefused, match="UTC"):
        dataclasses.replace(FIRST, published=published)


def test_an_edition_follows_the_one_before():
    assert FIRST.follows(None) is None
    assert SECOND.follows(FIRST) is None


def state(**changes):
    return dataclasses.replace(SECOND.classes[0][1], **changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"edition": 3}, "not edition 2"),
        ({"previous": "00" * 32}, "does not name the edition before"),
        ({"classes": SECOND.classes[1:]}, "lost a class"),
        ({"classes": ((CAMERA, state(sequence=3)), SECOND.classes[1])}, "goes back"),
        ({"classes": ((CAMERA, state(sequence=4)), SECOND.classes[1])}, "goes back"),
        ({"added": 3}, "does not add up"),
        ({"withdrawn": 2}, "does not add up"),
        ({"withdrawn": 0, "added": 1}, "does not add up"),
        ({"amended": 2}, "more events"),
        ({"added": 0, "amended": 0, "withdrawn": 0}, "does not add up"),
    ],
)
def test_an_edition_that_does_not_follow_says_why(changes, why):
    assert why in dataclasses.replace(SECOND, **changes).follows(FIRST)


def test_an_edition_of_no_events_may_follow():
    third = dataclasses.replace(
        SECOND, edition=3, added=0, amended=0, withdrawn=0, previous=SECOND.digest()
    )
    assert third.follows(SECOND) is None
    assert "more events" in dataclasses.replace(third, amended=1).follows(SECOND)


def test_a_manifest_fits_a_leaf_of_a_log():
    classes = (EntryClass("C", f"p{number}", "gb") for number in range(700))
    many = sorted(classes, key=lambda each: each.id)
    states = tuple((each, ClassState(0, 0, 1, "ab" * 32)) for each in many)

    with pytest.raises(ListRefused, match="fewer combinations of labels"):
        dataclasses.replace(FIRST, classes=states)
    assert len(dataclasses.replace(FIRST, classes=states[:300]).text()) < 60_000
