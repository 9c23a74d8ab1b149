"""Django's entry to the room."""

from django.apps import AppConfig


class StatisticsConfig(AppConfig):
    """Figures and their page."""

    name = "strandline.hotline.statistics"
    label = "statistics"
