"""Pages of the public face."""

from django.urls import URLPattern, URLResolver, path

from strandline.hotline.site import views

handler404 = "strandline.hotline.site.views.not_found"
handler500 = "strandline.hotline.site.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
]
