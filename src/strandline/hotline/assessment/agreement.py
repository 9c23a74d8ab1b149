"""How well analysts agree: Cohen's kappa over first and second assessments."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from strandline.hotline.assessment.models import Assessment
from strandline.hotline.assessment.words import Stage


def cohens_kappa(pairs: Iterable[tuple[str, str]]) -> float | None:
    """Cohen's kappa (1960): agreement beyond chance, from -1 to 1.

    Args:
        pairs: the two judgements of each item.

    Returns:
        None where it is not defined: no pairs, or both always said one and the same thing.
    """
    table = Counter(pairs)
    count = table.total()
    if not count:
        return None
    firsts: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for (one, other), times in table.items():
        firsts[one] += times
        seconds[other] += times
    # In whole numbers: 'always the same' must compare exactly, not within rounding.
    by_chance = sum(firsts[word] * seconds[word] for word in firsts)
    if by_chance == count * count:
        return None
    observed = sum(times for (one, other), times in table.items() if one == other)
    return (observed * count - by_chance) / (count * count - by_chance)


def category_pairs(since: datetime, until: datetime) -> list[tuple[str, str]]:
    """First and second category of every item whose second assessment fell in the span."""
    seconds = Assessment.objects.filter(stage=Stage.SECOND, at__gte=since, at__lt=until)
    by_item = dict(seconds.values_list("item", "category"))
    firsts = Assessment.objects.filter(stage=Stage.FIRST, item__in=seconds.values("item"))
    return [(category, by_item[item]) for item, category in firsts.values_list("item", "category")]
