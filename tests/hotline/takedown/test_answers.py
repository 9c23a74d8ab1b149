from datetime import timedelta

import pytest

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import NoticeRefused
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.takedown import answers
from strandline.hotline.takedown.models import HostAnswer
from strandline.hotline.takedown.notices import TOKEN_LIVES
from takedown_sights import present

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def token_of(mail):
    return mail.body.partition("/answer/")[2].split()[0]


def test_a_token_opens_its_notice_until_it_expires(hosted, now):
    address = hosted()
    token = token_of(OutboxMail.objects.get())
    assert answers.notice_by_token(token, now=now) == address.notices.get()
    assert answers.notice_by_token(token, now=now + TOKEN_LIVES) is None


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 500, "é" * 43, "\0" * 43])
def test_any_other_token_opens_nothing(hosted, now, token):
    hosted()
    assert answers.notice_by_token(token, now=now) is None


def test_removed_makes_a_look_due_at_once(watched, now):
    address = watched()
    answers.answer_notice(address.notices.get(), "removed", " Done. ", now=now)
    address.look.refresh_from_db()
    assert address.look.due_at == now
    assert HostAnswer.objects.get().comment == "Done."
    assert AuditEntry.objects.filter(action="takedown.answer_notice").count() == 1


def test_not_ours_makes_a_new_trace_due(watched, now):
    address = watched()
    answers.answer_notice(address.notices.get(), "not-ours", "", now=now)
    address.trace.refresh_from_db()
    assert address.trace.due_at == now


def test_need_time_puts_the_reminder_off_but_not_the_escalation(watched, see, now):
    address = watched()
    answers.answer_notice(address.notices.get(), "need-time", "", now=now + 2 * DAY)
    for day, levels in ((3, 1), (4, 1), (5, 2), (7, 3)):
        see(address, present, now + day * DAY)
        assert address.notices.count() == levels


def test_a_second_answer_gives_the_first_one_back(watched, now):
    notice = watched().notices.get()
    first = answers.answer_notice(notice, "need-time", "soon", now=now)
    second = answers.answer_notice(notice, "removed", "now", now=now + DAY)
    assert second == first
    assert (second.answer, second.comment) == ("need-time", "soon")
    assert AuditEntry.objects.filter(action="takedown.answer_notice").count() == 1


@pytest.mark.parametrize(
    ("answer", "comment", "field"),
    [("", "", "answer"), ("never", "", "answer"), ("removed", "x" * 2001, "comment")],
)
def test_what_is_no_answer_is_refused_at_its_field(watched, now, answer, comment, field):
    notice = watched().notices.get()
    with pytest.raises(NoticeRefused) as refused:
        answers.answer_notice(notice, answer, comment, now=now)
    assert refused.value.field == field
    assert not HostAnswer.objects.exists()
