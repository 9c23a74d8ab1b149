"""Having the log's newest checkpoint cosigned: one row of due work for each witness.

A witness that cannot be reached is asked again, ever less often, and shows on the page of due work;
the others go on without it as long as they are a quorum.
"""

from collections.abc import Mapping
from datetime import datetime

from strandline.errors import WitnessRefused
from strandline.fetching import NamedSite
from strandline.hotline.hashlist.models import Cosigning
from strandline.hotline.hashlist.scheduling import release_now
from strandline.hotline.hashlist.trust import open_log
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.trust.policy import Policy
from strandline.transparency import CosignatureVerifier
from strandline.transparency.witnessing import ask

#: Seconds for one answer of a witness.
PATIENCE = 20.0


def cosignatures(policy: Policy, *, size: int, since: datetime) -> Mapping[str, str]:
    """Signature lines of the policy's witnesses on the log of ``size`` leaves, by their keys."""
    rows = Cosigning.objects.filter(vkey__in=policy.witnesses, size=size, cosigned_at__gte=since)
    return {row.vkey: row.line for row in rows.exclude(line="").order_by("witness")}


def ask_again(policy: Policy, *, size: int, since: datetime, now: datetime) -> None:
    """Make due whichever witness has not cosigned the log of ``size`` leaves since ``since``.

    One that is being asked already goes on; one that was given up before ``since`` is tried anew.
    Call it in the transaction that ends the work that wants them.
    """
    if not size:
        return
    for vkey in policy.witnesses:
        name = CosignatureVerifier.from_vkey(vkey).name
        row, _ = Cosigning.objects.get_or_create(witness=name, defaults={"vkey": vkey})
        if row.vkey != vkey:  # its key was replaced in the policy
            Cosigning.objects.filter(pk=row.pk).update(vkey=vkey, line="", size=0)
            row.refresh_from_db()
        held = row.size == size and row.line and row.cosigned_at and row.cosigned_at >= since
        resting = row.given_up_at is not None and row.given_up_at >= since
        if not held and not resting and row.due_at is None:
            Cosigning.objects.filter(pk=row.pk).update(due_at=now, given_up_at=None, failures=0)
    Cosigning.objects.exclude(vkey__in=policy.witnesses).update(due_at=None, given_up_at=None)


def cosign(row: Cosigning, tools: Tools, now: datetime) -> None:
    """Handle the due row: ask one witness, and let the release go on with its answer."""
    address = tools.config.witnesses.get(row.witness)
    if address is None:
        raise WitnessRefused(
            f"Where is the witness {row.witness}? Name its address in STRANDLINE_WITNESSES."
        )
    log = open_log(tools.config)
    checkpoint, size, reader = log.checkpoint(), log.size, log.reader()
    site = NamedSite.open(address, seconds=PATIENCE)

    def post(url: str, body: bytes) -> tuple[int, bytes]:
        return site.post(url.removeprefix(f"{site.url}/"), body)

    line = ask(
        post,
        site.url,
        checkpoint,
        lambda old: reader.consistency(old, size),
        CosignatureVerifier.from_vkey(row.vkey),
        last=row.size,
    )
    with due.finish(row):
        Cosigning.objects.filter(pk=row.pk).update(size=size, line=line, cosigned_at=now)
        release_now(now)
