"""Every page of a face, read from its own table of addresses."""

import importlib

import pytest
from django.urls import URLPattern

#: What stands for a part of an address, by its converter.
SAMPLES = {
    "IntConverter": "1",
    "StringConverter": "x",
    "SlugConverter": "x",
    "PathConverter": "x/y",
    "UUIDConverter": "00000000-0000-4000-8000-000000000000",
}


class Page:
    """One address of a face, with something in place of its variable parts."""

    def __init__(self, prefix, pattern):
        self.name = pattern.name
        self.view = pattern.callback
        route = prefix + str(pattern.pattern)
        for name, converter in pattern.pattern.converters.items():
            sample = SAMPLES[type(converter).__name__]
            for spelled in (f"<{name}>", *(f"<{kind}:{name}>" for kind in KINDS)):
                route = route.replace(spelled, sample)
        assert "<" not in route, route
        self.path = f"/{route}"

    def __repr__(self):
        return self.path


KINDS = ("int", "str", "slug", "path", "uuid")


def pages_of(face):
    """Every page of a face, those of included rooms too."""
    module = importlib.import_module(f"strandline.hotline.site.urls.{face}")
    found = []

    def walk(patterns, prefix, converters):
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                found.append(Page(prefix, pattern))
            else:
                walk(pattern.url_patterns, prefix + str(pattern.pattern), converters)

    walk(module.urlpatterns, "", {})
    return found


@pytest.fixture
def pages():
    return pages_of
