"""Django's entry to the room."""

from django.apps import AppConfig


class AccountabilityConfig(AppConfig):
    """Members' monthly figures."""

    name = "strandline.hotline.accountability"
    label = "accountability"
    default_auto_field = "django.db.models.BigAutoField"
