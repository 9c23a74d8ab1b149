"""The certificate: another hotline's word that classes of an edition are what they should be."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from strandline.errors import ListRefused
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.manifests import MAX_EDITION, Manifest, check_origin

_NONE = "-"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{16}")
#: As the policy names hotlines: it is part of the file's name.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
_UNKNOWN = (
    "What was signed is not a certificate in the form this version knows. It was not used; a newer "
    "strandline may read it."
)


@dataclass(frozen=True)
class Certificate:
    """What one hotline vouches for. Raises ListRefused when it cannot be."""

    #: Of the list, without ``/certificate``.
    origin: str
    edition: int
    #: sha256 of the manifest's text, lower-case hex.
    manifest: str
    #: Name of the hotline that vouches.
    hotline: str
    #: sha256 of the protocol of the audit that it made; None where there was none.
    audit: str | None
    #: Class id and class root, sorted: what it vouches for.
    classes: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        ids = [class_id for class_id, _ in self.classes]
        digests = [self.manifest, self.audit or self.manifest, *(root for _, root in self.classes)]
        sound = (
            check_origin(self.origin)
            and _NAME.fullmatch(self.hotline)
            and 1 <= self.edition <= MAX_EDITION
            and all(_DIGEST.fullmatch(digest) for digest in digests)
            and all(_ID.fullmatch(class_id) for class_id in ids)
            and ids == sorted(set(ids))
        )
        if not sound:
            raise ListRefused("A certificate names something that cannot be. It was not used.")

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        hotline: str,
        classes: Iterable[EntryClass],
        audit: str | None = None,
    ) -> "Certificate":
        """Vouch for ``classes`` of the edition that ``manifest`` stands for."""
        states = manifest.states()
        chosen = list(classes)
        if not states.keys() >= set(chosen):
            raise ListRefused("A certificate can vouch only for classes of the edition.")
        roots = tuple(sorted((each.id, states[each].root) for each in chosen))
        return cls(manifest.origin, manifest.edition, manifest.digest(), hotline, audit, roots)

    def vouches_for(self, manifest: Manifest, entry_class: EntryClass) -> bool:
        """Whether it is about this very edition, and about this very content of the class."""
        state = manifest.states().get(entry_class)
        return (
            state is not None
            and self.manifest == manifest.digest()
            and self.origin == manifest.origin
            and self.edition == manifest.edition
            and (entry_class.id, state.root) in self.classes
        )

    def text(self) -> str:
        """What is signed."""
        return (
            f"{self.origin}/certificate\nformat 2\nedition {self.edition}\n"
            f"manifest {self.manifest}\nhotline {self.hotline}\naudit {self.audit or _NONE}\n"
            + "".join(f"class {class_id} {root}\n" for class_id, root in self.classes)
        )

    def digest(self) -> str:
        """sha256 of the text, lower-case hex."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def parse_certificate(text: str) -> Certificate:
    """Read the text of a certificate whose signature was verified; raises ListRefused."""
    lines = text.split("\n")
    pairs = [line.partition(" ") for line in lines[1:6]]
    keys = ("format", "edition", "manifest", "hotline", "audit")
    origin = lines[0].removesuffix("/certificate")
    if origin == lines[0] or tuple(key for key, _, _ in pairs) != keys or pairs[0][2] != "2":
        raise ListRefused(_UNKNOWN)
    values = {key: value for key, _, value in pairs}
    classes = [line.split(" ") for line in lines[6:-1]]
    if not re.fullmatch(r"[1-9][0-9]{0,5}", values["edition"]) or not all(
        len(parts) == 3 and parts[0] == "class" for parts in classes
    ):
        raise ListRefused(_UNKNOWN)
    certificate = Certificate(
        origin,
        int(values["edition"]),
        values["manifest"],
        values["hotline"],
        None if values["audit"] == _NONE else values["audit"],
        tuple((parts[1], parts[2]) for parts in classes),
    )
    if certificate.text() != text:
        raise ListRefused("The certificate is not in its canonical form. It was not used.")
    return certificate
