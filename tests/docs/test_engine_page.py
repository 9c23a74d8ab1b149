"""Every example of docs/engine.md is run as it stands."""

import doctest
from pathlib import Path

import pytest
from PIL import Image
from skimage import data as photographs

import drawn_films

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The files that the page's examples name."""
    monkeypatch.chdir(tmp_path)
    cat = Image.fromarray(photographs.chelsea())
    cat.save("cat.jpg", quality=90)
    cat.resize((226, 150)).save("cat-small.jpg", quality=80)
    Image.fromarray(photographs.coffee()).save("cup.png")
    Image.new("RGB", (100, 100), "white").save("white.png")
    Path("notes.txt").write_text("no picture")
    drawn_films.write(Path("film.mp4"), drawn_films.shots(6, size=(320, 240)))
    return tmp_path


def test_every_example_does_what_the_page_says(folder):
    test = doctest.DocTestParser().get_doctest(PAGE.read_text(), {}, PAGE.name, str(PAGE), 0)
    told = []
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL, verbose=False
    )
    runner.run(test, out=told.append)
    assert runner.tries > 20
    assert not told, "".join(told)
