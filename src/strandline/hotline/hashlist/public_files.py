"""What anybody may fetch of the list, on the public face: its log, and what was signed about it.

The log lies at ``/log/`` as tlog-tiles has it; metadata, manifests, certificates and their proofs
at ``/lists/``, under the paths that members know. Indexes and pages are for members alone.
"""

from pathlib import Path

from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from strandline.hotline.hashlist.published import log_file, statement_file

#: Seconds. Whole tiles and statements never change; checkpoint, timestamp and parts of tiles do.
_WHOLE = "public, max-age=31536000, immutable"
_CHANGING = "no-cache"


@require_safe
def log(_request: HttpRequest, path: str) -> FileResponse:
    """A file of the log; 404 where there is none."""
    checkpoint = path == "checkpoint"
    kind = "text/plain; charset=utf-8" if checkpoint else "application/octet-stream"
    return _answer(log_file(path), kind, changing=checkpoint or ".p/" in path)


@require_safe
def statement(_request: HttpRequest, path: str) -> FileResponse:
    """Signed metadata, a manifest, a certificate, or the proof of one; 404 where there is none."""
    kind = "application/json" if path.endswith(".json") else "text/plain; charset=utf-8"
    # A manifest's proof is made anew with each checkpoint.
    changing = path.endswith((".proof", "timestamp.json"))
    return _answer(statement_file(path), kind, changing=changing)


def _answer(file: Path | None, kind: str, *, changing: bool) -> FileResponse:
    if file is None:
        raise Http404
    response = FileResponse(file.open("rb"), content_type=kind)
    response["Cache-Control"] = _CHANGING if changing else _WHOLE
    # Monitors and pages of others read it too.
    response["Access-Control-Allow-Origin"] = "*"
    return response
