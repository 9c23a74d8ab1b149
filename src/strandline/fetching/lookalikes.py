"""Names made to be mistaken for another: letters of one alphabet drawn like those of another.

Follows the spirit of Unicode Technical Standard 39 (section 5, mixed-script detection, and
whole-script confusables) and of the browsers' rule for showing a name in its own letters.
"""

from functools import cache

import idna
from confusable_homoglyphs import categories, confusables

# Scripts that are written together (UTS 39, 5.2: "highly restrictive").
_WRITTEN_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)

# Under these top-level domains a name wholly in that script is expected, even when each of its
# letters has a twin in ASCII (the list is Chromium's, shortened to what is delegated).
_AT_HOME = {
    "ARMENIAN": {"am"},
    "CYRILLIC": {"bg", "by", "kz", "ru", "su", "ua", "uz"},
    "ETHIOPIC": {"er", "et"},
    "GEORGIAN": {"ge"},
    "GREEK": {"gr"},
    "LATIN": {"az", "tr"},  # the dotless i
}


@cache
def _script(character: str) -> str:
    return str(categories.alias(character)).upper()


def _scripts(label: str) -> set[str]:
    return {_script(character) for character in label} - {"COMMON", "INHERITED"}


@cache
def _has_ascii_twin(character: str) -> bool:
    twins = confusables.confusables_data.get(character, [])
    return any(len(twin["c"]) == 1 and twin["c"].isascii() for twin in twins)


def mixes_alphabets(label: str) -> bool:
    """Whether a label draws on scripts that no language writes together."""
    scripts = _scripts(label)
    return len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER)


def imitates_ascii(label: str, top: str) -> bool:
    """Whether every letter of a label is, or looks like, a plain Latin one.

    ``top`` is the last label of the same host: a Cyrillic
    name under a Cyrillic top-level domain imitates nothing.
    """
    if label.isascii() or not all(c.isascii() or _has_ascii_twin(c) for c in label):
        return False
    scripts = _scripts("".join(c for c in label if not c.isascii()))
    return not any(top in _AT_HOME.get(script, ()) for script in scripts) and not (
        scripts & _scripts(_unicode(top)) - {"LATIN"}
    )


def _unicode(label: str) -> str:
    try:
        return idna.ulabel(label)
    except idna.IDNAError:
        return label
