"""The words members give feedback in: what they say, why, and what became of it."""

from django.db import models


class Say(models.TextChoices):
    """What a member says of an entry."""

    CONFIRM = "confirm", "Confirms"
    DISPUTE = "dispute", "Disputes"
    NOT_USEFUL = "not-useful", "Finds it not useful"


class Reason(models.TextChoices):
    """Why. Each belongs to one ``Say``."""

    SEEN = "seen", "Seen, and illegal here too"
    ASSESSED = "assessed", "Assessed by our own analysts"
    NOT_ILLEGAL = "not-illegal", "Not illegal"
    ADULT = "adult", "Adults only"
    INNOCENT = "innocent-picture", "A common innocent picture"
    FALSE_MATCH = "false-match", "Matches pictures that are something else"
    WRONG_CATEGORY = "wrong-category", "Illegal, but in the wrong category"
    BROKEN = "broken", "The fingerprint is broken"
    NEVER_MATCHES = "never-matches", "Never matches anything"
    DUPLICATE = "duplicate", "The same as another entry"
    LOW_QUALITY = "low-quality", "Too little in the picture to match by"
    OTHER = "other", "Something else: see the note"


#: Which reasons go with what is said; the first of each is the one that is most often meant.
REASONS: dict[Say, tuple[Reason, ...]] = {
    Say.CONFIRM: (Reason.SEEN, Reason.ASSESSED, Reason.OTHER),
    Say.DISPUTE: (
        Reason.NOT_ILLEGAL,
        Reason.ADULT,
        Reason.INNOCENT,
        Reason.FALSE_MATCH,
        Reason.BROKEN,
        Reason.WRONG_CATEGORY,
        Reason.OTHER,
    ),
    Say.NOT_USEFUL: (Reason.NEVER_MATCHES, Reason.DUPLICATE, Reason.LOW_QUALITY, Reason.OTHER),
}

#: Disputes that leave the entry illegal: somebody reviews it, but it goes on being matched.
KEEPS_LISTED = frozenset({Reason.WRONG_CATEGORY})


class Standing(models.TextChoices):
    """Whether a statement weighs anything."""

    COUNTED = "counted", "Counted"
    #: Part of a flood that no manager has looked at yet.
    HELD_BACK = "held-back", "Held back"
    #: A manager decided that the flood was none to follow.
    SET_ASIDE = "set-aside", "Set aside"
    #: The member said something else of the entry later.
    REPLACED = "replaced", "Replaced"


class Outcome(models.TextChoices):
    """How a review ended."""

    KEPT = "kept", "The entry stays"
    WITHDRAWN = "withdrawn", "The entry was withdrawn"
    #: Every statement it rested on was taken back or set aside.
    LAPSED = "lapsed", "Nothing was left to review"


class Cause(models.TextChoices):
    """Why an entry is reviewed."""

    DISPUTED = "disputed", "Disputed"
    NOT_USEFUL = "not-useful", "Found not useful"
    INNOCENT = "innocent", "On or near the list of innocent pictures"
