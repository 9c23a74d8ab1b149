"""Django's entry to the room."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """The public's pages."""

    name = "strandline.hotline.intake"
    label = "intake"
    default_auto_field = "django.db.models.BigAutoField"
