"""The tasks of this room: what the worker can be asked for."""

from collections.abc import Mapping
from typing import Any

from strandline.media import charsets, decoding
from strandline.media._probe import length, probe, probe_file
from strandline.media.decoding import Decoded
from strandline.media.limits import PIPELINE, Limits, Style
from strandline.media.pages import read_page
from strandline.media.renditions import render


def prepare(limits: Limits) -> None:
    """Load what is loaded late, while files can still be read."""
    decoding.prepare(limits)
    charsets.prepare()


def facts_of(decoded: Decoded) -> dict[str, Any]:
    """Return what can be said about a picture without looking at it; sizes are as displayed."""
    return {
        "format": decoded.format,
        "width": decoded.width,
        "height": decoded.height,
        "truncated": decoded.truncated,
        "animated": decoded.frames > 1,
        "pipeline": PIPELINE,
    }


def renditions_of(decoded: Decoded, params: Mapping[str, Any]) -> dict[str, bytes]:
    """Make the renditions that ``params["styles"]`` names."""
    styles = [Style(name) for name in params.get("styles", ())]
    return {style.value: render(decoded.image, style) for style in styles}


def _picture(
    data: bytes | memoryview, params: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], dict[str, bytes]]:
    decoded = decoding.decode(data, limits)
    return facts_of(decoded), renditions_of(decoded, params)


def _page(
    data: bytes | memoryview, params: Mapping[str, Any], _limits: Limits
) -> tuple[dict[str, Any], dict[str, bytes]]:
    return read_page(bytes(data), params["base_url"], params.get("charset")), {}


TASKS = {"picture": _picture, "page": _page, "probe": probe, "length": length}
FILE_TASKS = {"probe-file": probe_file}
