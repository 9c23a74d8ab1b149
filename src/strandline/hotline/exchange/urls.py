"""The room's pages on the console."""

from django.urls import path

from strandline.hotline.exchange import views

urlpatterns = [
    path("exchange/", views.overview, name="exchange"),
    path("exchange/deliveries", views.give, name="exchange-give"),
    path("exchange/deliveries/<int:delivery>", views.delivery, name="exchange-delivery"),
    path("exchange/deliveries/<int:delivery>/take", views.take, name="exchange-take"),
    path("exchange/deliveries/<int:delivery>/discard", views.discard, name="exchange-discard"),
    path("exchange/deliveries/<int:delivery>/take-back", views.take_back, name="exchange-back"),
    path("exchange/sources/new", views.new_source, name="exchange-new-source"),
    path("exchange/sources/<int:source>", views.source, name="exchange-source"),
    path("exchange/sources/<int:source>/fetch", views.fetch, name="exchange-fetch"),
]
