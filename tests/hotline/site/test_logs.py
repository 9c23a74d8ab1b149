"""No log holds the address of a request: a host's page is opened by what is in it."""

import logging

import pytest
from django.core.exceptions import BadRequest
from django.http import Http404
from django.urls import path

from strandline.hotline.site.urls import partners

TOKEN = "kT7-" + "q" * 39


def broken(request, token):
    raise RuntimeError(f"broken at {request.path} by {token}")


def refused(request, token):
    raise BadRequest(f"refused at {request.path}")


def missing(request, token):
    raise Http404(request.path)


class Broken:
    """The partners' face with pages that fail."""

    handler400 = partners.handler400
    handler404 = partners.handler404
    handler500 = partners.handler500
    urlpatterns = [
        path("answer/<str:token>", broken, name="answer"),
        path("refused/<str:token>", refused, name="refused"),
        path("missing/<str:token>", missing, name="missing"),
    ]


@pytest.fixture
def failing(face, settings):
    client = face("partners")
    settings.ROOT_URLCONF = Broken
    client.raise_request_exception = False
    return client


@pytest.fixture
def log(caplog):
    """What any handler of Django's loggers is given."""
    logging.getLogger("django.request").addHandler(caplog.handler)
    with caplog.at_level(logging.DEBUG, logger="django.request"):
        yield caplog
    logging.getLogger("django.request").removeHandler(caplog.handler)


@pytest.mark.parametrize("page", ["answer", "refused", "missing"])
def test_a_page_that_fails_is_logged_by_its_name_without_its_address(failing, log, page):
    answer = failing.get(f"/{page}/{TOKEN}?also={TOKEN}")
    assert answer.status_code == {"answer": 500, "refused": 400, "missing": 404}[page]
    assert TOKEN not in log.text
    assert f"Answered {answer.status_code} at" in log.text
    assert all(TOKEN not in str(vars(record)) for record in log.records)


def test_the_log_of_a_failure_still_says_what_failed_and_where(failing, log):
    failing.get(f"/answer/{TOKEN}")
    assert "RuntimeError: broken at [hidden] by [hidden]" in log.text
    assert "in broken" in log.text
    assert "the page 'answer'" in log.text
