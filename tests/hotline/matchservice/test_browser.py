"""The managers' page in a real Chromium: read by axe in both schemes, wide and narrow."""

import pytest

from strandline.hotline import clock
from strandline.hotline.accounts.models import ApiKey
from strandline.hotline.accounts.roles import Role
from strandline.hotline.matchservice import alarms
from strandline.hotline.matchservice.models import Alarm, Usage
from strandline.hotline.matchservice.probing import Suspicion
from strandline.hotline.matchservice.standing import caller_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def busy(key_of, now, hotline):
    """Alarms open and settled, keys slowed, members that ask much and little."""
    for number, (calls, look_ups, listed, refused) in enumerate(
        [(120_400, 5_310_022, 212, 14), (900, 41_000, 1, 0), (3, 30, 0, 0)]
    ):
        key = key_of("look-up" if number else "member")
        row = ApiKey.objects.latest("pk")
        Usage.objects.create(
            key=row, day=now.date(), calls=calls, look_ups=look_ups, listed=listed, refused=refused
        )
        if number < 2:
            seen = Suspicion(
                Alarm.Kind.EDGE if number else Alarm.Kind.VARIANTS, 9, 107, number * 17
            )
            alarm = alarms.raise_alarm(caller_of(key), seen, now=now)
    alarms.settle_alarm(Alarm.objects.first(), "harmless", by="person:1", now=now)
    return alarm


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    busy, serve, chromium, person, sign_in, client, settings, now, monkeypatch, scheme, width
):
    from axe_playwright_python.sync_playwright import Axe

    monkeypatch.setattr(clock, "now", lambda: now)
    url = serve("console")
    sign_in(client, person(Role.MANAGER))
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, base_url=url
    )
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
    page = context.new_page()
    page.goto("/matches/")
    assert Axe().run(page).response["violations"] == []
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    assert page.evaluate(f"{cut}.length") == 0
    page.click("summary >> nth=1")
    page.fill(f"#day-{busy.key.member_id}", "0")
    page.click("button:has-text('Agree'):visible")
    assert page.locator("[role=alert]").count() == 1
    assert Axe().run(page).response["violations"] == []
    page.goto("/matches/")
    page.click("button:has-text('Harmless')")
    page.get_by_text("No alarm is open.").wait_for()
    context.close()
