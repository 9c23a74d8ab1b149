"""Observations and analysts to assess with."""

import pytest


@pytest.fixture
def seen():
    """``seen(Act.OTHER_SEXUAL)``: complete observations of something acted on."""
    from strandline.hotline.assessment.words import (
        AgeBand,
        Answer,
        Baseline,
        Capture,
        Child,
        Generation,
        Maturity,
        Observations,
        Provenance,
        Setting,
        Sex,
        SourceAppKind,
        YesNo,
    )

    def observe(*acts, **others):
        values = {
            "acts": frozenset(acts),
            "children": (Child(AgeBand.FROM_7, Sex.GIRL, Maturity.PRE_PUBESCENT),),
            "provenance": Provenance.CAMERA,
            "capture": Capture.UNDETERMINED,
            "self_generated": Answer.NO,
            "extortion": Answer.UNDETERMINED,
            "setting": Setting.UNDETERMINED,
            "alone": YesNo.YES,
            "generation": Generation.FIRST_SEEN,
            "source_app_kind": SourceAppKind.UNDETERMINED,
            "baseline": Baseline.BASELINE,
        }
        return Observations(**(values | others))

    return observe


@pytest.fixture
def nothing():
    """Observations of a picture that is not acted on."""
    from strandline.hotline.assessment.words import Observations, Reason

    return Observations(reason=Reason.BELOW_THRESHOLD)


@pytest.fixture
def analysts(person):
    """Three analysts."""
    from strandline.hotline.accounts.roles import Role

    return [person(Role.ANALYST) for _ in range(3)]


@pytest.fixture
def senior(person):
    """Somebody who settles disagreement."""
    from strandline.hotline.accounts.roles import Role

    return person(Role.SENIOR_ANALYST)


@pytest.fixture
def assess_all(now):
    """``assess_all(address, analyst, observations)`` claims and assesses every open item."""
    from strandline.hotline.assessment import services

    def run(address, analyst, observations):
        held = services.claim(address, analyst, now=now)
        return [
            services.assess(held, item, observations, now=now)
            for item in list(services.remaining(held))
        ]

    return run
