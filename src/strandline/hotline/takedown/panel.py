"""What an address's record page shows of its host and its notices."""

from strandline.hotline.reports.models import ReportedUrl
from strandline.hotline.reports.panels import Panel
from strandline.hotline.takedown.models import HostAnswer, Notice


def hosting(address: ReportedUrl) -> Panel:
    """Who answered for the address, the latest first."""
    return Panel(
        "Hosting",
        (
            "Traced",
            "Server",
            "Network",
            "Country",
            "Host",
            "Registrar",
            "Abuse contact",
            "Above it",
        ),
        [
            (
                row.at,
                row.ip or "",
                f"{row.network_name} AS{row.asn}" if row.asn else row.network_name,
                row.country,
                row.host_name,
                row.registrar,
                row.abuse_contact or "none found",
                row.upstream_contact or "none found",
            )
            for row in address.hostings.order_by("-pk")[:10]
        ],
    )


def notices(address: ReportedUrl) -> Panel:
    """What was asked of whom, how its mail went, and what was answered."""
    rows = address.notices.select_related("mail", "answer").order_by("pk")
    return Panel(
        "Notices",
        ("Notice", "Round", "To", "Mail", "Sent", "Answer", "Comment"),
        [
            (
                notice.get_level_display(),
                notice.round,
                notice.recipient,
                notice.mail.get_state_display(),
                notice.sent_at or "",
                *_answer(notice),
            )
            for notice in rows
        ],
    )


def _answer(notice: Notice) -> tuple[str, str]:
    answer: HostAnswer | None = getattr(notice, "answer", None)
    return (answer.get_answer_display(), answer.comment) if answer else ("", "")
