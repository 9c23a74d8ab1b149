"""Tables of the chain. Triggers refuse every UPDATE, DELETE and TRUNCATE on both."""

from django.db import models


class AuditEntry(models.Model):
    """One act. ``hash`` covers every other field and the hash before it."""

    #: 1, 2, 3 … without a gap: a gap is a missing entry.
    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    #: Who: ``person:7``, ``member:3``, ``worker``, ``public`` (never a visitor's address).
    actor = models.CharField(max_length=80)
    #: The field's verb, e.g. ``takedown.send_notice``.
    action = models.CharField(max_length=80)
    #: On what, e.g. ``address:12``.
    subject = models.CharField(max_length=120)
    #: What is needed to understand the act; never a sealed text, a picture or an address bar.
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        """Look-ups are by subject; the order is the sequence."""

        ordering = ("sequence",)
        indexes = [models.Index(fields=["subject"], name="audit_by_subject")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.actor} {self.action} {self.subject}"
