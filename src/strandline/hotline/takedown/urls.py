"""The room's pages on the console."""

from django.urls import path

from strandline.hotline.takedown import views

urlpatterns = [
    path("hosts/", views.hosts, name="hosts"),
    path("hosts/<int:address>/contact", views.contact, name="hosts-contact"),
    path("hosts/<int:address>/cleared", views.cleared, name="hosts-cleared"),
]
