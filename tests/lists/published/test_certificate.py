import dataclasses

import pytest

from list_histories import CAMERA, DRAWN, FIRST, SECOND
from strandline.errors import ListRefused
from strandline.lists.published.certificate import Certificate, parse_certificate
from strandline.lists.published.classes import EntryClass

CERTIFICATE = Certificate.of(SECOND, "other.example", [DRAWN, CAMERA], audit="12" * 32)
TEXT = f"""\
hotline.example/certificate
format 2
edition 2
manifest {SECOND.digest()}
hotline other.example
audit {"12" * 32}
class {CAMERA.id} {"cd" * 32}
class {DRAWN.id} {"ef" * 32}
"""


def test_the_text_is_the_one_in_the_specification():
    assert CERTIFICATE.text() == TEXT
    assert "audit -\n" in Certificate.of(SECOND, "other.example", []).text()


def test_a_certificate_is_read_back_from_its_text():
    assert parse_certificate(TEXT) == CERTIFICATE


def test_it_vouches_for_its_classes_of_this_very_edition():
    only = Certificate.of(SECOND, "other.example", [DRAWN])
    changed = dataclasses.replace(SECOND, amended=0)

    assert only.vouches_for(SECOND, DRAWN)
    assert not only.vouches_for(SECOND, CAMERA)
    assert not only.vouches_for(changed, DRAWN)
    assert not only.vouches_for(FIRST, DRAWN)
    assert not only.vouches_for(SECOND, EntryClass("A", "camera", "gb"))


def test_it_does_not_vouch_for_a_class_with_another_root():
    wrong = dataclasses.replace(CERTIFICATE, classes=((CAMERA.id, "00" * 32),))
    assert not wrong.vouches_for(SECOND, CAMERA)


def test_nobody_vouches_for_a_class_that_is_not_in_the_edition():
    with pytest.raises(ListRefused, match="classes of the edition"):
        Certificate.of(FIRST, "other.example", [DRAWN])


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("format 2", "format 1"),
        ("edition 2", "edition 0"),
        ("edition 2", "edition 02"),
        ("hotline other.example", "hotline other example"),
        ("hotline other.example", "hotline a+b"),
        ("/certificate", "/list"),
        ("audit 12", "audit 1g"),
        (f"class {CAMERA.id}", f"class {DRAWN.id}"),
        (f"class {CAMERA.id}", f"clasp {CAMERA.id}"),
        (f"class {CAMERA.id}", f"class  {CAMERA.id}"),
        ("cd" * 32, "cd" * 31),
        ("ef" * 32 + "\n", "ef" * 32),
    ],
)
def test_another_text_is_refused(line, other):
    assert line in TEXT
    with pytest.raises(ListRefused):
        parse_certificate(TEXT.replace(line, other))
