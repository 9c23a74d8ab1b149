"""A Django file field refuses what is listed, tells the site, and says nothing to the sender."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from listed_photograph import jpeg
from strandline.uploads.django import ListedFileValidator

TOLD = []


@pytest.fixture
def form(holding):
    TOLD.clear()

    class Upload(forms.Form):
        picture = forms.FileField(
            validators=[ListedFileValidator(holding.directory, on_listed=TOLD.append)]
        )

    def filled(data):
        return Upload(files={"picture": SimpleUploadedFile("a.jpg", data)})

    return filled


def test_a_listed_upload_is_refused_and_the_site_is_told(form, photographs):
    sent = form(jpeg(photographs[0]))
    assert sent.errors == {"picture": ["This file cannot be accepted."]}
    assert [finding.entries for finding in TOLD] == [("entry-50",)]


def test_another_upload_is_accepted_and_can_still_be_read(form, photographs):
    data = jpeg(photographs[1])
    sent = form(data)
    assert sent.is_valid()
    assert sent.cleaned_data["picture"].read() == data
    assert not TOLD


def test_without_a_list_no_upload_is_accepted(tmp_path):
    with pytest.raises(ValidationError) as caught:
        ListedFileValidator(tmp_path / "none")(SimpleUploadedFile("a.jpg", b"x"))
    assert caught.value.code == "unavailable"


def test_migrations_can_write_the_validator_down(tmp_path):
    validator = ListedFileValidator("/var/lib/strandline")
    path, arguments, keywords = validator.deconstruct()
    assert path == "strandline.uploads.django.ListedFileValidator"
    assert validator == ListedFileValidator(*arguments, **keywords)
    assert validator != ListedFileValidator("/elsewhere")
