"""Django's entry to the room."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Pages for staff."""

    name = "strandline.hotline.console"
    label = "console"
