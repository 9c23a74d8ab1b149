"""The list as other programs take it: what is written is read back as it was."""

import io
import json

import pytest

from list_publisher import fingerprints
from strandline import formats
from strandline.lists.member.exporting import export, export_foreign
from strandline.lists.published.classes import EntryClass

TWO = EntryClass("A", "camera", "gb", labels=("baseline", "series"))


@pytest.fixture
def copy(member, published):
    """A copy with an entry that has two labels."""
    published.publish(published.book.add(30, TWO, told=fingerprints(30)))
    member.sync()
    return member.directory


def test_every_label_of_the_plain_list_is_read_back_as_one(copy):
    text = "".join(export(copy, "csv"))
    rows = {
        row.source_id: row
        for row in formats.read("csv", io.BytesIO(text.encode()), formats.Losses())
    }
    assert rows["entry-30"].labels == ("baseline", "series")
    assert rows["entry-30"].sha256 == fingerprints(30).sha256
    assert rows["entry-30"].category == "A"
    assert rows["entry-1"].labels == ()


def test_labels_are_a_list_in_json(copy):
    rows = [json.loads(line) for line in "".join(export(copy, "json")).splitlines()]
    [row] = [row for row in rows if row["entry"] == "entry-30"]
    assert row["labels"] == ["baseline", "series"]


@pytest.mark.parametrize(
    ("form", "category"), [("ncmec", "gb-A"), ("vics-2.0", ""), ("vics-1.3", "")]
)
def test_the_country_and_the_category_are_told_where_the_format_takes_words(copy, form, category):
    out = io.BytesIO()
    export_foreign(copy, form, out)
    out.seek(0)
    rows = list(formats.read(form.partition("-")[0], out, formats.Losses()))
    [row] = [row for row in rows if row.sha256 == fingerprints(30).sha256]
    assert row.category == category
