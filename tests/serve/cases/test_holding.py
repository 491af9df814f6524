"""Files held between two steps of a form: safe at once, given back whole, never on a forged word."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import store
from beffroi.serve.cases.definition import BadCase, Upload
from beffroi.serve.cases.holding import LIFE_S
from serve_makers import photo


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_what_is_held_is_redrawn_and_given_back() -> None:
    reference = cases.hold_files([photo(name="Rue du Four.jpg", size=(90, 60))])
    (given,) = cases.held_files(reference)
    assert given.name == "Rue du Four.jpg"
    assert Image.open(io.BytesIO(given.content)).size == (90, 60)
    assert (cases.hold_files([]), cases.held_files("")) == ("", [])


def test_a_broken_file_is_refused_at_once() -> None:
    with pytest.raises(BadCase, match="n’est pas une photo lisible"):
        cases.hold_files([Upload("x.jpg", b"\xff\xd8\xffnon")])


def test_a_reference_is_ours_young_and_its_file_there(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = cases.hold_files([photo()])
    for wrong in ("autre", reference[:-1], "../../etc/passwd"):
        with pytest.raises(BadCase, match="ne sont plus là"):
            cases.held_files(wrong)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + LIFE_S + 60)
    with pytest.raises(BadCase, match="ne sont plus là"):
        cases.held_files(reference)
    monkeypatch.setattr("time.time", lambda: now)
    for path in store.folder().glob("??/*"):
        path.unlink()
    with pytest.raises(BadCase, match="ne sont plus là"):
        cases.held_files(reference)
