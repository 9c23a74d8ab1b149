"""Whether observations make an assessment: complete, and without contradiction. Pure."""

from strandline.hotline.assessment.laws import derive
from strandline.hotline.assessment.words import ILLEGAL, Baseline, Observations, Provenance, YesNo

#: Beyond this many children a picture is described as a group; no form offers more rows.
MOST_CHILDREN = 20

#: Asked of everything that is acted on.
_QUESTIONS = {
    "provenance": "Choose how the picture came to be; 'undetermined' is an answer.",
    "capture": "Choose what it was recorded from; 'undetermined' is an answer.",
    "self_generated": "Choose yes, no or undetermined.",
    "extortion": "Choose yes, no or undetermined.",
    "setting": "Choose where it takes place; 'undetermined' is an answer.",
    "alone": "Choose whether the child is alone in the picture.",
    "generation": "Choose whether it was seen before.",
    "source_app_kind": "Choose the kind of application; 'undetermined' is an answer.",
}


def faults(seen: Observations) -> dict[str, str]:
    """What keeps ``seen`` from being recorded: a sentence for each field; empty if nothing does."""
    if len(seen.children) > MOST_CHILDREN:
        return {"children": f"At most {MOST_CHILDREN} children can be recorded one by one."}
    if seen.reason is not None:
        return _faults_when_not_actioned(seen)
    if not seen.acts and not seen.children:
        return {"reason": "Record what is seen and each child, or choose a reason to do nothing."}
    return _faults_of_content(seen) | _faults_of_circumstances(seen)


def _faults_of_content(seen: Observations) -> dict[str, str]:
    found: dict[str, str] = {}
    if not seen.acts:
        found["acts"] = "There is a child, but no act. Choose what is seen, or a reason below."
    if not seen.children:
        found["children"] = "There is an act, but no child. Add each child, or a reason below."
    return found


def _faults_of_circumstances(seen: Observations) -> dict[str, str]:
    found = {field: said for field, said in _QUESTIONS.items() if getattr(seen, field) is None}
    if seen.alone == YesNo.YES and len(seen.children) > 1:
        found["alone"] = "Two or more children are recorded, so no child is alone."
    if seen.baseline in {None, Baseline.NOT_ILLEGAL}:
        found["baseline"] = "Choose whether it is illegal everywhere (baseline) or here only."
    elif seen.baseline == Baseline.BASELINE and seen.provenance == Provenance.DRAWN:
        found["baseline"] = "Baseline is about real children; a drawing is illegal here only."
    return found


def _faults_when_not_actioned(seen: Observations) -> dict[str, str]:
    if derive(seen) in ILLEGAL:
        return {
            "reason": "A child and an act are recorded, and also a reason to do nothing. "
            "Clear one or the other."
        }
    if seen.baseline not in {None, Baseline.NOT_ILLEGAL}:
        return {"baseline": "With a reason to do nothing this can only be 'not illegal' or empty."}
    return {}
