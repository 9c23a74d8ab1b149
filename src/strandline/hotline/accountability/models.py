"""What members state about their use of the list."""

from typing import ClassVar

from django.db import models

from strandline.hotline.accounts.models import Member


class MonthlyFigures(models.Model):
    """One member's statement about one month. A correction replaces it; the audit chain has both.

    The numbers are the member's own: nobody here can count what it compared.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="monthly_figures")
    #: The first day of the month.
    month = models.DateField()
    #: Files that were compared with the list.
    compared = models.PositiveBigIntegerField()
    #: Of those, files that were on it.
    matched = models.PositiveBigIntegerField()
    #: Of those, files that were reported to the authority named in its law.
    reported = models.PositiveBigIntegerField()
    stated_at = models.DateTimeField()

    class Meta:
        """The latest month first; one statement about each."""

        ordering = ("-month",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["member", "month"], name="monthly_figures_once"),
            models.CheckConstraint(
                condition=models.Q(matched__lte=models.F("compared")),
                name="monthly_figures_matched",
            ),
            models.CheckConstraint(
                condition=models.Q(reported__lte=models.F("matched")),
                name="monthly_figures_reported",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member} in {self.month:%B %Y}"
