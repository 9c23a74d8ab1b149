"""Addresses of the public's pages about the list."""

from django.urls import URLPattern, path

from strandline.hotline.transparency import views

urlpatterns: list[URLPattern] = [
    path("transparency/", views.overview, name="transparency"),
    path("transparency/log/", views.log, name="transparency-log"),
    path("transparency/editions/<int:number>/", views.edition, name="transparency-edition"),
    path("transparency/withdrawals/", views.left, name="transparency-withdrawals"),
    path("transparency/members/", views.organisations, name="transparency-members"),
    path("transparency/data/<slug:name>.csv", views.data, name="transparency-data"),
]
