"""Django's entry to the room."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Statements, reviews, alarms, innocent pictures, scopes, holders."""

    name = "strandline.hotline.feedback"
    label = "feedback"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register due work, look at what is listed, say who may have what."""
        from strandline.hotline.feedback import (
            floods,
            innocent,
            innocent_file,
            reminding,
            sources,
            terms,
            weighing,
        )
        from strandline.hotline.feedback.models import (
            Flood,
            HolderCheck,
            InnocentFile,
            ScopeSigning,
            SourceAlarm,
        )
        from strandline.hotline.hashlist import checks, scopes
        from strandline.hotline.hashlist.signals import edition_published
        from strandline.hotline.jobs.due import register

        register(Flood, floods.let_through, order=49)
        register(SourceAlarm, sources.act, order=50)
        register(ScopeSigning, terms.sign, order=65)
        register(InnocentFile, innocent_file.sign, order=66)
        register(HolderCheck, reminding.check, order=80)
        scopes.PROVIDERS.append(terms.scope_of)
        checks.CHECKS += [innocent.hold, weighing.look_again]
        checks.INNOCENT.append(innocent.innocent_among)
        edition_published.connect(reminding.look_again, dispatch_uid="feedback.look_again")
