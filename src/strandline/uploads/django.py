"""A validator for Django's file fields; the one module here that needs Django."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

from strandline.uploads.checking import Checker, Finding, HeldList, Unavailable


@functools.cache
def _held(directory: Path) -> Checker:
    """The list in a folder, opened once for each process."""
    return HeldList(directory)


@deconstructible
class ListedFileValidator:
    """Refuses files that are on the list in ``directory``, a member's folder.

    ``on_listed`` is a function of a module, since migrations keep it by its name; it is told what
    was found before the sender is answered. While no list can be asked, every file is refused.
    """

    def __init__(
        self, directory: str | Path, on_listed: Callable[[Finding], None] | None = None
    ) -> None:
        self.directory = str(directory)
        self.on_listed = on_listed

    def __call__(self, file: Any) -> None:  # noqa: ANN401 - an UploadedFile or a FieldFile
        """Raise ValidationError when the file is listed, or cannot be checked now."""
        place = file.tell()
        file.seek(0)
        try:
            finding = _held(Path(self.directory)).check(file)
        except Unavailable as error:
            raise ValidationError(
                _("Files cannot be checked at the moment. Please try again later."),
                code="unavailable",
            ) from error
        finally:
            file.seek(place)
        if finding.listed:
            if self.on_listed:
                self.on_listed(finding)
            raise ValidationError(_("This file cannot be accepted."), code="listed")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ListedFileValidator) and (self.directory, self.on_listed) == (
            other.directory,
            other.on_listed,
        )

    def __hash__(self) -> int:
        return hash((self.directory, self.on_listed))
