"""Which class an item belongs in, derived from its assessments; nothing here is ever typed."""

from collections.abc import Iterable

from django.conf import settings

from strandline.hotline.assessment.models import Assessment, Verdict
from strandline.hotline.assessment.words import Answer, Category, Provenance, Stage
from strandline.hotline.hashlist.events import Identity
from strandline.hotline.hashlist.models import comparable, frames_to_list
from strandline.hotline.reports.models import MediaItem, Report
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.events import Fingerprints, Kind

#: Nobody asked for it, as far as is known.
NO_SURVIVOR = "none"
#: Which assessments carry a verdict.
_STAGES = {
    Verdict.How.AGREED: (Stage.FIRST, Stage.SECOND),
    Verdict.How.THIRD: (Stage.THIRD,),
    Verdict.How.EXACT_MATCH: (),
}
#: Whose reports make an entry one that was asked for, the first that applies.
_ASKED = (Report.Source.SURVIVOR, Report.Source.CHILD_SERVICE)


def make_class(
    category: str,
    *,
    labels: Iterable[str] = (),
    provenance: str = Provenance.UNDETERMINED.value,
    survivor: str = NO_SURVIVOR,
) -> EntryClass:
    """A class of this hotline's own jurisdiction."""
    return EntryClass(category, provenance, settings.HOTLINE.jurisdiction, survivor, tuple(labels))


def class_of(verdict: Verdict) -> EntryClass:
    """The class of an item with this verdict.

    Where two assessments carry it, what they saw differently is left undetermined, and a label
    stands only if both saw it.
    """
    carrying = list(
        Assessment.objects.filter(item=verdict.item_id, stage__in=_STAGES[Verdict.How(verdict.how)])
    )
    provenances = {assessment.provenance for assessment in carrying}
    provenance = provenances.pop() if len(provenances) == 1 else ""
    labels = [verdict.baseline] if verdict.baseline else []
    for label, field in (("self-generated", "self_generated"), ("extortion", "extortion")):
        if carrying and all(getattr(each, field) == Answer.YES for each in carrying):
            labels.append(label)
    return make_class(
        Category(verdict.category).value,
        labels=labels,
        provenance=provenance or Provenance.UNDETERMINED.value,
        survivor=survivor_of(verdict.item),
    )


def survivor_of(item: MediaItem) -> str:
    """``survivor`` or ``child-service`` where one reported an address it is at, or ``none``."""
    sources = set(
        Report.objects.filter(address__appearances__item=item, source__in=_ASKED).values_list(
            "source", flat=True
        )
    )
    return next((source.value for source in _ASKED if source in sources), NO_SURVIVOR)


def identity_of(item: MediaItem, entry_class: EntryClass) -> Identity:
    """What identifies a captured item; no perceptual hash where it would say too little.

    Of a film these are the hashes of its frames.
    """
    perceptual = comparable(item)
    frames = frames_to_list(item)
    return Identity(
        Fingerprints(
            sha256=item.sha256,
            sha1=item.sha1,
            md5=item.md5,
            pdq=item.pdq if perceptual else None,
            quality=item.quality if perceptual else 0,
            video=frames,
        ),
        entry_class,
        kind=Kind.VIDEO if item.is_film else Kind.IMAGE,
        pipeline=item.pipeline if perceptual or frames else "-",
    )
