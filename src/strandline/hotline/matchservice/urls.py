"""The room's pages on the console."""

from django.urls import path

from strandline.hotline.matchservice import views

urlpatterns = [
    path("matches/", views.overview, name="match-service"),
    path("matches/alarms/<int:alarm>", views.settle, name="match-settle"),
    path("matches/keys/<int:key>/restore", views.restore, name="match-restore"),
    path("matches/members/<int:member>", views.agree, name="match-agree"),
]
