"""``strandline list``: what a member does with a published hash list."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from strandline.cli.ceremony import root as root_of_trust
from strandline.cli.certify import certify
from strandline.cli.files import files_under, printable
from strandline.cli.moments import moment
from strandline.cli.progress import Count, counting, downloading
from strandline.errors import ListRefused

if TYPE_CHECKING:
    from strandline.lists.member.explaining import Explanation
    from strandline.lists.member.innocence import SetAside
    from strandline.lists.member.recognition import FileMatches
    from strandline.lists.published.manifests import Manifest
    from strandline.lists.state import Hit

API_KEY = "STRANDLINE_API_KEY"
#: A folder that may not be read is refused with a sentence, not as a question of usage.
_FOLDER = click.Path(path_type=Path, file_okay=False, readable=False)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_ANY = click.Path(path_type=Path)
_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3}

_BUNDLE = click.option(
    "--from", "bundle", metavar="BUNDLE", type=_FILE, help="Read a bundle instead of the web."
)
_KEY_FILE = click.option(
    "--api-key-file",
    metavar="FILE",
    type=_FILE,
    help=f"File that holds your API key. Without it, the environment's {API_KEY} is used.",
)
_AT = click.option(
    "--at",
    metavar="TIME",
    help="Judge what is current as of this time (2026-03-02T09:00Z) instead of now.",
)
_RADIUS = click.option(
    "--radius",
    type=click.IntRange(0, 64),
    default=31,
    show_default=True,
    help="Bits of 256 in which a picture may differ from an entry.",
)


@click.group("list")
def lists() -> None:
    """Fetch, check and use a published hash list."""


lists.add_command(root_of_trust)
lists.add_command(certify)


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option("--url", default="", help="Where the list is published.")
@click.option(
    "--root", metavar="FILE", type=_FILE, help="Its root of trust, had in a way you trust."
)
@click.option("--fingerprint", metavar="HEX", help="The fingerprint that root must have.")
@_KEY_FILE
@_BUNDLE
@click.option(
    "--certifying",
    metavar="NAME",
    default="",
    help="You are this hotline, and are to certify: DIR answers from nothing uncertified.",
)
def init(
    *,
    directory: Path,
    url: str,
    root: Path | None,
    fingerprint: str | None,
    api_key_file: Path | None,
    bundle: Path | None,
    certifying: str,
) -> None:
    """Make DIR a copy of the list published at a URL, trusting one root of keys."""
    from strandline import lists as member
    from strandline.lists.trust.keys import grouped

    kept = member.init(
        directory,
        url,
        root=root,
        fingerprint=fingerprint,
        api_key=_environment_key(api_key_file),
        api_key_file=api_key_file,
        bundle=bundle,
        certifying=certifying,
    )
    click.echo(f"{printable(directory)} trusts the list {kept.policy.origin}, by the root")
    click.echo(grouped(kept.fingerprint))
    if fingerprint is None:
        click.echo("Compare this with the publisher before you sync.", err=True)


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@_KEY_FILE
@_BUNDLE
@click.option("--limit-rate", metavar="BYTES", help="Bytes a second at most: 500K, 2M.")
@_AT
def sync(
    *,
    directory: Path,
    api_key_file: Path | None,
    bundle: Path | None,
    limit_rate: str | None,
    at: str | None,
) -> None:
    """Bring DIR to the newest edition for which every condition holds.

    Otherwise the one in DIR stays in use, a sentence says why, and the exit status is 1. So it is
    when only the note of innocent pictures is refused.
    """
    from strandline import lists as member

    key = _content(api_key_file) if api_key_file else _environment_key(None)
    with downloading() as progress:
        synced = member.sync(
            directory,
            api_key=key,
            bundle=bundle,
            limit_rate=_rate(limit_rate),
            progress=progress,
            now=moment(at),
        )
    state = "now held" if synced.changed else "already held"
    click.echo(f"{_described(synced.manifest)} {state} in {printable(directory)}.")
    if synced.awaiting:
        click.echo(f"{synced.awaiting} Nothing is answered from it until then.")
    problems = [synced.innocent] if synced.innocent else []
    if synced.waiting:
        problems.insert(0, f"A newer edition is published and was not applied. {synced.waiting}")
    if problems:
        raise ListRefused(" ".join(problems))


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@_AT
def verify(*, directory: Path, at: str | None) -> None:
    """Check every byte of the copy in DIR, that it is complete for its scope, and current.

    The exit status is 1 when any file differs, is missing or does not belong.
    """
    from strandline import lists as member
    from strandline.lists.trust.refusals import shown

    found = member.verify(directory, now=moment(at))
    click.echo(_described(found.manifest))
    whose = f", which {found.member} may have," if found.member else ""
    click.echo(
        f"Complete: {found.classes} of {found.classes_in_all} classes{whose} in {found.files} "
        f"files of {found.bytes} bytes, each as it was published."
    )
    if found.awaiting:
        click.echo(f"Signed, logged and witnessed. Current until {shown(found.until)}.")
        click.echo(f"{found.awaiting} Nothing is answered from it until then.")
    else:
        click.echo(f"Signed, logged, witnessed and certified. Current until {shown(found.until)}.")
    if found.innocent:
        click.echo(
            f"Innocent pictures: {len(found.innocent.pictures)}, note {found.innocent.number} of "
            f"{shown(found.innocent.issued)}."
        )
    if found.contested:
        names = ", ".join(f"entry-{number}" for number in found.contested[:10])
        more = f" and {len(found.contested) - 10} more" if len(found.contested) > 10 else ""
        click.echo(
            f"The note holds {names}{more} to be innocent: it hides nothing of them, and they "
            "match. Only an edition takes an entry off; ask the publisher if none does.",
            err=True,
        )


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.argument("paths", metavar="FILES...", type=_ANY, nargs=-1, required=True)
@_RADIUS
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file, on its line.")
@click.pass_context
def match(
    context: click.Context, directory: Path, paths: tuple[Path, ...], radius: int, *, as_json: bool
) -> None:
    """Say which FILES, pictures or films, are on the list in DIR; every file below a folder too.

    The exit status is 0 whether or not there are matches, and 1 when a file could not be read: the
    others were still compared.
    """
    from strandline import lists as member

    seen = matched = unread = 0
    with counting("compared") as count:
        found_files = member.match(directory, files_under(paths), radius=radius)
        for found in count.over(found_files):
            seen += 1
            matched += bool(found.hits)
            unread += found.problem is not None
            if as_json:
                count.echo(json.dumps(_as_json(found)))
            elif found.problem:
                count.echo(f"{printable(found.path)}: {found.problem}", err=True)
            else:
                _echo_hits(count, found)
    click.echo(f"{seen} compared, {matched} on the list, {unread} could not be read.", err=True)
    context.exit(1 if unread else 0)


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.argument("what", metavar="ENTRY|HASH|FILE")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each entry.")
def explain(*, directory: Path, what: str, as_json: bool) -> None:
    """Say why something matches: the entry, its class and edition, who certified it, its proof."""
    from strandline import lists as member

    found = member.explain(directory, what)
    for each in found:
        if as_json:
            click.echo(json.dumps(_explanation_json(each)))
        else:
            _echo_explanation(each)
    if not found:
        click.echo(f"{printable(what)} matches nothing on the list in {printable(directory)}.")


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option(
    "--format", "form", metavar="FORMAT", default="csv", show_default=True, help="See below."
)
@click.option("--quarantined", is_flag=True, help="Entries under quarantine as well.")
def export(*, directory: Path, form: str, quarantined: bool) -> None:
    """Print the entries in DIR, streamed.

    FORMAT is csv, json (one object a line), or sha256, md5 or pdq for bare hashes; or one of
    others: vics-2.0, vics-1.3, ncmec. What those cannot carry is said on standard error.
    """
    from strandline import lists as member

    if form in member.FOREIGN:
        target = sys.stdout.buffer
        losses = member.export_foreign(directory, form, target, quarantined=quarantined)
        target.flush()
        for sentence in losses:
            click.echo(sentence, err=True)
        return
    for piece in member.export(directory, form, quarantined=quarantined):
        click.echo(piece, nl=False)


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.argument("target", metavar="BUNDLE", type=click.Path(path_type=Path, dir_okay=False))
def bundle(*, directory: Path, target: Path) -> None:
    """Write the copy in DIR into one file, for networks that are connected to nothing."""
    from strandline import lists as member

    size = member.bundle(directory, target)
    click.echo(f"{printable(target)}: {size} bytes. There: strandline list sync DIR --from FILE")


def _echo_hits(count: Count, found: "FileMatches") -> None:
    for hit in found.hits:
        count.echo(
            f"{printable(found.path)}: {hit.name} ({hit.entry_class.category}), {_near(hit)}"
        )
    for each in found.aside:
        count.echo(f"{printable(found.path)}: no match: like {each.hit.name}, {_aside(each)}")


def _aside(each: "SetAside") -> str:
    return (
        f"{_near(each.hit)}, but {each.distance} bits from a known innocent picture ({each.what})"
    )


def _near(hit: "Hit") -> str:
    if hit.weaker:
        return f"the same {hit.column}, which others can forge"
    if hit.exact:
        return "the same bytes"
    share = f", {hit.share:.0%} of this film" if hit.share else ""
    return f"{hit.distance} bits away{_spans(hit)}{share}"


def _spans(hit: "Hit") -> str:
    spans = ", ".join(f"{start:.0f}-{end:.0f} s" for start, end in hit.ranges[:5])
    return f", in the listed film at {spans}" if spans else ""


def _as_json(found: "FileMatches") -> dict[str, object]:
    return {
        "file": str(found.path),
        "sha256": found.sha256,
        "quality": found.quality,
        "too_plain": found.too_plain,
        "problem": found.problem,
        "matches": [_hit_json(hit) for hit in found.hits],
        "set_aside": [_aside_json(each) for each in found.aside],
    }


def _aside_json(each: "SetAside") -> dict[str, Any]:
    return _hit_json(each.hit) | {"innocent": {"what": each.what, "distance": each.distance}}


def _hit_json(hit: "Hit") -> dict[str, Any]:
    entry_class = hit.entry_class
    return {
        "entry": hit.name,
        "kind": hit.kind.value,
        "category": entry_class.category,
        "provenance": entry_class.provenance,
        "jurisdiction": entry_class.jurisdiction,
        "survivor": entry_class.survivor,
        "labels": list(entry_class.labels),
        "column": hit.column.value,
        "weaker": hit.weaker,
        "distance": hit.distance,
        "radius": hit.radius,
        "edition": hit.edition,
        "ranges": [list(each) for each in hit.ranges],
        "query_ranges": [list(each) for each in hit.query_ranges],
        "share": round(hit.share, 4),
    }


def _echo_explanation(found: "Explanation") -> None:
    held = found.held
    click.echo(f"entry-{found.number}")
    if found.aside:
        click.echo(f"  no match     {_aside(found.aside)}")
    elif found.hit:
        click.echo(f"  found by     {found.hit.column}: {_near(found.hit)}")
    if held is None:
        click.echo("  not listed   it is not on the list in this copy")
    else:
        state = "under quarantine: it does not match" if held.quarantined else "listed"
        click.echo(f"  state        {state}")
        click.echo(f"  class        {held.entry_class.name}")
        click.echo(f"  hashed by    {held.pipeline}")
        click.echo(f"  came with    edition {held.edition}, event {held.sequence}")
    for told in found.history:
        reason = f" ({told.reason})" if told.reason else ""
        click.echo(f"  edition {told.edition:<5}event {told.sequence}: {told.action}{reason}")
        click.echo(f"               in {told.page}, sha256 {told.sha256}")
    near, of = found.innocent
    if near:
        hides = "the note hides nothing of this entry" if 2 * near > of else "the others match"
        click.echo(f"  innocent     {near} of its {of} hashes look like innocent pictures: {hides}")
    if found.awaiting:
        click.echo(f"  no answer    {found.awaiting}")
    for hotline in found.vouchers:
        click.echo(f"  vouched for  by {hotline.name} ({hotline.jurisdiction})")
    if found.index:
        click.echo(f"  named in     {found.index}, class root {found.root}")
    click.echo(f"  signed in    {found.manifest}, leaf {found.leaf} of the transparency log")


def _explanation_json(found: "Explanation") -> dict[str, Any]:
    held = found.held
    return {
        "entry": f"entry-{found.number}",
        "listed": held is not None,
        "quarantined": held.quarantined if held else None,
        "class": held.entry_class.name if held else None,
        "pipeline": held.pipeline if held else None,
        "came_with": {"edition": held.edition, "sequence": held.sequence} if held else None,
        "match": _hit_json(found.hit) if found.hit and not found.aside else None,
        "set_aside": _aside_json(found.aside) if found.aside else None,
        "innocent_hashes": {"near": found.innocent[0], "of": found.innocent[1]},
        "history": [vars(told) for told in found.history],
        "edition": found.edition,
        "vouched": [{"hotline": h.name, "jurisdiction": h.jurisdiction} for h in found.vouchers],
        "certified": not found.awaiting,
        "awaiting": found.awaiting or None,
        "index": found.index,
        "class_root": found.root,
        "manifest": found.manifest,
        "log_index": found.leaf,
        "proof": found.proof,
    }


def _rate(text: str | None) -> int | None:
    if text is None:
        return None
    number, unit = text.rstrip("KMGkmg"), text.lstrip("0123456789").upper()
    if not number.isdigit() or unit not in _UNITS or not int(number):
        raise click.BadParameter("say bytes a second, like 500K or 2M", param_hint="--limit-rate")
    return int(number) * _UNITS[unit]


def _environment_key(file: Path | None) -> str | None:
    return _content(file) if file else os.environ.get(API_KEY) or None


def _content(path: Path) -> str:
    """A key in a file; what is no text becomes a key that is refused with a sentence."""
    return path.read_text("utf-8", errors="replace").strip()


def _described(manifest: "Manifest") -> str:
    from strandline.lists.trust.refusals import shown

    count = manifest.entries
    entries = f"{count} {'entry' if count == 1 else 'entries'}"
    held = f", {manifest.quarantined} under quarantine" if manifest.quarantined else ""
    return (
        f"Edition {manifest.edition} of {manifest.origin}, {shown(manifest.published)}, "
        f"{entries}{held}."
    )
