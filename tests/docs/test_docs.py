"""Documentation says what holds today, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "strandline"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_setting_is_documented():
    read = set()
    for module in SOURCE.rglob("*.py"):
        text = module.read_text()
        read |= set(re.findall(r"STRANDLINE_[A-Z][A-Z_]*[A-Z]", text)) - {"STRANDLINE_TEST"}
        if 'Env(prefix="STRANDLINE_")' in text:
            found = re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', text)
            read |= {f"STRANDLINE_{name}" for name in found}
    pages = (ROOT / "docs" / "settings.md").read_text() + (
        ROOT / "docs" / "commands.md"
    ).read_text()
    assert sorted(name for name in read if name not in pages) == []


def test_the_table_of_states_is_the_one_in_the_code():
    from strandline.hotline.reports.states import CHANGES, State

    page = (ROOT / "docs" / "record.md").read_text()
    for state in State:
        row = re.search(rf"^\| `{state.value}` \| (.+) \| (.+) \|$", page, re.MULTILINE)
        assert row, f"{state.value} has no row"
        assert row[1] == state.label
        assert set(re.findall(r"`([a-z-]+)`", row[2])) == {s.value for s in CHANGES.get(state, ())}


def test_the_readme_names_its_two_commands_first():
    commands = re.findall(r"\./scripts/\w+", (ROOT / "README.md").read_text())
    assert commands[:2] == ["./scripts/demo", "./scripts/test"]


def test_the_figures_are_those_of_the_saved_runs():
    import importlib.util

    spec = importlib.util.spec_from_file_location("page", ROOT / "bench" / "_page.py")
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    runs = page.saved()
    kept = {"hashing", "sandbox", "video", "matching", "cluster", "list"}
    assert {run["name"] for run in runs} >= kept
    assert all(run["complete"] and not run["quick"] for run in runs)
    assert page.PAGE.read_text() == page.page(runs)
