import dataclasses
from datetime import timedelta

import pytest
from django.utils import timezone

from strandline.hotline.accounts.roles import Role
from strandline.hotline.assessment import services
from strandline.hotline.assessment.models import Assessment, Claim, Verdict
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.reports.models import MediaItem
from strandline.hotline.reports.states import State
from strandline.hotline.wellbeing.models import Exposure

pytestmark = pytest.mark.django_db


def item_of(claim):
    return services.remaining(claim).first()


def record(client, claim, answers, **others):
    return client.post(f"/assess/{claim.pk}", {**answers, "item": item_of(claim).pk, **others})


def test_nothing_is_shown_until_it_is_asked_for(at_console, claimed):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    page = client.get(f"/assess/{claim.pk}").content.decode()
    assert '<img src="/assess' not in page
    assert "The picture is hidden." in page
    assert not Exposure.objects.exists()


def test_showing_works_without_script_and_keeps_what_was_typed(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    answer = record(client, claim, answers, do="show", style="edges")
    page = answer.content.decode()
    assert f'<img src="/assess/{claim.pk}/items/{item_of(claim).pk}/edges"' in page
    assert '<input type="checkbox" name="acts" value="other-sexual" checked>' in page
    assert '<input type="radio" name="child-0-age" value="7-10" checked>' in page
    assert not Assessment.objects.exists()


def test_a_film_is_shown_as_a_sheet_of_frames_with_their_times(at_console, filmed, answers):
    from django.utils import timezone

    from strandline.hotline.assessment import services

    client = at_console(Role.ANALYST)
    claim = services.claim(filmed(), client.person, now=timezone.now())
    hidden = client.get(f"/assess/{claim.pk}").content.decode()
    assert "The frames are hidden." in hidden
    assert '<img src="/assess' not in hidden
    shown = record(client, claim, answers, do="show", style="grey").content.decode()
    assert f'<img src="/assess/{claim.pk}/items/{item_of(claim).pk}/grey"' in shown
    assert 'alt="Degraded frames of item 1, at 0:00, 0:07, 0:30"' in shown
    assert "<dd>0:31, h264</dd>" in shown
    assert "<video" not in shown
    page = client.get(f"/assess/{claim.pk}/items/{item_of(claim).pk}/grey")
    assert page["Content-Type"] == "image/png"
    assert Exposure.objects.get().style == "grey"
    record(client, claim, answers)
    assert Assessment.objects.get().item.is_film


def test_a_rendition_is_logged_as_exposure_and_in_the_chain(at_console, claimed):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    answer = client.get(f"/assess/{claim.pk}/items/{item_of(claim).pk}/blurred")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "no-store"
    assert answer.content.startswith(b"\x89PNG")
    seen = Exposure.objects.get()
    assert (seen.person, seen.style, seen.kind) == (client.person, "blurred", "shown")
    assert AuditEntry.objects.filter(action="console.show_rendition").count() == 1


def test_bytes_that_are_no_picture_are_not_sent(at_console, claimed, hotline):
    from strandline.vault import Vault

    client = at_console(Role.ANALYST)
    claim = claimed(client)
    key = item_of(claim).rendition_key("blurred")
    vault = Vault(hotline.vault, recipients=[hotline.recipient("rendition-identity")])
    vault.delete(key)
    vault.put(key, b"<script>alert(1)</script>")
    url = f"/assess/{claim.pk}/items/{item_of(claim).pk}/blurred"
    assert client.get(url).status_code == 404
    assert not Exposure.objects.exists()


@pytest.mark.parametrize("style", ["original", "blurred/../grey", "originals", ""])
def test_only_the_three_styles_can_be_opened(at_console, claimed, style):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    url = f"/assess/{claim.pk}/items/{item_of(claim).pk}/{style}"
    assert client.get(url).status_code == 404


def test_somebody_elses_claim_does_not_exist(at_console, claimed, answers):
    owner, other = at_console(Role.ANALYST), at_console(Role.SENIOR_ANALYST)
    claim = claimed(owner)
    item = item_of(claim)
    assert other.get(f"/assess/{claim.pk}").status_code == 404
    assert other.get(f"/assess/{claim.pk}/items/{item.pk}/blurred").status_code == 404
    assert other.post(f"/assess/{claim.pk}", {**answers, "item": item.pk}).status_code == 404


def test_an_ended_claim_opens_no_picture(at_console, claimed):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    item = item_of(claim)
    client.post(f"/assess/{claim.pk}", {"do": "stop"})
    assert client.get(f"/assess/{claim.pk}/items/{item.pk}/blurred").status_code == 404


def test_recording_goes_on_to_the_next_item_hidden_and_then_to_a_summary(
    at_console, claimed, answers
):
    client = at_console(Role.ANALYST)
    claim = claimed(client, pictures=2)
    answer = record(client, claim, answers)
    assert answer.url == f"/assess/{claim.pk}"
    page = client.get(answer.url).content.decode()
    assert "Item 2 of 2" in page
    assert "The picture is hidden." in page
    page = client.get(record(client, claim, answers).url).content.decode()
    assert "This address is done" in page
    assert "Claim the next one" in page
    assert "Category B" in page
    claim.refresh_from_db()
    assert claim.ending == Claim.Ending.FINISHED


def test_a_form_with_a_gap_keeps_everything_and_says_where(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    answer = record(client, claim, answers, alone="", baseline="")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#field-alone"' in page
    assert 'href="#field-baseline"' in page
    assert '<input type="radio" name="provenance" value="camera" checked>' in page
    assert '<input type="radio" name="child-0-sex" value="girl" checked>' in page
    assert not Assessment.objects.exists()


def test_a_half_filled_child_is_not_dropped_in_silence(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    half = {"child-1-age": "3-6", "child-1-sex": "", "child-1-maturity": ""}
    answer = record(client, claim, answers, **half)
    assert answer.status_code == 422
    assert "Child 2: choose age, sex and maturity" in answer.content.decode()


def many(number):
    """A form's rows for so many children."""
    rows = {}
    for row in range(number):
        rows |= {f"child-{row}-age": "3-6", f"child-{row}-sex": "boy"}
        rows[f"child-{row}-maturity"] = "infant"
    return {**rows, "alone": "no"}


def test_children_beyond_the_most_are_refused_and_none_is_dropped(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    for number in (21, 70):
        answer = record(client, claim, answers, **many(number))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "At most 20 children" in page
        checked = f'<input type="radio" name="child-{number - 1}-sex" value="boy" checked>'
        assert checked in page
    reasoned = record(client, claim, answers, reason="below-threshold", acts=[], **many(21))
    assert reasoned.status_code == 422
    assert not Assessment.objects.exists()
    record(client, claim, answers, **many(20))
    assert Assessment.objects.get().children.count() == 20


def test_no_row_is_offered_beyond_the_most(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    page = record(client, claim, answers, do="child", **many(20)).content.decode()
    assert 'name="child-19-age"' in page
    assert 'name="child-20-age"' not in page
    assert 'id="more" hidden' in page


def test_a_child_is_removed_by_a_button_and_the_others_stay(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    assert 'value="remove-0" hidden' in client.get(f"/assess/{claim.pk}").content.decode()
    two = {"child-1-age": "3-6", "child-1-sex": "boy", "child-1-maturity": "infant"}
    page = record(client, claim, answers, do="keep", **two).content.decode()
    assert 'value="remove-1">' in page
    page = record(client, claim, answers, do="remove-0", **two).content.decode()
    assert '<input type="radio" name="child-0-sex" value="boy" checked>' in page
    assert 'name="child-1-age"' not in page
    for odd in ("remove-9", "remove-", "remove-x", "remove-²"):
        answer = record(client, claim, answers, do=odd, **two)
        assert answer.status_code == 200
        assert 'name="child-1-age"' in answer.content.decode()


def test_the_next_item_begins_where_its_picture_would_be(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client, pictures=2)
    page = client.get(record(client, claim, answers).url).content.decode()
    assert page.count(" autofocus") == 1
    frame = page[page.index('id="picture"') :]
    assert " autofocus" in frame[: frame.index(">")]


def run_out(claim):
    """The claim's time is up; nobody has noticed yet."""
    until = timezone.now() - timedelta(seconds=1)
    Claim.objects.filter(pk=claim.pk).update(until=until)
    claim.refresh_from_db()


def test_a_claim_whose_time_is_up_opens_nothing_and_offers_to_go_on(at_console, claimed):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    item = item_of(claim)
    run_out(claim)
    assert client.get(f"/assess/{claim.pk}/items/{item.pk}/blurred").status_code == 404
    assert not Exposure.objects.exists()
    page = client.get(f"/assess/{claim.pk}").content.decode()
    assert "Your turn here ran out" in page
    assert 'id="assess"' not in page
    assert "Go on here" in page
    assert client.post(f"/addresses/{claim.address_id}/claim").url == f"/assess/{claim.pk + 1}"


@pytest.mark.parametrize("do", ["show", "keep", "child"])
def test_a_form_of_a_claim_that_ran_out_is_kept_without_its_picture(
    at_console, claimed, answers, do
):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    run_out(claim)
    answer = record(client, claim, answers, do=do)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Your turn here ran out" in page
    assert '<input type="checkbox" name="acts" value="other-sexual" checked>' in page
    assert '<img src="/assess' not in page
    assert 'value="show"' not in page
    again = record(client, claim, answers, do="again")
    assert again.status_code == 200
    page = again.content.decode()
    assert f'action="/assess/{claim.pk + 1}"' in page
    assert '<input type="checkbox" name="acts" value="other-sexual" checked>' in page


def test_recording_takes_an_address_again_that_ran_out(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client, pictures=2)
    client.get(f"/assess/{claim.pk}/items/{item_of(claim).pk}/blurred")
    run_out(claim)
    answer = record(client, claim, {**answers, "acts": ["penetrative"]})
    assert answer.url == f"/assess/{claim.pk + 1}"
    claim.refresh_from_db()
    assert claim.ending == Claim.Ending.EXPIRED
    assert Assessment.objects.get().claim_id == claim.pk + 1
    assert Exposure.objects.get().weight == 3
    assert AuditEntry.objects.filter(action="assessment.claim").count() == 2


def test_recording_after_a_colleague_took_the_address_is_refused_and_kept(
    at_console, claimed, answers
):
    client, colleague = at_console(Role.ANALYST), at_console(Role.ANALYST)
    claim = claimed(client)
    item = item_of(claim)
    run_out(claim)
    taken = services.claim(claim.address, colleague.person, now=timezone.now())
    form = {**answers, "item": item.pk}
    for wish in ("record", "again"):
        answer = client.post(f"/assess/{claim.pk}", {**form, "do": wish})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Somebody is at this address now" in page
        assert '<input type="radio" name="child-0-sex" value="girl" checked>' in page
    assert not Assessment.objects.exists()
    assert "Go on here" not in client.get(f"/assess/{claim.pk}").content.decode()
    record(colleague, taken, answers)
    answer = client.post(f"/assess/{claim.pk}", form)
    assert answer.status_code == 422
    assert "nothing more is needed" in answer.content.decode()
    assert Assessment.objects.get().analyst == colleague.person
    assert not Claim.objects.filter(ended_at=None).exists()


def test_going_on_with_an_item_recorded_already_leads_to_the_next(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client, pictures=2)
    first = item_of(claim)
    record(client, claim, answers)
    run_out(claim)
    answer = client.post(f"/assess/{claim.pk}", {**answers, "item": first.pk, "do": "again"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "was recorded already" in page
    assert f'name="item" value="{item_of(claim).pk}"' in page


def test_a_used_up_budget_ends_going_on_too(at_console, claimed, answers, settings):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    client.get(f"/assess/{claim.pk}/items/{item_of(claim).pk}/blurred")
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, shift_budget=1)
    run_out(claim)
    assert "Go on here" not in client.get(f"/assess/{claim.pk}").content.decode()
    for wish in ("record", "again"):
        answer = record(client, claim, answers, do=wish)
        assert answer.status_code == 422
        assert "enough for today" in answer.content.decode()
    assert not Assessment.objects.exists()


@pytest.mark.parametrize("do", ["show", "keep", "record", "child", "again"])
def test_any_form_of_an_ended_claim_leads_to_its_summary(at_console, claimed, answers, do):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    item = item_of(claim)
    client.post(f"/assess/{claim.pk}", {"do": "stop"})
    answer = client.post(f"/assess/{claim.pk}", {**answers, "item": item.pk, "do": do})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Stopped for now" in page
    assert 'id="assess"' not in page
    assert not Assessment.objects.exists()


@pytest.mark.parametrize("do", ["show", "record"])
def test_an_item_that_was_recorded_already_leads_to_the_next(at_console, claimed, answers, do):
    client = at_console(Role.ANALYST)
    claim = claimed(client, pictures=2)
    first = item_of(claim)
    record(client, claim, answers)
    answer = client.post(f"/assess/{claim.pk}", {**answers, "item": first.pk, "do": do})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "was recorded already" in page
    assert f'name="item" value="{item_of(claim).pk}"' in page
    assert "The picture is hidden." in page
    assert Assessment.objects.count() == 1


def test_one_more_child_is_a_button(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    page = record(client, claim, answers, do="child").content.decode()
    assert 'name="child-1-age"' in page
    assert 'name="child-2-age"' not in page
    two = {"child-1-age": "3-6", "child-1-sex": "boy", "child-1-maturity": "pre-pubescent"}
    record(client, claim, answers, alone="no", **two)
    assert Assessment.objects.get().children.count() == 2


def test_enter_in_a_field_records_nothing(at_console, claimed, answers):
    """A form's first button answers to Enter: it only shows the page again."""
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    page = client.get(f"/assess/{claim.pk}").content.decode()
    form = page[page.index('id="assess"') :]
    first = form[form.index("<button") :]
    assert first.startswith('<button name="do" value="keep"')
    assert record(client, claim, answers, do="keep").status_code == 200
    assert not Assessment.objects.exists()


def test_a_skipped_address_is_not_offered_again_today(at_console, claimed):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    answer = client.post(f"/assess/{claim.pk}", {"do": "skip"})
    assert "That is fine" in client.get(answer.url).content.decode()
    page = client.post("/claim").content.decode()
    assert "Nothing is waiting" in page


def test_a_stopped_address_is_offered_again(at_console, claimed):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    client.post(f"/assess/{claim.pk}", {"do": "stop"})
    assert client.post("/claim").url == f"/assess/{claim.pk + 1}"


def test_the_second_analyst_sees_nothing_of_the_first_anywhere(at_console, claimed, answers):
    first, second = at_console(Role.ANALYST), at_console(Role.ANALYST)
    claim = claimed(first)
    record(first, claim, {**answers, "acts": ["sadism"]})
    address = claim.address
    seen = []
    seen.append(second.get("/").content.decode())
    seen.append(second.get(f"/?q={address.host}").content.decode())
    seen.append(second.get(f"/addresses/{address.pk}").content.decode())
    began = second.post("/claim")
    page = second.get(began.url).content.decode()
    assert "Second assessment" in page
    assert " checked>Sadism" not in page
    for text in seen:
        assert "Category" not in text
        assert "Sadism" not in text
    assert "not yet" in seen[2]


def test_the_verdict_appears_once_it_is_made(at_console, claimed, answers):
    first, second = at_console(Role.ANALYST), at_console(Role.ANALYST)
    claim = claimed(first)
    record(first, claim, answers)
    began = second.post("/claim")
    record(second, Claim.objects.get(analyst=second.person), answers)
    assert began.status_code == 302
    assert Verdict.objects.get().category == "B"
    claim.address.refresh_from_db()
    assert claim.address.state == State.SECOND_ASSESSED
    page = second.get(f"/addresses/{claim.address_id}").content.decode()
    assert "Category B" in page
    assert "Two analysts agree" in page
    assert "Youngest 7 to 10" in page


def test_an_item_of_another_address_cannot_be_posted(at_console, claimed, drawn, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    other = MediaItem.objects.get(appearances__address=drawn())
    answer = client.post(f"/assess/{claim.pk}", {**answers, "item": other.pk})
    assert answer.status_code == 404


def test_what_was_severe_weighs_more_in_ones_own_budget(at_console, claimed, answers):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    client.get(f"/assess/{claim.pk}/items/{item_of(claim).pk}/blurred")
    assert Exposure.objects.get().weight == 1
    record(client, claim, {**answers, "acts": ["penetrative"]})
    assert Exposure.objects.get().weight == 3


def test_a_used_up_budget_ends_claiming_kindly(at_console, claimed, answers, drawn, settings):
    client = at_console(Role.ANALYST)
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, shift_budget=1)
    claim = claimed(client)
    client.get(f"/assess/{claim.pk}/items/{item_of(claim).pk}/blurred")
    page = client.get(record(client, claim, answers).url).content.decode()
    assert "enough for today" in page
    assert "Claim the next one" not in page
    row = drawn()
    for url in ("/claim", f"/addresses/{row.pk}/claim"):
        answer = client.post(url)
        assert answer.status_code == 409
        assert "enough for today" in answer.content.decode()


def test_what_is_running_may_be_finished_beyond_budget(at_console, claimed, answers, settings):
    client = at_console(Role.ANALYST)
    claim = claimed(client)
    client.get(f"/assess/{claim.pk}/items/{item_of(claim).pk}/blurred")
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, shift_budget=1)
    assert client.post("/claim").url == f"/assess/{claim.pk}"
    record(client, claim, answers)
    assert Assessment.objects.count() == 1
