"""Every example of docs/film.md is run as it stands."""

import doctest
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import drawn_films

PAGE = Path(__file__).parents[2] / "docs" / "film.md"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The files that the page's examples name."""
    pytest.importorskip("av")
    monkeypatch.chdir(tmp_path)
    frames = list(drawn_films.shots(9, size=(320, 240)))
    drawn_films.write(Path("film.mp4"), frames)
    smaller = [np.asarray(Image.fromarray(frame).resize((240, 180))) for frame in frames]
    drawn_films.write(Path("copy.mkv"), smaller, options={"crf": "30"})
    Image.fromarray(frames[40]).save("from-second-4.png")
    drawn_films.photograph("camera.png").save("cat.jpg")
    return tmp_path


def test_every_example_does_what_the_page_says(folder):
    test = doctest.DocTestParser().get_doctest(PAGE.read_text(), {}, PAGE.name, str(PAGE), 0)
    told = []
    doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert test.examples
    assert not told, "".join(told)
