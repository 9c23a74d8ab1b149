"""Pages of the console face."""

from django.urls import URLPattern, URLResolver, include, path

from strandline.hotline.site import views

handler400 = "strandline.hotline.site.views.bad_request"
handler404 = "strandline.hotline.site.views.not_found"
handler500 = "strandline.hotline.site.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("", include("strandline.hotline.console.urls")),
    path("", include("strandline.hotline.hashlist.urls")),
    path("", include("strandline.hotline.exchange.urls")),
    path("", include("strandline.hotline.feedback.urls")),
    path("", include("strandline.hotline.matchservice.urls")),
    path("", include("strandline.hotline.takedown.urls")),
    path("", include("strandline.hotline.statistics.urls")),
]
