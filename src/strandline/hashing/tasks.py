"""The task this room adds to the sandbox: decode once, hash, and make renditions."""

import sys
from collections.abc import Mapping
from typing import Any

from strandline.hashing import perceptual
from strandline.hashing.variants import variants_of
from strandline.hashing.versions import Mode
from strandline.media import tasks as media_tasks
from strandline.media.decoding import Decoded, Scaled, decode, decode_scaled
from strandline.media.limits import Limits

#: Formats whose further frames are shown one after another. Those of a TIFF are pages, those of
#: an icon sizes, those of an MPO other views.
_MOVING = frozenset({"GIF", "WEBP", "PNG", "AVIF", "HEIF"})


def prepare(limits: Limits) -> None:
    """Load what is loaded late, the kernels among it, while files can still be read."""
    media_tasks.prepare(limits)
    # numba looks for SciPy's linear algebra, which takes as long to import as numba itself, and
    # which no kernel here uses.
    sys.modules.setdefault("scipy", None)  # type: ignore[arg-type]
    perceptual.load_kernels()


def _kind(decoded: Decoded) -> str:
    return "animation" if decoded.frames > 1 and decoded.format in _MOVING else "image"


def _facts_of_scaled(scaled: Scaled) -> dict[str, Any]:
    """Only whole JPEG files have a short cut."""
    size = {"width": scaled.width, "height": scaled.height}
    return {"format": "JPEG", **size, "truncated": False, "kind": "image"}


def _fingerprint(
    data: bytes, params: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], dict[str, bytes]]:
    styles, wants_variants = params.get("styles", ()), bool(params.get("variants"))
    scaled = decode_scaled(data, limits) if params.get("mode") == Mode.FAST else None
    facts: dict[str, Any] = {}
    renditions: dict[str, bytes] = {}
    if scaled is not None:
        found = perceptual.pdq_scaled(
            scaled.luma,
            width=scaled.width,
            height=scaled.height,
            factor=scaled.factor,
            top=scaled.top,
            left=scaled.left,
        )
        facts = _facts_of_scaled(scaled)
    if scaled is None or styles or wants_variants:
        decoded = decode(data, limits)
        facts = media_tasks.facts_of(decoded) | {"kind": _kind(decoded)}
        if scaled is None:
            found = perceptual.pdq(decoded.pixels)
        if wants_variants:
            facts["variants"] = [
                [each.orientation, each.trimmed, each.pdq, each.quality]
                for each in variants_of(decoded.pixels)
            ]
        renditions = media_tasks.renditions_of(decoded, params)
    return facts | {"pdq": found.hash, "quality": found.quality}, renditions


TASKS = {"fingerprint": _fingerprint}
