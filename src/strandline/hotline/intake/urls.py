"""Addresses of the public's pages. None of them ever carries a code, a reference or a name."""

from django.urls import URLPattern, path

from strandline.hotline.intake import views

urlpatterns: list[URLPattern] = [
    path("", views.start, name="start"),
    path("about/", views.about, name="about"),
    path("report/", views.report, name="report"),
    path("report/noted/", views.noted, name="noted"),
    path("outcome/", views.outcome, name="outcome"),
    path("outcome/message/", views.follow_up, name="follow-up"),
]
