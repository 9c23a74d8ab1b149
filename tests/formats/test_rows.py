import pytest

from strandline.errors import FormatRefused
from strandline.formats import HashRow, Losses
from strandline.formats.losses import MOST_KINDS


def test_a_row_without_any_hash_is_none():
    with pytest.raises(FormatRefused, match="no hash"):
        HashRow(category="A", source_id="7")


def test_a_withdrawn_row_needs_only_its_number():
    assert HashRow(source_id="7", withdrawn=True).source_id == "7"


@pytest.mark.parametrize("value", ["AB" * 16, "ab" * 15, "zz" * 16, "ab" * 16 + "\n"])
def test_a_digest_that_is_not_lower_case_hex_of_its_length_is_refused(value):
    with pytest.raises(FormatRefused, match="md5"):
        HashRow(md5=value)


def test_the_same_loss_is_counted_and_its_first_place_kept():
    losses = Losses()
    losses.add("MediaFiles", "is not kept", "element 3")
    losses.add("MediaFiles", "is not kept", "element 9")
    assert losses.sentences == ["MediaFiles is not kept (2 rows, first at element 3)."]


def test_a_file_full_of_invented_fields_fills_no_memory():
    losses = Losses()
    for number in range(10_000):
        losses.add(f"field {number}", "is not kept", "line 1")
    assert len(losses) == MOST_KINDS + 1
    assert sum(loss.rows for loss in losses) == 10_000
