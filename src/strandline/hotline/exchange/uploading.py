"""A file on its way from the browser to the disk, in pieces, never whole in memory."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from strandline.hotline.exchange import files

PIECE = 1 << 20


class ToDisk(FileUploadHandler):
    """Writes the first file of a form into the room's folder; whoever asks removes it.

    A second file, or one after an interrupted upload, is passed over.
    """

    def __init__(self) -> None:
        super().__init__()
        #: Where the bytes are; none while no file came.
        self.path: Path | None = None
        self.name = ""
        self._descriptor: int | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **more: Any) -> None:  # noqa: ANN401 - Django's
        """Begin a file."""
        super().new_file(field_name, file_name, *args, **more)
        if self.path is None and field_name == "file":
            self.name = file_name
            self.path = files.folder() / f"{secrets.token_hex(16)}.upload"
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:  # noqa: ARG002 - Django's
        """Write what came; nothing is passed on."""
        if self._descriptor is not None:
            view = memoryview(raw_data)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError:
                self.forget()
                raise StopUpload(connection_reset=False) from None
        return None

    def file_complete(self, file_size: int) -> UploadedFile | None:  # noqa: ARG002 - Django's
        """Close the file."""
        self._close()
        return None

    def upload_interrupted(self) -> None:
        """Leave nothing of a file that did not come whole."""
        self.forget()

    def pieces(self) -> Iterator[bytes]:
        """The bytes that came; none where no file did."""
        if self.path is None:
            return
        with self.path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    def forget(self) -> None:
        """Remove what came."""
        self._close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
