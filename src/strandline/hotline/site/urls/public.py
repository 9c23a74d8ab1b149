"""Pages of the public face."""

from django.urls import URLPattern, URLResolver, include, path

from strandline.hotline.hashlist import public_files
from strandline.hotline.site import views

handler400 = "strandline.hotline.site.views.bad_request"
handler404 = "strandline.hotline.site.views.not_found"
handler500 = "strandline.hotline.site.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("log/<path:path>", public_files.log, name="log"),
    path("lists/<path:path>", public_files.statement, name="list-statement"),
    path("", include("strandline.hotline.intake.urls")),
    path("", include("strandline.hotline.transparency.urls")),
]
