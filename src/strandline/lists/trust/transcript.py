"""A root of trust in words: what those at the table read before they sign, and what is kept of it.

Every text is the same on every machine, so that holders can read it to each other line by line.
"""

from collections.abc import Iterator
from datetime import datetime

from tuf.api.metadata import Root

from strandline.lists.trust.ceremony import Gathered
from strandline.lists.trust.keys import PublicKey, grouped
from strandline.lists.trust.metadata import ONLINE
from strandline.lists.trust.pinning import fingerprint
from strandline.lists.trust.policy import Hotline, Policy
from strandline.lists.trust.roots import Plan, read, statement


def describe(data: bytes, *, previous: bytes | None = None, digest: bool = True) -> str:
    """A draft or a root, whole; with the root before, also what changed since.

    Without ``digest``, for whoever has to type the one that others read to them.
    """
    root = read(data).signed
    plan = Plan.of(root)
    heading = "Digest of what is signed, to be read aloud:"
    aloud = [heading, *_indented(grouped(statement(data))), ""]
    lines = [
        f"Root {root.version} of the list {plan.policy.origin}",
        f"Good until {plan.expires:%Y-%m-%d}",
        "",
        *(aloud if digest else []),
        f"Holders: {plan.threshold} of these {len(plan.holders)} must sign together",
        *_keys(plan.holders),
        "",
        "Keys at work every day",
        *(line for role in ONLINE for line in _key(plan.online[role], f"{role}: ")),
        "",
        "Policy",
        *_indented("\n".join(policy_lines(plan.policy))),
    ]
    if previous is not None:
        before = read(previous).signed
        found = changes(before, root)
        lines += ["", f"Changed since root {before.version}"]
        lines += _indented("\n".join(found or ["nothing but the date"]))
    return "\n".join(lines) + "\n"


def changes(before: Root, after: Root) -> list[str]:
    """What ``after`` changes, one sentence each."""
    old, new = Plan.of(before), Plan.of(after)
    said = []
    old_keys = {key.keyid: key.holder for key in old.holders}
    new_keys = {key.keyid: key.holder for key in new.holders}
    said += [f"holder {name} no longer counts" for k, name in old_keys.items() if k not in new_keys]
    said += [f"holder {name} is new" for k, name in new_keys.items() if k not in old_keys]
    if old.threshold != new.threshold:
        said.append(f"{new.threshold} holders must sign; it was {old.threshold}")
    for role in ONLINE:
        if old.online[role].keyid != new.online[role].keyid:
            said.append(
                f"the key of {role} is now {new.online[role].holder}'s; what "
                f"{old.online[role].holder}'s signs is refused"
            )
    was, now = policy_lines(old.policy), policy_lines(new.policy)
    said += [f"policy: no longer '{line}'" for line in was if line not in now]
    said += [f"policy: now '{line}'" for line in now if line not in was]
    return said


def policy_lines(policy: Policy) -> list[str]:
    """The policy, one rule a line."""
    events, percent = policy.growth.most_events, policy.growth.most_percent
    return [
        f"published by {_hotline(policy.publisher)}",
        *(f"certified by {_hotline(hotline)}" for hotline in policy.hotlines),
        f"jurisdictions that must vouch for a class: {policy.certification}",
        f"logged by {policy.log}",
        *(f"witnessed by {vkey}" for vkey in policy.witnesses),
        f"witnesses that must have cosigned: {policy.witness_quorum}",
        f"an edition may bring {events} events, or {percent} percent of what was held if more",
        f"an edition may take away {policy.shrink_percent} percent of what was held",
        f"what is older than {policy.fresh_hours} hours is not fresh",
    ]


def transcript(gathered: Gathered, *, previous: bytes | None, now: datetime) -> str:
    """What is left of a ceremony: the root in words, who signed, and its fingerprint."""
    return (
        f"Ceremony of {now:%Y-%m-%d %H:%M} UTC\n\n"
        + describe(gathered.data, previous=previous)
        + "\nSigned by\n"
        + "".join(f"  {name}\n" for name in gathered.signed)
        + "Not signed by\n"
        + "".join(f"  {name}\n" for name in gathered.unsigned or ("nobody else",))
        + f"\nFingerprint of {gathered.version}.root.json, which members pin:\n"
        + "\n".join(_indented(grouped(fingerprint(gathered.data))))
        + "\n"
    )


def _keys(keys: tuple[PublicKey, ...]) -> Iterator[str]:
    for key in keys:
        yield from _key(key)


def _key(key: PublicKey, prefix: str = "") -> Iterator[str]:
    yield f"  {prefix}{key.holder} ({key.key.scheme})"
    yield from (f"  {line}" for line in _indented(grouped(key.keyid)))


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.split("\n")]


def _hotline(hotline: Hotline) -> str:
    return f"{hotline.name} ({hotline.jurisdiction}), {hotline.vkey}"
