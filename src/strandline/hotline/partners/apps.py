"""Django's entry to the room."""

from django.apps import AppConfig


class PartnersConfig(AppConfig):
    """The API for members, the portal for hosts."""

    name = "strandline.hotline.partners"
    label = "partners"
