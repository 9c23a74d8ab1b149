"""Django's entry to the room."""

from django.apps import AppConfig


class HashlistConfig(AppConfig):
    """Entries, recognition, editions."""

    name = "strandline.hotline.hashlist"
    label = "hashlist"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of captured addresses and decided items; register publishing as due work."""
        from strandline.hotline.assessment.hints import PROVIDERS  # noqa: PLC0415
        from strandline.hotline.assessment.signals import item_decided  # noqa: PLC0415
        from strandline.hotline.hashlist import receivers  # noqa: PLC0415
        from strandline.hotline.hashlist.models import Publication  # noqa: PLC0415
        from strandline.hotline.hashlist.publishing import publish  # noqa: PLC0415
        from strandline.hotline.hashlist.recognition import hints  # noqa: PLC0415
        from strandline.hotline.jobs.due import register  # noqa: PLC0415
        from strandline.hotline.reports.signals import address_captured  # noqa: PLC0415

        address_captured.connect(receivers.recognise, dispatch_uid="hashlist.recognise")
        item_decided.connect(receivers.list_or_withdraw, dispatch_uid="hashlist.list_or_withdraw")
        PROVIDERS.append(hints)
        register(Publication, publish, order=60)
