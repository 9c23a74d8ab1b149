"""Django's entry to the room."""

from django.apps import AppConfig


class HashlistConfig(AppConfig):
    """Entries, recognition, editions."""

    name = "strandline.hotline.hashlist"
    label = "hashlist"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of captured addresses and decided items; register publishing as due work."""
        from strandline.hotline.assessment.hints import PROVIDERS
        from strandline.hotline.assessment.signals import item_decided
        from strandline.hotline.hashlist import receivers
        from strandline.hotline.hashlist.models import Cosigning, Publication, Release
        from strandline.hotline.hashlist.publishing import publish
        from strandline.hotline.hashlist.recognition import hints
        from strandline.hotline.hashlist.releasing import release
        from strandline.hotline.hashlist.witnesses import cosign
        from strandline.hotline.jobs.due import register
        from strandline.hotline.reports.signals import address_captured

        address_captured.connect(receivers.recognise, dispatch_uid="hashlist.recognise")
        item_decided.connect(receivers.list_or_withdraw, dispatch_uid="hashlist.list_or_withdraw")
        PROVIDERS.append(hints)
        register(Publication, publish, order=60)
        register(Release, release, order=61)
        register(Cosigning, cosign, order=62)
