"""The transparency log on the public face: static files, for everybody, as tlog-tiles has them."""

from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from strandline.hotline.hashlist.published import log_file

#: Seconds. Whole tiles never change; the checkpoint and parts of tiles do.
_WHOLE = "public, max-age=31536000, immutable"
_CHANGING = "no-cache"


@require_safe
def log(_request: HttpRequest, path: str) -> FileResponse:
    """A file of the log; 404 where there is none."""
    file = log_file(path)
    if file is None:
        raise Http404
    checkpoint = path == "checkpoint"
    response = FileResponse(
        file.open("rb"),
        content_type="text/plain; charset=utf-8" if checkpoint else "application/octet-stream",
    )
    response["Cache-Control"] = _CHANGING if checkpoint or ".p/" in path else _WHOLE
    # Monitors and pages of others read it too.
    response["Access-Control-Allow-Origin"] = "*"
    return response
