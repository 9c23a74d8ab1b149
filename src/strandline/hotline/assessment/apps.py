"""Django's entry to the room."""

from django.apps import AppConfig


class AssessmentConfig(AppConfig):
    """Claims, observations, verdicts."""

    name = "strandline.hotline.assessment"
    label = "assessment"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Settle an address as soon as it is captured: everything on it may be decided already."""
        from strandline.hotline.assessment.verdicts import settle_captured
        from strandline.hotline.reports.signals import address_captured

        address_captured.connect(settle_captured, dispatch_uid="assessment.settle_captured")
