"""The policy of a list: who publishes and who certifies it, and what a member may be made to take.

It is a field of the signed part of the root of trust (``x-strandline-policy``), so that only the
holders of the root's keys together can change it, and every member learns a change as it learns a
new key. It is plain JSON of words and whole numbers; what is not known is refused, since a rule
that an old program skips would be no rule.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

from strandline.errors import ListRefused, NoteRefused
from strandline.transparency.cosignatures import CosignatureVerifier
from strandline.transparency.keys import Verifier

#: The field of root's signed part.
FIELD = "x-strandline-policy"
MAX_HOTLINES = 100
MAX_WITNESSES = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
_JURISDICTION = re.compile(r"[a-z]{2}")
#: What a policy in a file may leave out.
_DEFAULTS: Mapping[str, object] = {"hotlines": [], "witnesses": []}


@dataclass(frozen=True)
class Hotline:
    """An organisation whose signature counts. Raises ListRefused for what cannot be one."""

    #: A domain of theirs, as in the name of their key and in ``certificate.<name>``.
    name: str
    #: The country whose law it works under, two lower-case letters.
    jurisdiction: str
    #: The verifier key of its signed notes.
    vkey: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ListRefused(
                f"{self.name!r} cannot name a hotline: only letters, digits, dots and hyphens can."
            )
        if not isinstance(self.jurisdiction, str) or not _JURISDICTION.fullmatch(self.jurisdiction):
            raise ListRefused(
                f"{self.name}: a jurisdiction is two lower-case letters, like 'gb', "
                f"not {self.jurisdiction!r}."
            )
        _check_vkey(self.vkey, Verifier, f"the key of {self.name}")


@dataclass(frozen=True)
class Growth:
    """What one edition may add at most; a list that grows faster is held until people looked."""

    #: Events of one edition.
    most_events: int = 5_000
    #: Of the entries held before; whichever of the two allows more applies.
    most_percent: int = 10


def most_taken(live: int, shrink_percent: int) -> int:
    """Of ``live`` entries, how many one edition may take away or replace.

    Three at least: else a mistake in a small list could never be mended.
    """
    return max(3, live * shrink_percent // 100)


@dataclass(frozen=True)
class Policy:
    """The rules every member's program applies. Raises ListRefused when they do not hold together.

    Witnesses are given by their keys of kind 4 (https://c2sp.org/tlog-cosignature), hotlines and
    the log by keys of kind 1.
    """

    #: The list's name: the origin of its manifests is ``<origin>/list``. It never changes.
    origin: str
    publisher: Hotline
    #: Verifier key of the transparency log.
    log: str
    #: Others whose certificates count.
    hotlines: tuple[Hotline, ...] = ()
    witnesses: tuple[str, ...] = ()
    #: Witnesses that must have cosigned a checkpoint.
    witness_quorum: int = 0
    #: Jurisdictions whose hotlines must vouch for a class; the publisher's counts as one.
    certification: int = 2
    growth: Growth = Growth()
    #: Entries that one edition may take away, of those held before.
    shrink_percent: int = 20
    #: Age at which a checkpoint or a timestamp no longer shows that nothing newer is held back.
    fresh_hours: int = 48

    def __post_init__(self) -> None:
        if not isinstance(self.origin, str) or not _NAME.fullmatch(self.origin):
            raise ListRefused(f"{self.origin!r} cannot be the origin of a list: give a domain.")
        _check_vkey(self.log, Verifier, "the log's key")
        for vkey in self.witnesses:
            _check_vkey(vkey, CosignatureVerifier, "a witness's key")
        if len(self.hotlines) > MAX_HOTLINES or len(self.witnesses) > MAX_WITNESSES:
            raise ListRefused("A policy names at most 100 hotlines and 100 witnesses.")
        _check_distinct([h.name for h in self.signers], "hotline")
        _check_distinct([_material(h.vkey) for h in self.signers], "hotline's key")
        _check_distinct([_material(vkey) for vkey in self.witnesses], "witness's key")
        _check_number("growth.most_events", self.growth.most_events, 1, 2**53 - 1)
        _check_number("growth.most_percent", self.growth.most_percent, 0, 1000)
        _check_number("shrink_percent", self.shrink_percent, 0, 100)
        _check_number("fresh_hours", self.fresh_hours, 1, 24 * 31)
        _check_number("witness_quorum", self.witness_quorum, 0, len(self.witnesses))
        known = len({hotline.jurisdiction for hotline in self.signers})
        _check_number("certification", self.certification, 1, known)

    @property
    def signers(self) -> tuple[Hotline, ...]:
        """The publisher and the hotlines that certify."""
        return (self.publisher, *self.hotlines)

    def most_taken(self, live: int) -> int:
        """Of ``live`` entries of the list, how many one edition may take away or replace."""
        return most_taken(live, self.shrink_percent)

    def to_json(self) -> dict[str, object]:
        """The field's value."""
        return {
            "origin": self.origin,
            "publisher": vars(self.publisher).copy(),
            "hotlines": [vars(hotline).copy() for hotline in self.hotlines],
            "log": {"vkey": self.log},
            "witnesses": list(self.witnesses),
            "witness_quorum": self.witness_quorum,
            "certification": self.certification,
            "growth": vars(self.growth).copy(),
            "shrink_percent": self.shrink_percent,
            "fresh_hours": self.fresh_hours,
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read the field; raises ListRefused for anything that ``to_json`` would not write."""
        held = _fields(
            value,
            "the policy",
            "origin publisher hotlines log witnesses witness_quorum certification growth "
            "shrink_percent fresh_hours",
        )
        growth = _fields(held["growth"], "growth", "most_events most_percent")
        return cls(
            origin=_text(held["origin"]),
            publisher=_hotline(held["publisher"]),
            hotlines=tuple(_hotline(hotline) for hotline in _list(held["hotlines"])),
            log=_text(_fields(held["log"], "the log", "vkey")["vkey"]),
            witnesses=tuple(_text(vkey) for vkey in _list(held["witnesses"])),
            witness_quorum=_number(held["witness_quorum"]),
            certification=_number(held["certification"]),
            growth=Growth(_number(growth["most_events"]), _number(growth["most_percent"])),
            shrink_percent=_number(held["shrink_percent"]),
            fresh_hours=_number(held["fresh_hours"]),
        )


def read_policy(text: str) -> Policy:
    """Read a policy that a person wrote, in TOML, with the fields of the JSON.

    What has a default may be left out. Raises ListRefused, saying what to mend.
    """
    try:
        held = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ListRefused(f"The policy's file is not TOML: {error}.") from error
    growth = held.get("growth", {})
    defaults = {
        field.name: field.default for field in fields(Policy) if isinstance(field.default, int)
    }
    if isinstance(growth, dict):
        held["growth"] = vars(Growth()) | growth
    return Policy.from_json({**_DEFAULTS, **defaults, **held})


def _hotline(value: object) -> Hotline:
    held = _fields(value, "a hotline", "name jurisdiction vkey")
    return Hotline(_text(held["name"]), _text(held["jurisdiction"]), _text(held["vkey"]))


def _fields(value: object, what: str, names: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ListRefused(f"The list's policy cannot be read: {what} is missing.")
    expected = set(names.split())
    if missing := sorted(expected - value.keys()):
        raise ListRefused(f"The list's policy cannot be read: {what} lacks {', '.join(missing)}.")
    if unknown := sorted(map(str, value.keys() - expected)):
        raise ListRefused(
            f"The list's policy has a rule that this version does not know: {', '.join(unknown)}. "
            "A newer strandline may know it."
        )
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise ListRefused("The list's policy cannot be read: a list of keys is missing.")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ListRefused("The list's policy cannot be read: a text is missing.")
    return value


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ListRefused("The list's policy cannot be read: a number is missing.")
    return value


def _check_number(name: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ListRefused(
            f"The policy cannot hold: {name} is {value!r}, and must be from {least} to {most}."
        )


def _check_distinct(names: Sequence[str], what: str) -> None:
    if len(set(names)) != len(names):
        raise ListRefused(f"The policy cannot hold: it names one {what} twice.")


def _material(vkey: str) -> str:
    """The key without its name: one key under two names is still one."""
    return vkey.split("+", 2)[2]


def _check_vkey(vkey: str, kind: type[Verifier], what: str) -> None:
    if not isinstance(vkey, str):
        raise ListRefused(f"The policy cannot hold: {what} is missing.")
    try:
        kind.from_vkey(vkey)
    except NoteRefused as error:
        raise ListRefused(f"The policy cannot hold: {what} is none. {error.message}") from error
