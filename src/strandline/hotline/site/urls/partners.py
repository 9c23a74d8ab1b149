"""Pages of the partners face."""

from django.urls import URLPattern, URLResolver, path

from strandline.hotline.partners.api import api
from strandline.hotline.partners.portal import answer
from strandline.hotline.site import views

handler400 = "strandline.hotline.site.views.bad_request"
handler404 = "strandline.hotline.site.views.not_found"
handler500 = "strandline.hotline.site.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("answer/<str:token>", answer, name="answer"),
    # Last: the API also answers at the root, with 'no such page'.
    path("", api.urls),
]
