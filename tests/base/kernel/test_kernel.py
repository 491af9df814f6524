"""The kernel: errors that cross processes, files that appear whole, boxes that refuse nonsense."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import pickle
import pkgutil
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import beffroi.base.kernel as kernel
from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.files import fsync_tree, written_once, written_whole
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.kernel.sentences import Sentence

MODULES = [name for _, name, _ in pkgutil.iter_modules(kernel.__path__, "beffroi.base.kernel.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_the_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_an_error_keeps_its_sentence_across_processes() -> None:
    error = NotFound("« {slug} » n'existe pas", where="arbres.csv:3", remedy="voyez {page}", slug="x", page="/donnees/")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is NotFound
    assert str(copy) == "arbres.csv:3 : « x » n'existe pas ; voyez /donnees/"
    assert copy.http_status == 404


def test_a_sentence_survives_json() -> None:
    sentence = Sentence("{n} lignes de « {file} »", {"n": 3, "file": Path("a.csv")})
    copy = Sentence.from_json(json.loads(json.dumps(sentence.as_json())))
    assert str(copy) == "3 lignes de « a.csv »"


def test_braces_of_a_value_are_not_read_as_a_template() -> None:
    assert str(Sentence("valeur « {text} »", {"text": "{0.__class__}"})) == "valeur « {0.__class__} »"


def test_a_sentence_without_values_may_hold_braces() -> None:
    assert str(Sentence("un objet JSON commence par {")) == "un objet JSON commence par {"


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "a,b,c,d", "3,46,2,45", "nan,1,2,3", "1,2,inf,4", "-181,0,0,0", "0,-91,0,0", "1;2;3;4", "1,2,3,4,5"],
)
def test_a_box_that_makes_no_sense_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BeffroiError, match="emprise"):
        BBox.parsed(text)


def test_a_box_across_the_antimeridian_is_kept_as_given() -> None:
    assert BBox.parsed("179,-20,-179,-10").west == 179


@given(st.text(max_size=60))
def test_no_text_makes_the_box_reader_crash(text: str) -> None:
    try:
        box = BBox.parsed(text)
    except BeffroiError:
        return
    assert box.south <= box.north


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.txt"
    with written_whole(target, "w", encoding="utf-8") as handle:
        handle.write("é" * 10)
        assert not target.exists()
    assert target.read_text(encoding="utf-8") == "é" * 10
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]


def test_a_failed_write_leaves_the_previous_file_and_no_trace(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError), written_whole(target, "w") as handle:
        handle.write("half" * (1 // 0))
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_a_killed_write_leaves_the_previous_file(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("before")
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from beffroi.base.kernel.files import written_whole
        with written_whole(Path(sys.argv[1]), "w") as handle:
            handle.write("half"); handle.flush()
            print("writing", flush=True)
            time.sleep(3600)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program, str(target)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        os.kill(child.pid, signal.SIGKILL)
    assert target.read_text() == "before"


def test_a_tree_is_synced_to_its_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "leaf").write_text("x")
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(os.fstat(descriptor).st_ino), real(descriptor)))
    fsync_tree(tmp_path)
    wanted = {path.stat().st_ino for path in [tmp_path, *tmp_path.rglob("*")]}
    assert wanted <= set(synced)


def test_the_shipped_folders_are_found() -> None:
    assert (shipped_folder("usecases")).is_dir()
    with pytest.raises(FileNotFoundError, match="nothing-of-the-kind"):
        shipped_folder("nothing-of-the-kind")


def test_importing_the_kernel_is_cheap() -> None:
    """Every command starts with it: it must not bring Django, DuckDB or NumPy."""
    program = (
        f"import sys; import {', '.join(MODULES)}; print(sorted({{'django', 'duckdb', 'numpy'}} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("has_links", [True, False], ids=["links", "no-links"])
def test_of_many_who_draw_a_key_together_one_writes_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    path = tmp_path / "keys" / "drawn.key"
    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    written_once(path, b"first")
    written_once(path, b"second")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"first", 0o600)
    assert [one.name for one in path.parent.iterdir()] == ["drawn.key"]


def test_nobody_reads_a_key_that_is_not_whole_yet(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.key" for number in range(20)]

    def draw(name: bytes) -> list[bytes]:
        read = []
        for path in paths:
            written_once(path, name * 2000)
            read.append(path.read_bytes())
        return read

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(draw, [b"a", b"b", b"c", b"d"])
    assert all(one == first for one in others)
    assert {len(one) for one in first} == {2000}


def refuse(*_names: object) -> None:
    raise PermissionError("no hard links here")
