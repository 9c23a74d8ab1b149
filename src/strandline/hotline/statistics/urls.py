"""The room's pages on the console."""

from django.urls import path

from strandline.hotline.statistics import views

urlpatterns = [
    path("figures/", views.page, name="figures"),
    path("figures.csv", views.download, name="figures-csv"),
]
