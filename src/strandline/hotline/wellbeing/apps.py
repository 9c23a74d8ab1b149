"""Django's entry to the room."""

from django.apps import AppConfig


class WellbeingConfig(AppConfig):
    """Exposure, budgets, breaks."""

    name = "strandline.hotline.wellbeing"
    label = "wellbeing"
    default_auto_field = "django.db.models.BigAutoField"
