"""What may be written of a request that failed: its page's name, never its address.

A host's page is opened by the token in its address, so an address in a log is a key in a log.
"""

import logging
from urllib.parse import quote

from django.http import HttpRequest

#: In place of what was in the request's address.
HIDDEN = "[hidden]"
_SHORTEST_SECRET = 8


class NoAddresses(logging.Filter):
    """Rewrites each record of a request in place, so that every handler gets it without address.

    The message names status and page; the traceback stays, without the address and its parts.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, rewritten."""
        if record.__dict__.get("without_address"):
            return True  # several loggers and handlers may carry this filter
        record.without_address = True
        request = record.__dict__.pop("request", None)
        status = getattr(record, "status_code", "")
        page = "an unknown page"
        if isinstance(request, HttpRequest) and request.resolver_match is not None:
            page = f"the page {request.resolver_match.url_name!r}"
        record.msg, record.args = f"Answered {status} at {page}", ()
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            if isinstance(request, HttpRequest):
                text = _without(text, request)
            # Formatters print this text as it is, and nothing of the exception itself.
            record.exc_text, record.exc_info = text, None
        return True


def _without(text: str, request: HttpRequest) -> str:
    match = request.resolver_match
    parts = {request.path, request.path_info, request.META.get("QUERY_STRING", "")}
    parts |= {part for part in request.path.split("/") if len(part) >= _SHORTEST_SECRET}
    parts |= {str(value) for value in match.kwargs.values()} if match else set()
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST_SECRET:
            text = text.replace(part, HIDDEN).replace(quote(part), HIDDEN)
    return text
