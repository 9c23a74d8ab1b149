"""Django's entry to the room."""

from django.apps import AppConfig


class TransparencyConfig(AppConfig):
    """The public's pages about the list."""

    name = "strandline.hotline.transparency"
    label = "transparency"
