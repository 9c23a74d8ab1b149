"""The page of the list, looked at by a browser and by axe."""

from datetime import timedelta

import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.hashlist.models import Certificate, Cosigning, Publication

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def filled(listed, publish, now):
    """Editions with and without a certificate, a witness that is away, publishing that failed."""
    for number in range(3):
        listed(2)
        edition = publish(now + timedelta(days=number))
        if number < 2:
            Certificate.objects.create(
                edition=edition, hotline="other-hotline.example", jurisdiction="de", note="",
                classes=1, received_at=now, state="released", audit="ab" * 32,
            )  # fmt: skip
    Cosigning.objects.create(witness="w1.example", vkey="1", size=3, cosigned_at=now)
    Cosigning.objects.create(
        witness="w2.example", vkey="2", last_error="SiteFailed: It gave no answer.", failures=2
    )
    listed(1)
    Publication.objects.update(last_error="OSError: No space left on device", failures=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_nothing_that_axe_objects_to(
    scheme, chromium, serve, person, filled, tmp_path
):
    from axe_playwright_python.sync_playwright import Axe

    manager = person(Role.MANAGER, password="a long enough pass phrase")
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": 1100, "height": 1700}, bypass_csp=True
    )
    page = context.new_page()
    page.goto(f"{serve('console')}/sign-in")
    page.fill("input[name=email]", manager.email)
    page.fill("input[name=password]", "a long enough pass phrase")
    page.click("main button")
    page.goto(f"{page.url.split('/', 3)[0]}//{page.url.split('/', 3)[2]}/list/")
    assert page.locator("h1").inner_text() == "Hash list"
    page.screenshot(path=tmp_path / f"list-{scheme}.png")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    context.close()
