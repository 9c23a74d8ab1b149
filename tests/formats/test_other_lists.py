import base64
import json

import pytest

from formats_rows import MD5, SHA1, SHA256
from strandline.errors import FormatRefused
from strandline.formats import HashRow, Kind, Unreadable
from strandline.formats.reading import read_strictly

BASE32 = base64.b32encode(bytes.fromhex(SHA1)).decode()
PDQ = base64.b64encode(bytes.fromhex(SHA256)).decode()


def records(*given, **more):
    return json.dumps({"count": len(given), **more, "hashRecords": list(given)})


def test_the_shape_of_stopncii_is_read(read, standard):
    (row,), losses = read(
        "stopncii", standard("exchange/stopncii_fetchhashes_shape.json").read_bytes()
    )
    assert (row.pdq, row.kind, row.withdrawn) == ("0" * 64, Kind.IMAGE, False)
    assert {loss.field for loss in losses} == {"caseNumbers", "CSPFeedbacks"}
    (row,), _ = read("stopncii", standard("exchange/stopncii_submithashes_shape.json").read_bytes())
    assert row.pdq == "0" * 64


def test_a_record_that_is_not_active_is_withdrawn(read):
    text = records(
        {"signalType": "VideoMD5", "hashValue": MD5, "hashStatus": "Withdrawn"},
        {"signalType": "ImagePDQ", "hashValue": SHA256, "hashStatus": "Active"},
        {"signalType": "Smell", "hashValue": SHA256},
        7,
    )
    found, _ = read("stopncii", text)
    assert [getattr(row, "withdrawn", None) for row in found] == [True, False, None, None]
    assert found[0].md5 == MD5


def test_more_records_elsewhere_are_told_of(read):
    _, losses = read("stopncii", records(hasMoreRecords=True))
    assert losses.sentences[0].startswith("hasMoreRecords")


def test_the_shape_of_arachnid_is_read(read, standard):
    found, losses = read(
        "arachnid", standard("exchange/arachnid_shield_scanned_media_shape.json").read_bytes()
    )
    assert found == [HashRow(sha1="0" * 40, sha256="0" * 64, category="csam")]
    assert {loss.field for loss in losses} >= {"a medium without a known match", "_source"}


def test_answers_come_as_a_list_or_one_after_another(read):
    answer = {
        "sha1_base32": BASE32,
        "pdq_base64": PDQ,
        "classification": "csam",
        "match_type": "exact",
    }
    expected = [HashRow(sha1=SHA1, pdq=SHA256, category="csam")] * 2
    assert read("arachnid", json.dumps([answer, answer]))[0] == expected
    assert read("arachnid", f"{json.dumps(answer)}\n{json.dumps(answer)}\n")[0] == expected


def test_scanned_pdq_hashes_are_rows_by_name(read):
    text = json.dumps({"scanned_hashes": {PDQ: {"classification": "harmful-abusive-material"}}})
    assert read("arachnid", text)[0] == [HashRow(pdq=SHA256, category="harmful-abusive-material")]


def test_a_medium_that_is_only_near_is_not_listed_itself(read):
    near = {"sha1_base32": BASE32, "sha256_hex": SHA256, "classification": "csam", "timestamp": 1.5}
    text = json.dumps(
        {
            "sha256_hex": "ab" * 32,
            "classification": "csam",
            "match_type": "near",
            "near_match_details": [near],
        }
    )
    found, losses = read("arachnid", text)
    assert [row.sha256 for row in found] == [SHA256]
    assert {loss.field for loss in losses} == {"a medium that is only near", "the second of a film"}


@pytest.mark.parametrize("name", ["stopncii", "arachnid"])
@pytest.mark.parametrize("text", ["", "hello", "{", '{"hashRecords": [', "[" * 5000])
def test_what_is_no_such_answer_is_refused(read, name, text):
    with pytest.raises(FormatRefused):
        read(name, text)


def test_an_answer_of_another_kind_is_unreadable(read):
    found, _ = read("arachnid", '[{"a": 1}, 7, {"sha1_base32": "x", "classification": "csam"}]')
    assert [type(row) for row in found] == [Unreadable] * 3


def test_read_strictly_refuses_the_file_at_the_first_unreadable_row():
    import io

    from strandline.formats import Losses

    with pytest.raises(FormatRefused, match="line 3"):
        list(read_strictly("csv", io.BytesIO(f"md5\n{MD5}\nxyz\n".encode()), Losses()))
