from uuid import UUID

import pytest
from lxml import etree

from strandline.errors import FormatRefused
from strandline.formats.ncmec import NAMESPACE
from strandline.formats.ncmec_feedback import Submission, read_submission, write_reasons

GUID = UUID("01234567-abcd-0123-4567-012345678900")


def submission(inner):
    return f'<feedbackSubmission xmlns="{NAMESPACE}">{inner}</feedbackSubmission>'.encode()


def test_both_kinds_are_read():
    assert read_submission(submission("<affirmative/>")) == Submission(affirmative=True)
    negative = f"<negative><reasonIds><guid>{GUID}</guid></reasonIds></negative>"
    assert read_submission(submission(negative)) == Submission(affirmative=False, reasons=(GUID,))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<feedbackSubmission/>",
        submission(""),
        submission("<maybe/>"),
        submission("<negative/>"),
        submission("<negative><guid>7</guid></negative>"),
        submission("<affirmative/><affirmative/>"),
        submission("<affirmative>") + b"x",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + submission("&x;"),
        b"<a>" * 20_000,
        submission(f"<negative><guid>{GUID}</guid>{'x' * 70_000}</negative>"),
    ],
)
def test_what_is_no_submission_is_refused(body):
    with pytest.raises(FormatRefused):
        read_submission(body)


def test_reasons_are_written_in_the_shape_clients_look_for():
    root = etree.fromstring(write_reasons("Sha1", [(GUID, 'A "reason" & <more>')]))
    (reason,) = root.find("{*}availableFeedbackReasons")
    assert dict(reason.attrib) == {
        "guid": str(GUID),
        "name": 'A "reason" & <more>',
        "type": "Sha1",
    }
