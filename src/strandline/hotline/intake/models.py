"""Forms that were sent: what makes one filled-in form one report, however often it is sent."""

from django.db import models


class SentForm(models.Model):
    """A form that was sent and taken in. Lives for a day; names no report and no visitor."""

    #: SHA-256 of the random token the form carried; the token itself is in that page alone.
    token_hash = models.CharField(max_length=64, unique=True)
    sent_at = models.DateTimeField(db_index=True)
    #: The answer (reference and return code), under a key only the form's token gives. Emptied
    #: when the reporter says that the words are written down, and after an hour.
    answer_sealed = models.BinaryField(default=b"")
    #: What was typed, as a keyed hash (the key comes from the token): the same form with other
    #: words is not taken for a double click.
    content_hash = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return f"form sent {self.sent_at:%Y-%m-%d}"
