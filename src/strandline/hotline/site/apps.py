"""Django's entry to the room."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Templates and static files all faces share."""

    name = "strandline.hotline.site"
    label = "site"
