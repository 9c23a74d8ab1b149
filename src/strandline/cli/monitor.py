"""``strandline monitor``: follows a log for somebody who need not trust it."""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from strandline.cli.files import printable
from strandline.cli.keys import key_text
from strandline.cli.log_trust import settle, trust_options

if TYPE_CHECKING:
    from strandline.lists.watching import Account
    from strandline.transparency.monitor import Finding, Watched


@click.command()
@click.argument("url")
@trust_options
@click.option("--publisher", metavar="VKEY", help="The key that must have signed each manifest.")
@click.option(
    "--hotline",
    "hotlines",
    metavar="VKEY",
    multiple=True,
    help="The key of a hotline that certifies; as often as there are hotlines.",
)
@click.option(
    "--compare",
    "others",
    metavar="URL",
    multiple=True,
    help="Also compare with what a witness or a mirror at URL shows; may be repeated.",
)
@click.option("--fresh", metavar="HOURS", type=float, help="Older is stale.")
@click.option("--most-events", metavar="N", type=int, help="Events of one edition.")
@click.option("--most-percent", metavar="N", type=int, help="Growth of one edition.")
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to remember what was seen.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def monitor(
    context: click.Context,
    url: str,
    *,
    root: Path | None,
    key: str | None,
    witnesses: tuple[str, ...],
    quorum: int | None,
    publisher: str | None,
    hotlines: tuple[str, ...],
    others: tuple[str, ...],
    fresh: float | None,
    most_events: int | None,
    most_percent: int | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Follow the log at URL: forks, rewrites, staleness, growth, and who certified what.

    Reads each leaf once and remembers what the log signed. Exit status 1 when there is anything to
    object to.
    """
    from strandline.fetching import NamedSite
    from strandline.lists.watching import Account, Expected
    from strandline.transparency import Verifier
    from strandline.transparency import monitor as watching
    from strandline.transparency.disk import sole_writer

    trust = settle(root, key, witnesses, quorum)
    policy = trust.policy
    if fresh is None:
        fresh = policy.fresh_hours if policy else 48
    watch = watching.Watch(trust.log, trust.witnesses, trust.quorum, timedelta(hours=fresh))
    expected = Expected() if policy is None else Expected.of(policy)
    changes: dict[str, Any] = {"most_events": most_events, "most_percent": most_percent}
    if publisher:
        changes["publisher"] = Verifier.from_vkey(key_text(publisher))
    if hotlines:
        changes["hotlines"] = [Verifier.from_vkey(key_text(each)) for each in hotlines]
    given = {name: value for name, value in changes.items() if value is not None}
    expected = replace(expected, **given)
    state = state or _default_state(trust.log.name)
    now = datetime.now(UTC)
    context.with_resource(sole_writer(state / ".lock"))
    held = watching.load(state)
    account = Account.from_json(held.account, expected)
    elsewhere, unreached = _elsewhere(others, trust.log.name)
    watched = watching.follow(
        NamedSite.open(url).read,
        held,
        watch,
        account.take,
        now,
        elsewhere=elsewhere,
        evidence=state / watching.EVIDENCE,
    )
    watching.save(state, watched, account.to_json(), now)
    watched = replace(watched, findings=(*watched.findings, *unreached))
    if not expected.publisher:
        click.echo("No --root or --publisher was given: signatures were not checked.", err=True)
    if not trust.witnesses:
        click.echo("No witness was named, so nothing tells how old this state is.", err=True)
    _tell(watched, account, held.seen, as_json=as_json)
    context.exit(1 if watched.findings else 0)


def _elsewhere(urls: Iterable[str], origin: str) -> tuple[dict[str, bytes], "list[Finding]"]:
    """What witnesses (by the log's hash) and mirrors (at their root) show of the log."""
    from strandline.errors import SiteFailed
    from strandline.fetching import NamedSite
    from strandline.transparency.monitor import Finding

    shown: dict[str, bytes] = {}
    failed: list[Finding] = []
    for url in urls:
        try:
            site = NamedSite.open(url)
            try:
                note = site.read(f"{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint")
            except FileNotFoundError:
                note = site.read("checkpoint")
            shown[url] = note
        except FileNotFoundError:
            failed.append(Finding("not-compared", f"{url} shows nothing of this log."))
        except SiteFailed as error:
            failed.append(Finding("not-compared", error.message))
    return shown, failed


def _default_state(origin: str) -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "strandline" / "monitor" / re.sub(r"[^A-Za-z0-9.-]", "_", origin)


def _tell(watched: "Watched", account: "Account", seen: datetime | None, *, as_json: bool) -> None:
    checkpoint, manifest = watched.checkpoint, account.manifest
    certified = account.certified.get(manifest.edition, {}) if manifest else {}
    if as_json:
        shown = {
            "ok": not watched.findings,
            "findings": [vars(finding) for finding in watched.findings],
            "log": checkpoint
            and {
                "origin": checkpoint.origin,
                "size": checkpoint.size,
                "root": checkpoint.root.hex(),
                "new_leaves": watched.added,
                "cosigned": {name: when.isoformat() for name, when in watched.cosigned.items()},
            },
            "list": manifest
            and {
                "origin": manifest.origin,
                "edition": manifest.edition,
                "published": manifest.published.isoformat(),
                "entries": manifest.entries,
                "quarantined": manifest.quarantined,
                "added": manifest.added,
                "withdrawn": manifest.withdrawn,
                "classes": len(manifest.classes),
                "certified": certified,
                "certificates_checked": bool(account.expected.hotlines),
            },
        }
        click.echo(json.dumps(shown))
        return
    if checkpoint:
        since = f", {watched.added} new since {seen:%Y-%m-%d %H:%M} UTC" if seen else ""
        click.echo(f"{printable(checkpoint.origin)}: {checkpoint.size} leaves{since}.")
        for name, when in watched.cosigned.items():
            click.echo(f"Cosigned by {printable(name)} on {when:%Y-%m-%d %H:%M} UTC.")
    if manifest:
        click.echo(
            f"Edition {manifest.edition} of {printable(manifest.origin)}, "
            f"{manifest.published:%Y-%m-%d %H:%M} UTC: {manifest.entries} entries, "
            f"{manifest.added} added, {manifest.withdrawn} withdrawn."
        )
        for name, classes in certified.items():
            # Without the hotlines' keys it is only what somebody put into the log.
            word = "Certified by" if account.expected.hotlines else "Said, unchecked, to certify:"
            click.echo(f"{word} {printable(name)}: {classes} of {len(manifest.classes)} classes.")
        if not certified:
            click.echo("Certified by nobody but its publisher yet.")
    for finding in watched.findings:
        click.echo(f"{finding.kind}: {printable(finding.sentence)}", err=True)
    if not watched.findings:
        click.echo("Nothing to object to.")
