"""The pages of hosts, theirs and ours, in a real Chromium."""

import re
from datetime import timedelta

import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.takedown import answers
from strandline.hotline.takedown.models import HostAnswer
from strandline.hotline.takedown.notices import want

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _time_stands(monkeypatch, now):
    from strandline.hotline import clock

    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=1))


def serious(page):
    """What axe finds that would keep somebody out, on the page as it is."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(rule["id"], rule["nodes"]) for rule in found]


def test_a_host_answers_with_scripts_off(serve, chromium, hosted, deliver):
    address = hosted()
    path = re.search(r"/answer/[\w-]+", OutboxMail.objects.get().body)[0]
    deliver()
    page = chromium.new_page(java_script_enabled=False)
    page.goto(serve("partners") + path)
    assert address.url in page.inner_text("main")
    page.click("text=Send the answer")
    assert "Please choose one of the three answers" in page.inner_text("#answer")
    page.check("text=We have removed it")
    page.fill("#comment", "It is gone.\nThe account is closed.")
    page.click("text=Send the answer")
    assert "Thank you. You answered: We have removed it" in page.inner_text("main")
    assert HostAnswer.objects.get().comment == "It is gone.\nThe account is closed."
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_hosts(
    serve, chromium, hosted, deliver, person, sign_in, client, settings, now, scheme
):
    hosted()
    path = re.search(r"/answer/[\w-]+", OutboxMail.objects.get().body)[0]
    deliver()
    orphan, answered = hosted(), hosted()
    deliver()
    want(orphan.trace, "contact", now=now)
    answers.answer_notice(answered.notices.get(), "not-ours", "Write to noc@x.example", now=now)
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(serve("partners") + path)
    assert serious(page) == []
    page.click("text=Send the answer")
    assert serious(page) == []
    url = serve("console")
    sign_in(client, person(Role.MANAGER))
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
    page.goto(f"{url}/hosts/")
    assert orphan.url in page.inner_text("main")
    assert serious(page) == []
    page.fill("input[name=mailbox]", "nobody")
    page.click("text=Send the notice there")
    assert serious(page) == []
    context.close()
