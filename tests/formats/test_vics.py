import codecs
import dataclasses
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats_rows import MD5, OPAQUE, PHOTODNA, SHA1, SHA256, medium, rows, vics
from strandline.errors import FormatRefused
from strandline.formats import HashRow, Kind, Unreadable
from strandline.formats.vics_categories import CategoryTable, public_tables, read_tables

#: A table that has a number for every word the generated rows may use.
NUMBERED = CategoryTable("CUSTOM", {0: "Uncategorised", 1: "Alpha", 2: "Beta"})


def test_the_example_of_2_0_is_read(read, standard):
    (row,), losses = read("vics", standard("vics/example-hashset-2.0.json").read_bytes())
    assert row == HashRow(
        md5=f"{1:032x}",
        sha1=f"{1:040x}",
        category="1",
        labels=("synthetic", "test", "series:EXAMPLE-SERIES"),
        facts=(
            ("distributed", True),
            ("offender-identified", False),
            ("precategorised", True),
            ("victim-identified", False),
        ),
        source_id="1",
        changed=datetime(2026, 1, 7, 2, 31, 49, 830_000, tzinfo=UTC),
        size=2835,
    )
    assert not losses.sentences


def test_the_example_of_1_3_has_its_photodna_among_alternative_hashes(read, standard):
    (row,), losses = read("vics", standard("vics/example-hashset-1.3.json").read_bytes())
    assert row.photodna == "00" * 144
    assert (row.size, row.category) == (488, "Child Abuse Material - (CAM)")
    assert not losses.sentences


def test_of_a_case_only_the_hashes_are_kept_and_the_losses_say_so(read, standard):
    (row,), losses = read("vics", standard("vics/example-case-2.0-UK.json").read_bytes())
    assert (row.md5, row.kind, row.size) == (f"{1:032x}", Kind.IMAGE, 10)
    assert {loss.field for loss in losses} == {
        "the case",
        "RelativeFilePath",
        "MediaFiles",
        "MediaMetadata",
    }
    assert not any("a.png" in sentence for sentence in losses.sentences)


def test_a_windows_path_tells_a_film_where_no_type_does(read):
    (row,), _ = read("vics", vics(medium(RelativeFilePath="files\\one.two\\FILM.MP4")))
    assert row.kind is Kind.VIDEO


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    ],
)
def test_a_byte_order_mark_may_lead(read, encode):
    found, _ = read("vics", encode(vics(medium(Tags="Größe"))))
    assert found[0].labels == ("Größe",)


def test_value_may_come_before_the_context(read):
    text = json.dumps({"value": [medium()], "@odata.context": "whatever"})
    found, losses = read("vics", text)
    assert [row.category for row in found] == ["1"]
    assert "whose categories" in losses.sentences[0]


def test_category_0_means_another_thing_in_each_country(read):
    said = {
        country: read("vics", vics(medium(Category=0), country=country))[0][0].category
        for country in ("US", "UK", "Default")
    }
    assert said == {"US": "Non-Pertinent", "UK": "Uncategorised", "Default": "Uncategorised"}


def test_a_hotline_may_bring_a_table_of_its_own(read):
    tables = read_tables('{"UK": {"1": "One", "2": "Two"}}')
    (row,), _ = read("vics", vics(medium(Category=2), country="UK"), tables=tables)
    assert row.category == "Two"
    (row,), _ = read("vics", vics(medium(Category=2), country="US"), tables=tables, country="UK")
    assert row.category == "Two"


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]",
        '{"UK": []}',
        '{"UK": {"x": "y"}}',
        '{"UK": {"1": ""}}',
        '{"UK":{"1":"a","2":"A"}}',
    ],
)
def test_a_table_that_is_none_is_refused(text):
    with pytest.raises(FormatRefused):
        read_tables(text)


@pytest.mark.parametrize(
    "wrong",
    [{"MD5": "xyz"}, {"MD5": 7}, {"SHA1": "ab"}, {"MD5": ""}, {"MD5": ["a"]}],
)
def test_a_medium_without_usable_digest_is_unreadable_and_named(read, wrong):
    found, _ = read("vics", vics(medium(), medium(**wrong), medium()))
    assert isinstance(found[1], Unreadable)
    assert found[1].place == "element 2"
    assert [type(row) for row in found] == [HashRow, Unreadable, HashRow]


def test_further_hashes_are_found_and_unknown_ones_told_of(read):
    further = [
        {"MD5": MD5, "HashName": "SHA256", "HashValue": SHA256.upper()},
        {"MD5": MD5, "HashName": "photodna", "HashValue": OPAQUE},
        {"MD5": MD5, "HashName": "Wavelet", "HashValue": "1"},
        "nonsense",
    ]
    (row,), losses = read("vics", vics(medium(AlternativeHashes=further)))
    assert (row.sha256, row.photodna) == (SHA256, PHOTODNA.hex())
    assert [loss.field for loss in losses] == ["AlternativeHashes wavelet", "AlternativeHashes"]


def test_what_cannot_be_understood_is_a_loss_and_not_a_guess(read):
    (row,), losses = read(
        "vics",
        vics(
            medium(
                MediaSize="big",
                DateUpdated="soon",
                Category="A",
                IsDistributed="perhaps",
                PhotoDNA="AAAA",
                Surprise=1,
            )
        ),
    )
    assert (row.size, row.changed, row.category, row.facts, row.photodna) == (
        None,
        None,
        "",
        (),
        None,
    )
    assert {loss.field for loss in losses} == {
        *("MediaSize", "DateUpdated", "Category", "IsDistributed", "PhotoDNA", "Surprise"),
    }


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "envelope"),
        ("{}", "envelope"),
        ("[1, 2]", "envelope"),
        ('{"value": 7}', "envelope"),
        (vics(medium(), medium())[:-3], "element 2"),
        (vics(medium()) + "x", "element 2"),
        (vics(medium()).replace("}]", "},]"), "element 2"),
    ],
)
def test_what_is_no_vics_is_refused_whole_with_the_place(read, text, where):
    with pytest.raises(FormatRefused, match=where):
        read("vics", text)


def test_the_envelope_written_is_the_one_readers_insist_on(write):
    data, _ = write("vics-2.0", [HashRow(md5=MD5)])
    written = json.loads(data, object_pairs_hook=list)
    assert [key for key, _ in written] == ["@odata.context", "value"]
    assert written[0][1].endswith("/2.0.xml/Default/$metadata#Media")
    data, _ = write("vics-1.3", [HashRow(md5=MD5, size=7, photodna=PHOTODNA.hex())])
    written = json.loads(data)
    assert list(written) == ["odata.metadata", "value"]
    (one,) = written["value"]
    assert (one["MediaSize"], one["odata.id"]) == ("7", f'Media("{MD5.upper()}")')
    assert one["AlternativeHashes"][0]["HashValue"] == OPAQUE


def test_rows_that_vics_cannot_hold_are_left_out_and_counted(write, read):
    data, losses = write(
        "vics-2.0",
        [HashRow(sha1=SHA1), HashRow(md5=MD5, withdrawn=True), HashRow(md5=MD5, category="Odd")],
    )
    assert len(read("vics", data)[0]) == 1
    assert [loss.rows for loss in losses] == [1, 1, 1]
    assert any("'Odd'" in sentence and "null" in sentence for sentence in losses.sentences)


@pytest.mark.parametrize("name", ["vics-2.0", "vics-1.3"])
def test_what_is_written_validates_against_the_observed_schema(write, standard, name):
    jsonschema = pytest.importorskip("jsonschema_rs")
    schema = json.loads(standard("vics/vics-observed.schema.json").read_text())
    row = HashRow(
        md5=MD5, sha1=SHA1, sha256=SHA256, photodna=PHOTODNA.hex(), category="Non-Pertinent",
        labels=("a", "series:B"), facts=(("distributed", True),), source_id="9", size=3,
        changed=datetime(2026, 1, 1, tzinfo=UTC), contributor="Somebody",
    )  # fmt: skip
    data, _ = write(name, [row, HashRow(md5=MD5)], table=public_tables()["US"])
    jsonschema.validate(schema, json.loads(data))


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=5), st.sampled_from(["vics-2.0", "vics-1.3"]))
def test_a_written_set_is_read_back_but_for_what_the_losses_name(read, write, given_rows, name):
    given_rows = [
        dataclasses.replace(row, category=NUMBERED.word(number % 3))
        for number, row in enumerate(given_rows)
    ]
    data, losses = write(name, given_rows, table=NUMBERED)
    back, _ = read("vics", data, tables={"CUSTOM": NUMBERED}, country="CUSTOM")
    assert back == [dataclasses.replace(row, kind=None, quality=None) for row in given_rows]
    told = {loss.field for loss in losses}
    assert ("kind" in told) == any(row.kind for row in given_rows)
    assert ("quality" in told) == any(row.quality is not None for row in given_rows)
