"""What the story's analysts record for each drawn picture: a fixed sheet, so that runs compare.

The pictures are shapes and gradients; the words recorded for them are arbitrary choices that
exercise every part of the form. One picture is judged differently by two people.
"""

from urllib.parse import urlsplit

from strandline.demo.hosts import Picture, Standing, pages
from strandline.hotline.assessment.words import (
    Act,
    AgeBand,
    Answer,
    Baseline,
    Child,
    Generation,
    Maturity,
    Observations,
    Provenance,
    Reason,
    Setting,
    Sex,
    SourceAppKind,
    Stage,
    YesNo,
)
from strandline.hotline.assessment.words import Capture as CaptureWord

#: The picture about which the first and the second analyst disagree.
DISPUTED = 302

_ACTS = (Act.OTHER_INDECENT, Act.OTHER_SEXUAL, Act.PENETRATIVE)
_AGES = (AgeBand.FROM_7, AgeBand.FROM_11, AgeBand.FROM_14)
_SEXES = (Sex.GIRL, Sex.BOY, Sex.UNDETERMINED)

NOTHING_TO_DO = Observations(reason=Reason.BELOW_THRESHOLD)


def _by_place() -> dict[tuple[str, str], tuple[Picture, Standing]]:
    """Every picture of the web by the site and path it is served at."""
    sheet = {}
    for page in pages():
        for number, picture in enumerate(page.pictures, start=1):
            sheet[page.site, page.picture_path(number)] = (picture, page.standing)
        for number, picture in enumerate(page.decoy, start=1):
            place = (page.site, page.picture_path(number, decoy=True))
            sheet[place] = (picture, Standing.INNOCENT)
    return sheet


class Sheet:
    """Observations by the address a picture was fetched from."""

    def __init__(self) -> None:
        self._pictures = _by_place()

    def observations(self, url: str, stage: Stage) -> Observations:
        """What is recorded for this picture at this stage; KeyError for one of no page."""
        parts = urlsplit(url)
        picture, standing = self._pictures[parts.hostname or "", parts.path]
        if standing == Standing.INNOCENT:
            return NOTHING_TO_DO
        if picture.seed == DISPUTED and stage == Stage.FIRST:
            return NOTHING_TO_DO
        return _subject(picture.seed)


def _subject(seed: int) -> Observations:
    choice = seed % 3
    children = tuple(
        Child(_AGES[(choice + n) % 3], _SEXES[(choice + n) % 3], Maturity.PRE_PUBESCENT)
        for n in range(1 + seed % 2)
    )
    return Observations(
        acts=frozenset({_ACTS[choice]}),
        children=children,
        provenance=Provenance.CAMERA,
        capture=CaptureWord.DEVICE,
        self_generated=Answer.UNDETERMINED,
        extortion=Answer.NO,
        setting=Setting.UNDETERMINED,
        alone=YesNo.YES if len(children) == 1 else YesNo.NO,
        generation=Generation.FIRST_SEEN,
        source_app_kind=SourceAppKind.UNDETERMINED,
        baseline=Baseline.BASELINE,
    )
