"""Headers on every answer of every face, and the rule that an undeclared page does not exist."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponseBase

Next = Callable[[HttpRequest], HttpResponseBase]

#: Nothing is allowed that is not named: no inline code or style, no frames, no foreign origin.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Other origins learn nothing. 'no-referrer' would make browsers send 'Origin: null' with our
    # own forms, which the proof of origin (CSRF) has to refuse.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


def security_headers(get_response: Next) -> Next:
    """Set the headers; static files alone may be cached. HTTPS is pinned where it is used."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_static = request.path.startswith("/static/") and response.status_code == 200
        for name, value in HEADERS.items():
            if is_static and name == "Cache-Control":
                continue
            response[name] = value
        if request.is_secure():
            response["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        return response

    return middleware


#: Console pages that need no permission: signing in and out, and being alive.
OPEN_VIEWS = frozenset({"sign-in", "sign-out", "healthz"})


class _ClosedUnlessDeclared:
    def __init__(self, get_response: Next) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., object], _args: object, _kwargs: object
    ) -> None:
        match = request.resolver_match
        name = match.url_name if match else None
        if name not in OPEN_VIEWS and not hasattr(view, "permission"):
            raise Http404


#: Refuses any console view that declares no permission (``accounts.access.allow``).
closed_unless_declared = _ClosedUnlessDeclared
