"""The room's pages on the console."""

from django.urls import path

from strandline.hotline.hashlist import views

urlpatterns = [
    path("list/", views.overview, name="hashlist"),
    path("list/publish", views.publish, name="hashlist-publish"),
    path("list/withdraw", views.withdraw, name="hashlist-withdraw"),
]
