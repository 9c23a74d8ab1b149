import dataclasses
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats_rows import MD5, PHOTODNA, SHA1, image, ncmec, rows
from strandline.errors import FormatRefused
from strandline.formats import HashRow, Kind, Losses, Unreadable
from strandline.formats.ncmec import NAMESPACE, Page, read_page
from strandline.formats.ncmec_writing import Member, status

WHO = Member(42, "Example")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_example_of_the_service_is_read(standard):
    page = Page()
    example = standard("ncmec/hashsharing_v2_entries_example.xml")
    with example.open("rb") as file:
        found = list(read_page(file, page))
    assert [(row.source_id, row.kind, row.withdrawn) for row in found] == [
        ("image1", Kind.IMAGE, False),
        ("image4", Kind.IMAGE, True),
        ("video1", Kind.VIDEO, False),
        ("video4", Kind.VIDEO, True),
    ]
    assert found[0] == HashRow(
        md5="a1" * 16,
        sha1="a1" * 20,
        kind=Kind.IMAGE,
        category="A1",
        source_id="image1",
        contributor="42 Example Member",
        changed=datetime(2017, 10, 24, 15, 0, tzinfo=UTC),
    )
    assert page.next.startswith("/v2/entries?from=2017-10-20T00%3A00%3A00.000Z&to=")
    assert page.latest == datetime(2017, 10, 24, 15, 20, tzinfo=UTC)
    assert {loss.field for loss in page.losses} == {"<feedback>", "<pdna>"}


def test_fingerprints_at_addresses_of_their_own_are_told_of(read, standard):
    example = standard("ncmec/hashsharing_v2_large_fingerprints_example.xml").read_bytes()
    (row,), losses = read("ncmec", example)
    assert row.md5 == "face" * 8
    assert {loss.field for loss in losses} == {"<tmk-pdqf>", "<videntifier>"}


def test_a_file_that_names_a_further_page_is_not_all(read):
    _, losses = read("ncmec", ncmec(image(), paging="<paging><next>/v2/entries?x</next></paging>"))
    assert "paging names a further page" in losses.sentences[0]


def test_an_entry_with_a_broken_digest_is_unreadable_and_named(read):
    found, _ = read("ncmec", ncmec(image(1), image(2, md5="xyz"), image(3)))
    assert [type(row) for row in found] == [HashRow, Unreadable, HashRow]
    assert found[1].place.startswith("element 2, line ")


def test_unknown_elements_are_told_of_and_passed_over(read):
    found, losses = read(
        "ncmec",
        ncmec(image(1, more="<mood>1</mood>"), "<sound><id>7</id></sound>", image(2)),
    )
    assert [row.source_id for row in found] == ["image1", "image2"]
    assert {loss.field for loss in losses} == {"<mood>", "<sound>"}


def test_comments_and_instructions_say_nothing(read):
    text = ncmec("<!-- <image/> -->", image(), "<?php bad ?>")
    assert (
        len(read("ncmec", f"<?xml version='1.0'?><!-- c --><?x y?>{text.partition('?>')[2]}")[0])
        == 1
    )


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">%s]>
<queryResult xmlns="{ns}"><images><image><id>&z;</id></image></images></queryResult>""".replace(
    "%s",
    "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghiz", strict=True)
    ),
).replace("{ns}", NAMESPACE)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        '<!DOCTYPE q SYSTEM "file:///etc/passwd"><queryResult/>',
        '<!DOCTYPE q [<!ENTITY x SYSTEM "file:///etc/passwd">]><queryResult>&x;</queryResult>',
        '<?xml version="1.0"?><!-- a --> <!DOCTYPE q PUBLIC "a" "http://127.0.0.1:9/d"><q/>',
        "<!doctype html><html/>",
        "<!ELEMENT q ANY><queryResult/>",
    ],
)
def test_a_document_type_is_refused_before_anything_of_it_is_read(read, text):
    with pytest.raises(FormatRefused, match="document type"):
        read("ncmec", text)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_document_type_cut_anywhere_between_two_reads_is_seen(cut):
    text = b"<!DOCTYPE q><queryResult/>"

    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, cut))

    with pytest.raises(FormatRefused, match="document type"):
        list(read_page(Slow(text), Page()))


@pytest.mark.parametrize(
    "data",
    [
        BOMB.encode("utf-16"),
        BOMB.encode("utf-32"),
        BOMB.encode("utf-16-le"),
        ncmec(image()).replace("UTF-8", "UTF-7").encode(),
        ncmec(image()).replace("UTF-8", "EBCDIC-CP-US").encode(),
    ],
)
def test_another_encoding_is_no_way_around(read, data):
    with pytest.raises(FormatRefused, match="UTF-8"):
        read("ncmec", data)


def test_an_entity_without_a_document_type_is_not_well_formed(read):
    with pytest.raises(FormatRefused, match="not well-formed"):
        read("ncmec", ncmec(image(more="&x;")))


def test_an_inclusion_is_not_followed(read):
    include = (
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"'
        ' parse="text"/>'
    )
    (row,), losses = read("ncmec", ncmec(image(more=include)))
    assert "root:" not in repr(row)
    assert {loss.field for loss in losses} == {"<include>"}


@pytest.mark.parametrize(
    "text",
    [
        "<a>" * 100_000,
        ncmec("<image>" + "<a>" * 300_000),
        ncmec("<image>" + "<a/>" * 600_000 + "</image>"),
        ncmec(f"<image><id>{'x' * 5_000_000}</id></image>"),
        ncmec(f"<image a='{'x' * 5_000_000}'/>"),
        " " * 5_000_000,
        "<!--" + "x" * 5_000_000,
    ],
    ids=["deep root", "deep", "many parts", "long text", "long attribute", "blanks", "comment"],
)
def test_what_is_too_large_or_too_deep_is_refused(read, text):
    with pytest.raises(FormatRefused):
        read("ncmec", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        "<html/>",
        "<queryResult/>",
        "<queryResult xmlns='https://hashsharing.ncmec.org/hashsharing/v1'/>",
        ncmec(image())[:-5],
        ncmec(image())[:-20],
        ncmec(image()) + "<more/>",
        ncmec(image()).replace("</id>", "</di>"),
    ],
)
def test_what_is_no_such_page_is_refused_whole(read, text):
    with pytest.raises(FormatRefused):
        read("ncmec", text)


def test_an_empty_page_is_a_page(read):
    assert read("ncmec", f'<queryResult xmlns="{NAMESPACE}"/>')[0] == []


def test_a_refusal_names_the_line_and_repeats_nothing_of_the_file(read):
    text = ncmec(image(1), image(2)).replace(f"<md5>{MD5}</md5>", f"<md5>{MD5}</wrong>")
    with pytest.raises(FormatRefused) as refused:
        read("ncmec", text)
    assert refused.value.place == "line 4"
    assert MD5 not in refused.value.message


def test_what_the_format_has_no_place_for_is_told_of(write):
    row = HashRow(
        md5=MD5,
        kind=Kind.IMAGE,
        source_id="7",
        labels=("x",),
        size=1,
        quality=90,
        contributor="Other",
        facts=(("distributed", True),),
    )
    _, losses = write("ncmec", [row, HashRow(sha1=SHA1)], member=WHO, written=AT)
    assert {loss.field for loss in losses} == {
        *("labels", "size", "quality", "contributor", "facts", "the row"),
    }


def test_markup_in_anybodys_words_stays_words(read, write):
    hostile = "<image>&amp;]]>\"'"
    row = HashRow(md5=MD5, kind=Kind.IMAGE, source_id=hostile, category=hostile, changed=AT)
    data, _ = write("ncmec", [row], member=Member(1, hostile), written=AT)
    (back,), _ = read("ncmec", data)
    assert (back.source_id, back.category) == (hostile, hostile)
    assert back.contributor == f"1 {hostile}"


def test_a_status_tells_who_asks():
    from lxml import etree

    said = etree.fromstring(status(address="192.0.2.7", username="a<b", member=Member(3, "C & D")))
    names = {etree.QName(part).localname: part.text for part in said}
    assert names == {"ipAddress": "192.0.2.7", "username": "a<b", "member": "C & D"}


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=6), st.booleans())
def test_a_written_page_is_read_back_but_for_what_the_losses_name(read, write, given_rows, gone):
    given_rows = [
        dataclasses.replace(row, source_id=str(number), withdrawn=gone and number % 2 == 0)
        for number, row in enumerate(given_rows)
    ]
    data, losses = write("ncmec", given_rows, member=WHO, written=AT)
    back, read_losses = read("ncmec", data)
    expected = [_as_carried(row) for row in given_rows if row.kind]
    assert sorted(back, key=lambda row: row.source_id) == sorted(
        expected, key=lambda row: row.source_id
    )
    assert not read_losses.sentences
    assert ("the row" in {loss.field for loss in losses}) == any(not row.kind for row in given_rows)


def _as_carried(row):
    changed = (row.changed or AT).replace(microsecond=0)
    if row.withdrawn:
        return HashRow(
            kind=row.kind,
            source_id=row.source_id,
            changed=changed,
            withdrawn=True,
            contributor="42 Example",
        )
    return dataclasses.replace(
        row, changed=changed, labels=(), facts=(), size=None, quality=None, contributor="42 Example"
    )


def test_an_opaque_value_goes_through_as_it_came(read, write):
    row = HashRow(photodna=PHOTODNA.hex(), kind=Kind.VIDEO, source_id="1", changed=AT)
    data, _ = write("ncmec", [row], member=WHO, written=AT)
    assert read("ncmec", data)[0][0].photodna == PHOTODNA.hex()


def test_losses_of_many_pages_add_up():
    losses = Losses()
    for _ in range(2):
        list(read_page(io.BytesIO(ncmec(image(more="<mood/>")).encode()), Page(losses=losses)))
    assert [loss.rows for loss in losses] == [2]
