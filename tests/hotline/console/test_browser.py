"""The console in a real Chromium: by keyboard alone, with and without script, read by axe."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from strandline.hotline.accounts.roles import Role
from strandline.hotline.assessment import services
from strandline.hotline.assessment.models import Assessment, Claim
from strandline.hotline.assessment.words import Observations, Reason
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.reports.models import Capture
from strandline.hotline.reports.services import take_report
from strandline.hotline.reports.states import State
from strandline.hotline.wellbeing.models import Exposure

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def focused(page):
    return page.evaluate(
        "() => { const e = document.activeElement;"
        " return (e.name ? e.name + '=' : '') + (e.value || e.textContent.trim()) }"
    )


def tab_to(page, wanted, most=80):
    """Press Tab until the control ``name=value``, or one with this text, has the focus."""
    for _ in range(most):
        if focused(page).startswith(wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {wanted!r}; last at {focused(page)!r}")


def choose(page, name, value):
    """Reach a group of radio buttons by Tab and pick one by the arrow keys."""
    tab_to(page, f"{name}=")
    for _ in range(12):
        if page.evaluate("() => document.activeElement.value") == value:
            page.keyboard.press("Space")
            return
        page.keyboard.press("ArrowRight")
    raise AssertionError(f"the arrows never reach {name}={value}")


def fill_by_keyboard(page):
    tab_to(page, "acts=other-sexual")
    page.keyboard.press("Space")
    choose(page, "child-0-age", "7-10")
    choose(page, "child-0-sex", "girl")
    choose(page, "child-0-maturity", "pre-pubescent")
    choose(page, "provenance", "camera")
    choose(page, "alone", "yes")
    choose(page, "generation", "first-seen")
    choose(page, "baseline", "baseline")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_address_is_assessed_by_keyboard_alone(opened, person, drawn, script):
    who = person(Role.ANALYST)
    row = drawn(pictures=2)
    page = opened(who, java_script_enabled=script)
    page.goto("/")
    # Playwright's own evaluation of a page works without its script, so 'focused' does, too.
    tab_to(page, "Claim the next one")
    page.keyboard.press("Enter")
    page.wait_for_url("**/assess/*")
    assert page.locator(".frame img").count() == 0
    assert Exposure.objects.count() == 0

    if script:
        page.keyboard.press("s")
    else:
        tab_to(page, "do=show")
        page.keyboard.press("Enter")
    page.locator(".frame img").wait_for()
    assert page.evaluate("() => document.querySelector('.frame img').naturalWidth") == 320
    fill_by_keyboard(page)
    tab_to(page, "do=record")
    page.keyboard.press("Space")
    page.get_by_role("heading", name="Item 2 of 2").wait_for()
    assert page.locator(".frame img").count() == 0

    tab_to(page, "reason=")
    page.keyboard.type("Does not meet")
    if script:
        page.keyboard.press("Control+Enter")
    else:
        tab_to(page, "do=record")
        page.keyboard.press("Enter")
    page.get_by_role("heading", name="This address is done").wait_for()
    assert [a.category for a in Assessment.objects.order_by("pk")] == ["B", "not-illegal"]
    assert Exposure.objects.filter(person=who).count() == 1
    row.refresh_from_db()
    assert row.state == State.ASSESSED


def test_keys_show_hide_and_switch_and_can_be_switched_off(opened, person, drawn):
    drawn()
    page = opened(person(Role.ANALYST))
    page.goto("/")
    page.get_by_role("button", name="Claim the next one").click()
    page.wait_for_url("**/assess/*")
    page.wait_for_load_state()
    page.keyboard.press("2")
    assert page.locator("input[name=style]:checked").input_value() == "edges"
    assert page.locator(".frame img").count() == 0
    page.keyboard.press("s")
    assert page.locator(".frame img").get_attribute("src").endswith("/edges")
    page.keyboard.press("3")
    assert page.locator(".frame img").get_attribute("src").endswith("/grey")
    page.keyboard.press("s")
    assert page.locator(".frame img").count() == 0
    page.keyboard.press("c")
    assert page.locator("fieldset.child").count() == 2
    assert page.get_by_role("group", name="Child 2").count() == 1
    page.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("s")
    assert page.locator(".frame img").count() == 0
    assert page.locator("#show kbd").is_hidden()
    page.reload()
    page.keyboard.press("s")
    assert page.locator(".frame img").count() == 0


def test_a_films_frames_are_shown_and_hidden_by_script_and_named(opened, person, filmed, tmp_path):
    who = person(Role.ANALYST)
    claim = services.claim(filmed(), who, now=timezone.now())
    page = opened(who)
    page.goto(f"/assess/{claim.pk}")
    page.keyboard.press("s")
    image = page.locator("#picture img")
    assert image.get_attribute("alt") == "Degraded frames of this film, at 0:00, 0:07, 0:30"
    page.wait_for_function("document.querySelector('#picture img').complete")
    page.screenshot(path=tmp_path / "film.png", full_page=True)
    assert not serious(page)
    image.evaluate("image => image.setAttribute('height', 3000)")  # taller than its frame
    assert page.evaluate(
        "document.querySelector('#picture img').getBoundingClientRect().bottom"
        " <= document.querySelector('#picture').getBoundingClientRect().bottom"
    )
    page.keyboard.press("s")
    assert page.locator("#picture").inner_text() == "The frames are hidden."
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_row_added_by_script_is_recorded(opened, person, drawn):
    drawn()
    page = opened(person(Role.ANALYST))
    page.goto("/")
    page.get_by_role("button", name="Claim the next one").click()
    page.wait_for_url("**/assess/*")
    page.wait_for_load_state()
    page.keyboard.press("c")
    page.get_by_label("Other sexual activity").check()
    for row in ("child-0", "child-1"):
        for name, value in (("age", "7-10"), ("sex", "boy"), ("maturity", "infant")):
            page.locator(f"input[name={row}-{name}][value='{value}']").check()
    for name, value in (
        ("provenance", "camera"), ("alone", "no"), ("generation", "first-seen"),
        ("baseline", "baseline"),
    ):  # fmt: skip
        page.locator(f"input[name={name}][value={value}]").check()
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="This address is done").wait_for()
    assert Assessment.objects.get().children.count() == 2


def test_script_adds_no_row_beyond_the_most_and_removes_one_without_mixing_up(
    opened, person, drawn
):
    drawn()
    page = opened(person(Role.ANALYST))
    page.goto("/")
    page.get_by_role("button", name="Claim the next one").click()
    page.wait_for_url("**/assess/*")
    page.wait_for_load_state()
    assert page.locator(".remove").locator("visible=true").count() == 0
    for _ in range(25):
        page.keyboard.press("c")
    assert page.locator("fieldset.child").count() == 20
    assert page.locator("#more").is_hidden()
    assert page.locator("#full").is_visible()
    for row, age in ((1, "3-6"), (2, "7-10"), (19, "11-13")):
        page.locator(f"input[name=child-{row}-age][value='{age}']").check()
    page.get_by_role("button", name="Remove this child (2)").click()
    assert page.locator("fieldset.child").count() == 19
    assert page.locator("input[name=child-1-age]:checked").input_value() == "7-10"
    assert page.locator("input[name=child-18-age]:checked").input_value() == "11-13"
    assert page.locator("input[name=child-2-age]:checked").input_value() == ""
    assert page.locator("#more").is_visible()
    page.get_by_role("button", name="Remove this child (1)", exact=True).click()
    page.keyboard.press("c")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Not recorded yet").wait_for()
    assert page.locator("fieldset.child").count() == 19
    assert page.locator("input[name=child-0-age]:checked").input_value() == "7-10"
    assert page.locator("input[name=child-17-age]:checked").input_value() == "11-13"


def test_after_recording_the_keyboard_begins_at_the_next_picture(opened, person, drawn):
    drawn(pictures=2)
    page = opened(person(Role.ANALYST))
    page.goto("/")
    page.get_by_role("button", name="Claim the next one").click()
    page.wait_for_url("**/assess/*")
    for heading in ("Item 2 of 2", "This address is done"):
        page.locator("#reason").select_option("below-threshold")
        page.keyboard.press("Control+Enter")
        page.get_by_role("heading", name=heading).wait_for()
        at = page.evaluate("() => document.activeElement.id || document.activeElement.tagName")
        assert at == ("picture" if heading.startswith("Item") else "H1")
        if at == "picture":
            tab_to(page, "reason=", most=5)


def test_a_picture_that_no_longer_opens_leads_to_the_reason_with_the_form_kept(
    opened, person, drawn
):
    drawn()
    page = opened(person(Role.ANALYST))
    page.goto("/")
    page.get_by_role("button", name="Claim the next one").click()
    page.wait_for_url("**/assess/*")
    page.get_by_label("Other sexual activity").check()
    Claim.objects.update(until=timezone.now())
    page.keyboard.press("s")
    page.get_by_text("could not be opened").wait_for()
    page.keyboard.press("s")
    page.get_by_text("Your turn here ran out").wait_for()
    page.get_by_role("button", name="Go on here").click()
    page.get_by_text("The picture is hidden.").wait_for()
    assert page.get_by_label("Other sexual activity").is_checked()


def test_axe_finds_nothing_serious_on_any_page(opened, person, drawn, now):
    analyst, colleague = person(Role.ANALYST), person(Role.ANALYST)
    taken = take_report(address="https://host.example/x", note="Hello.", now=now)
    row = drawn(pictures=1)
    for who in (colleague, person(Role.SENIOR_ANALYST)):
        held = services.claim(row, who, now=timezone.now())
        seen = Observations(reason=Reason.BELOW_THRESHOLD)
        services.assess(held, services.remaining(held).get(), seen, now=timezone.now())
    Capture.objects.filter(address=taken.report.address).update(given_up_at=now, failures=8)
    OutboxMail.objects.create(
        key="notice:1", recipient="a@b.example", subject="Notice", message_id="<1@x>",
        state=OutboxMail.State.UNCERTAIN, given_up_at=now, created_at=now,
    )  # fmt: skip
    held = services.claim(drawn(pictures=2), analyst, now=timezone.now())
    custodian, administrator = person(Role.CUSTODIAN), person(Role.ADMINISTRATOR)
    visits = [
        (analyst, "/"),
        (analyst, "/?q=nothing.example"),
        (analyst, f"/assess/{held.pk}"),
        (colleague, f"/assess/{Claim.objects.get(analyst=colleague).pk}"),
        (analyst, f"/addresses/{row.pk}"),
        (analyst, "/me/"),
        (person(Role.MANAGER), "/work/"),
        (custodian, "/contacts/"),
        (custodian, "/audit/"),
        (administrator, "/people/"),
        (administrator, "/members/"),
        (custodian, "/people/"),
    ]
    pages = {who: opened(who) for who in {who for who, _ in visits}}
    for who, url in visits:
        pages[who].goto(url)
        assert serious(pages[who]) == [], url
    page = pages[analyst]
    page.goto(f"/assess/{held.pk}")
    page.get_by_role("button", name="Record and go on").click()
    page.get_by_text("Not recorded yet").wait_for()
    assert serious(page) == []
    page.context.clear_cookies()
    page.goto("/sign-in")
    assert serious(page) == []


def serious(page):
    """What axe calls serious or critical, in light and in dark colours."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [
            (scheme, one["id"], [node["html"][:160] for node in one["nodes"]])
            for one in Axe().run(page).response["violations"]
            if one["impact"] in {"serious", "critical"}
        ]
    return found


@pytest.mark.parametrize("width", [390, 320])
def test_no_page_scrolls_sideways_on_a_telephone(opened, person, drawn, width):
    who = person(Role.ANALYST)
    row = drawn(pictures=1)
    held = services.claim(row, who, now=timezone.now())
    page = opened(who, viewport={"width": width, "height": 800})
    for url in ("/", f"/assess/{held.pk}", f"/addresses/{row.pk}", "/me/"):
        page.goto(url)
        over = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, url


def test_the_browser_reports_no_breach_of_the_policy(opened, person, drawn):
    who = person(Role.ANALYST)
    held = services.claim(drawn(), who, now=timezone.now())
    page = opened(who)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"/assess/{held.pk}")
    page.keyboard.press("s")
    page.locator(".frame img").wait_for()
    page.keyboard.press("c")
    page.goto("/")
    assert said == []
