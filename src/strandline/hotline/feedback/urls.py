"""The room's pages on the console."""

from django.urls import path

from strandline.hotline.feedback.views import alarms, holders, innocent, reviews, terms

urlpatterns = [
    path("feedback/", reviews.overview, name="feedback"),
    path("feedback/reviews/<int:review>", reviews.review, name="feedback-review"),
    path("feedback/reviews/<int:review>/keep", reviews.keep, name="feedback-keep"),
    path("feedback/reviews/<int:review>/withdraw", reviews.withdraw, name="feedback-withdraw"),
    path("feedback/alarms/", alarms.alarms, name="feedback-alarms"),
    path("feedback/alarms/floods/<int:flood>", alarms.settle_flood, name="feedback-flood"),
    path("feedback/alarms/sources/<int:alarm>", alarms.decide_source, name="feedback-source"),
    path("feedback/innocent/", innocent.innocents, name="feedback-innocent"),
    path("feedback/innocent/<int:innocent>", innocent.decide, name="feedback-innocent-decide"),
    path("feedback/holders/", holders.holders, name="feedback-holders"),
    path("members/<int:member>/terms", terms.terms, name="member-terms"),
]
