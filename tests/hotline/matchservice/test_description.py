"""The description of the calls is what the service does: drawn from it, answered by it."""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, openapi
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("STRANDLINE_TEST_EXAMPLES", "25"))
PDQ = "0123456789abcdef" * 4
#: A good key takes the place of the drawn one; and the fault of an item is told in a 200.
OTHERWISE = [ignored_auth, negative_data_rejection]


@pytest.fixture
def described(shelf, wear):
    """What the partners' face says of its calls, and the application that answers them."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections

    shelf.add(17, sha256="ab" * 32, pdq=PDQ)
    wear("partners")
    # As Django's own test client does: the test's transaction would end with its connection.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", ["/api/v1/match", "/api/v1/usage"])
def test_whatever_is_drawn_is_answered_as_described(path, mode, described, key_of):
    key = key_of("member")
    (found,) = described.include(path=path).get_all_operations()
    answered = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=found.ok().as_strategy(generation_mode=mode))
    def ask(case):
        response = case.call(headers={"Authorization": f"Bearer {key}"})
        case.validate_response(response, excluded_checks=OTHERWISE)
        assert response.status_code < 500
        answered.add(response.status_code)

    ask()
    if mode == GenerationMode.POSITIVE:
        assert answered <= {200, 413, 429}, "what the description allows is taken"
