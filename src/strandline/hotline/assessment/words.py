"""The words observations are recorded in, and the observations themselves.

The words are those of the field (INHOPE, IWF, ICCAM); see ``docs/record.md``. Nothing here
judges: the law does, in ``laws``.
"""

from dataclasses import dataclass

from django.db import models


class Stage(models.TextChoices):
    """Whose look this is."""

    FIRST = "first", "First assessment"
    SECOND = "second", "Second assessment"
    THIRD = "third", "Third assessment, where two disagree"


class Act(models.TextChoices):
    """What is seen to happen. Several may be."""

    PENETRATIVE = "penetrative", "Penetrative activity"
    ANIMAL = "animal", "With an animal"
    SADISM = "sadism", "Sadism"
    OTHER_SEXUAL = "other-sexual", "Other sexual activity"
    OTHER_INDECENT = "other-indecent", "Other indecent"


class Provenance(models.TextChoices):
    """How the picture came to be."""

    CAMERA = "camera", "Camera"
    DRAWN = "drawn", "Drawn"
    AI_GENERATED = "ai-generated", "AI-generated"
    AI_MANIPULATED = "ai-manipulated", "AI-manipulated"
    UNDETERMINED = "undetermined", "Undetermined"


class Capture(models.TextChoices):
    """What it was recorded from."""

    LIVE_STREAM = "live-stream", "Live stream"
    WEBCAM = "webcam", "Webcam"
    DEVICE = "device", "Device"
    UNDETERMINED = "undetermined", "Undetermined"


class Answer(models.TextChoices):
    """A question that cannot always be answered."""

    YES = "yes", "Yes"
    NO = "no", "No"
    UNDETERMINED = "undetermined", "Undetermined"


class YesNo(models.TextChoices):
    """A question that always can."""

    YES = "yes", "Yes"
    NO = "no", "No"


class Setting(models.TextChoices):
    """Where it takes place."""

    BEDROOM = "bedroom", "Bedroom"
    BATHROOM = "bathroom", "Bathroom"
    HOME_OTHER = "home-other", "Elsewhere at home"
    STUDIO = "studio", "Studio"
    OUTDOOR = "outdoor", "Outdoors"
    VEHICLE = "vehicle", "Vehicle"
    INSTITUTION = "institution", "Institution"
    UNDETERMINED = "undetermined", "Undetermined"


class Generation(models.TextChoices):
    """Whether it was seen before."""

    FIRST_SEEN = "first-seen", "First seen"
    REDISTRIBUTED = "redistributed", "Redistributed"


class SourceAppKind(models.TextChoices):
    """The kind of application it was made with."""

    MOBILE_ONLY = "mobile-only", "Mobile only"
    MIXED = "mixed", "Mixed"
    WEB = "web", "Web"
    UNDETERMINED = "undetermined", "Undetermined"


class Baseline(models.TextChoices):
    """Where it is illegal. Recorded by the analyst, never guessed from the category."""

    BASELINE = "baseline", "Baseline: illegal everywhere"
    NATIONAL_ONLY = "national-only", "Illegal here only"
    NOT_ILLEGAL = "not-illegal", "Not illegal"


class AgeBand(models.TextChoices):
    """How old a child looks. In order of age."""

    FROM_0 = "0-2", "0 to 2"
    FROM_3 = "3-6", "3 to 6"
    FROM_7 = "7-10", "7 to 10"
    FROM_11 = "11-13", "11 to 13"
    FROM_14 = "14-15", "14 to 15"
    FROM_16 = "16-17", "16 to 17"


class Sex(models.TextChoices):
    """A child's sex, as it looks."""

    GIRL = "girl", "Girl"
    BOY = "boy", "Boy"
    UNDETERMINED = "undetermined", "Undetermined"


class Maturity(models.TextChoices):
    """A child's physical maturity: its own judgement, not a function of the age."""

    INFANT = "infant", "Infant"
    PRE_PUBESCENT = "pre-pubescent", "Pre-pubescent"
    PUBESCENT = "pubescent", "Pubescent"


class Reason(models.TextChoices):
    """Why an item is not acted on: the 21 reasons hotlines exchange through ICCAM."""

    OTHER = "other", "Other"
    CONTENT_NOT_FOUND = "content-not-found", "Content not found"
    REFERRER = "referrer-not-known", "Referrer not known or incorrect"
    UNABLE_TO_ACCESS = "unable-to-access", "Unable to access"
    PASSWORD_PROTECTED = "password-protected", "Password protected"
    ACCOUNT_DISABLED = "account-disabled", "Account disabled"
    LEGALLY_UNABLE = "legally-unable-to-access", "Legally unable to access"
    LINK_EXPIRED = "link-expired", "Link expired"
    ERROR_404 = "error-404", "Error 404, not found or site down"
    ERROR_503 = "error-503", "Error 503 or temporarily unavailable"
    PREMIUM_ACCOUNT = "premium-account-necessary", "Premium account necessary"
    MISSING_PARTS = "missing-parts", "Missing parts to open the file"
    REMOVED_BEFORE = "removed-before-assessment", "Removed before assessment"
    ADULT = "adult-pornography", "Adult pornography"
    NUDISM = "nudism-or-not-sexualised", "Nudism, or not sexualised"
    BELOW_THRESHOLD = "below-threshold", "Does not meet the threshold for illegality"
    TOO_SMALL = "images-too-small", "Images too small"
    VIRTUAL = "virtual-material", "Virtual material"
    LINKING = "linking-not-illegal", "Linking or link lists: not illegal"
    AGE_UNCLEAR = "age-unclear", "Age unclear or not assessable"
    AGE_OVER = "age-over-threshold", "Age over the national threshold"


class Category(models.TextChoices):
    """What the law makes of observations. From worst to least."""

    A = "A", "Category A"
    B = "B", "Category B"
    C = "C", "Category C"
    PROHIBITED = "prohibited-non-photographic", "Prohibited, non-photographic"
    UNDETERMINED = "undetermined", "Undetermined"
    NOT_ILLEGAL = "not-illegal", "Not illegal"


#: Categories that lead to an entry in the list and a notice to the host.
ILLEGAL = frozenset({Category.A, Category.B, Category.C, Category.PROHIBITED})


@dataclass(frozen=True)
class Child:
    """One child in the item."""

    age: AgeBand
    sex: Sex
    maturity: Maturity


@dataclass(frozen=True, kw_only=True)
class Observations:
    """What one analyst saw in one item; ``None`` where nothing was recorded."""

    acts: frozenset[Act] = frozenset()
    children: tuple[Child, ...] = ()
    provenance: Provenance | None = None
    capture: Capture | None = None
    self_generated: Answer | None = None
    extortion: Answer | None = None
    setting: Setting | None = None
    alone: YesNo | None = None
    generation: Generation | None = None
    source_app_kind: SourceAppKind | None = None
    baseline: Baseline | None = None
    #: Why it is not acted on, if it is not.
    reason: Reason | None = None
