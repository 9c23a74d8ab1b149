"""Laws as versioned tables: observations in, category out. Pure, and total.

A version never changes once assessments name it; a change of the law is a new version, under
which old observations can be graded again.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from strandline.hotline.assessment.words import (
    Act,
    AgeBand,
    Category,
    Child,
    Observations,
    Provenance,
    Reason,
    Sex,
)

Law = Callable[[Observations], Category]

#: Sentencing Council for England and Wales, 'Indecent photographs of children': A is penetrative
#: sexual activity, sexual activity with an animal, or sadism; B non-penetrative sexual activity;
#: C other indecent images.
_UK_ACTS: Mapping[Act, Category] = MappingProxyType(
    {
        Act.PENETRATIVE: Category.A,
        Act.ANIMAL: Category.A,
        Act.SADISM: Category.A,
        Act.OTHER_SEXUAL: Category.B,
        Act.OTHER_INDECENT: Category.C,
    }
)

#: Reasons that say something of the content itself; the others say why it could not be judged.
NOT_ILLEGAL_REASONS = frozenset(
    {
        Reason.ADULT,
        Reason.NUDISM,
        Reason.BELOW_THRESHOLD,
        Reason.VIRTUAL,
        Reason.LINKING,
        Reason.AGE_OVER,
    }
)


def uk_1(seen: Observations) -> Category:
    """England and Wales, as of 2026.

    - A child and an act: the worst act decides between A, B and C (Protection of Children Act
      1978 with the Sentencing Council's definitions). Generated and manipulated pictures count
      like photographs: whatever *appears* to be one is a pseudo-photograph (section 7), so
      'undetermined' provenance does too.
    - Drawn, with a child and an act: prohibited, non-photographic (Coroners and Justice Act 2009,
      section 62); the acts do not grade it.
    - No child or no act: not illegal where the recorded reason speaks of the content, otherwise
      undetermined.
    """
    if seen.acts and seen.children:
        if seen.provenance == Provenance.DRAWN:
            return Category.PROHIBITED
        return worst(_UK_ACTS[act] for act in seen.acts)
    if seen.reason in NOT_ILLEGAL_REASONS:
        return Category.NOT_ILLEGAL
    return Category.UNDETERMINED


#: Every version that assessments may name.
LAWS: Mapping[str, Law] = MappingProxyType({"uk-1": uk_1})

#: The version new assessments are graded under.
CURRENT = "uk-1"


def derive(seen: Observations, law: str = CURRENT) -> Category:
    """The category of ``seen`` under the version ``law``.

    Raises:
        KeyError: no such version.
    """
    return LAWS[law](seen)


def worst(categories: Iterable[Category]) -> Category:
    """The worst of several categories, at least one: an address is as bad as its worst item."""
    order = list(Category)
    return min(categories, key=order.index)


def youngest(children: Iterable[Child]) -> AgeBand | None:
    """The age band of the youngest child; none where there is no child."""
    order = list(AgeBand)
    return min((child.age for child in children), key=order.index, default=None)


def sexes(children: Iterable[Child]) -> str:
    """'girl', 'boy', 'both' where both occur, 'undetermined', or '' where there is no child."""
    found = {child.sex for child in children}
    if {Sex.GIRL, Sex.BOY} <= found:
        return "both"
    for sex in (Sex.GIRL, Sex.BOY, Sex.UNDETERMINED):
        if sex in found:
            return sex.value
    return ""
