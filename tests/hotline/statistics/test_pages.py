"""The page of figures and its table."""

import csv
import io

import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.reports.states import State
from strandline.hotline.statistics.figures import figures

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(face, person, sign_in):
    return sign_in(face("console"), person(Role.MANAGER))


def test_the_page_says_of_each_figure_what_it_counts(manager, address):
    address(State.CAPTURED)
    page = manager.get("/figures/").content.decode()
    for figure in figures():
        assert figure.label in page
        assert figure.note.split("'")[0] in page
    assert "1</td><td>address</td>" in page


def test_the_download_holds_the_same_figures(manager, address):
    address(State.REMOVED)
    answer = manager.get("/figures.csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"].startswith('attachment; filename="figures-20')
    assert answer["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    found = {row["key"]: row for row in rows}
    assert found["removed"]["value"] == "1"
    assert found["removed"]["counts"] == "address"
    assert set(found) >= {figure.key for figure in figures()}


@pytest.mark.parametrize("role", [role for role in Role if role != Role.MANAGER])
@pytest.mark.parametrize("path", ["/figures/", "/figures.csv"])
def test_nobody_but_a_manager_sees_them(role, path, face, person, sign_in):
    assert sign_in(face("console"), person(role)).get(path).status_code == 403
