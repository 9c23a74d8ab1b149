"""Django's entry to the room."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The append-only chain."""

    name = "strandline.hotline.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
