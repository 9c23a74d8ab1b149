"""The published files, as they are handed to members: names are chosen here, never by a caller."""

import re
from pathlib import Path

from django.conf import settings

from strandline.hotline.hashlist.models import Edition
from strandline.lists.files import ENTRIES, LATEST, MANIFEST, edition_path


def latest() -> tuple[int, bytes] | None:
    """The number and manifest of the edition that counts; none before the first.

    The file decides, not the record: between the two steps of publishing it is one ahead.
    """
    try:
        note = (_folder() / LATEST).read_bytes()
    except FileNotFoundError:
        return None
    found = re.search(rb"^edition ([0-9]+)$", note, re.MULTILINE)
    assert found is not None, "the publisher wrote this file and read it back"
    return int(found[1]), note


def manifest_of(number: int) -> Path | None:
    """The manifest file of a published edition; none when there is no such edition."""
    return _file(number, MANIFEST)


def entries_of(number: int) -> Path | None:
    """The entries file of a published edition; none when there is no such edition."""
    return _file(number, ENTRIES)


def _file(number: int, name: str) -> Path | None:
    path = _folder() / edition_path(number) / name
    return path if Edition.objects.filter(pk=number).exists() and path.is_file() else None


def _folder() -> Path:
    return Path(settings.HOTLINE.published)
