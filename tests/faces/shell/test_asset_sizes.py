"""What a page weighs: sizes are a promise to those on a slow line. A failure says how to mend it."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from django.test import Client

from beffroi.faces.shell import assets

KB = 1000
MEND = "import less, or load it only where it is used (see web/README.md); `npm run build` prints each file's size"


@pytest.fixture(scope="module")
def manifest() -> dict[str, dict[str, list[str]]]:
    path = assets.FOLDER / "manifest.json"
    if not path.exists():
        pytest.skip("the assets are not built: run `make install`, or `npm run build` in web/")
    return json.loads(path.read_text())


def packed(names: list[str]) -> int:
    """Return the bytes sent for these files: gzip for text, as they are for fonts."""
    total = 0
    for name in names:
        content = (assets.FOLDER / name).read_bytes()
        total += len(content) if name.endswith(".woff2") else len(gzip.compress(content, 9))
    return total


def files(entry: dict[str, list[str]]) -> list[str]:
    return [entry["file"], *entry.get("css", []), *entry.get("assets", [])]  # type: ignore[list-item]


def reached(manifest: dict[str, dict[str, list[str]]], entry: str) -> set[str]:
    """Return the scripts that an entry reads, at once or later."""
    entries, waiting = set[str](), [entry]
    while waiting:
        found = manifest[waiting[-1]]
        entries.add(waiting.pop())
        waiting += {*found.get("imports", ()), *found.get("dynamicImports", ())} - entries
    return {str(manifest[name]["file"]) for name in entries}


def test_a_page_without_a_map_asks_for_little(manifest: dict[str, dict[str, list[str]]]) -> None:
    main = manifest["src/main.ts"]
    script = packed([main["file"]])  # type: ignore[list-item]
    assert script <= 60 * KB, f"scripts: {script} bytes over 60 kB; {MEND}"
    everything = packed(files(main))
    assert everything <= 80 * KB, (
        f"scripts, styles and font: {everything} bytes over 80 kB (20 kB are left for HTML); {MEND}"
    )


def test_the_map_fits_its_budget(manifest: dict[str, dict[str, list[str]]]) -> None:
    workers = [path.name for path in (assets.FOLDER / "assets").glob("*worker*.js")]
    # What the page reads later on, when one measures for example, counts too.
    size = packed([*sorted(reached(manifest, "src/map.ts")), *(f"assets/{name}" for name in workers)])
    assert workers, "the worker of MapLibre must be a file of its own (setWorkerUrl in web/src/map/base.ts)"
    assert size <= 600 * KB, f"map scripts: {size} bytes over 600 kB; {MEND}"


def test_built_files_are_named_so_that_browsers_keep_them(manifest: dict[str, dict[str, list[str]]]) -> None:
    """Twelve hexadecimal digits before the extension: WhiteNoise then says "immutable"."""
    names = [path.name for path in (assets.FOLDER / "assets").iterdir()]
    assert [name for name in names if not re.search(r"\.[0-9a-f]{12}\.", name)] == []


def test_browsers_are_told_to_keep_built_files(manifest: dict[str, dict[str, list[str]]], client: Client) -> None:
    kept = client.head(f"/static/beffroi/{manifest['src/main.ts']['file']}")
    # A name without digits of its content may change: it is asked for again.
    asked_again = client.head("/static/shell/mark.svg")
    assert (kept.status_code, asked_again.status_code) == (200, 200)
    assert "immutable" in kept.headers["Cache-Control"]
    assert "immutable" not in asked_again.headers["Cache-Control"]


def test_no_style_carries_a_data_address(manifest: dict[str, dict[str, list[str]]]) -> None:
    styles = list((assets.FOLDER / "assets").glob("*.css"))
    assert [path.name for path in styles if "data:" in path.read_text()] == []


def markup_of(path: Path) -> str:
    """A template without its tags, whose arguments are nobody's attributes."""
    return re.sub(r"{%.*?%}", "", path.read_text(encoding="utf-8"))


def test_templates_carry_no_inline_style_nor_script() -> None:
    """The Content-Security-Policy would refuse them: the page would be broken without a word."""
    faces = Path(assets.__file__).parents[1]
    guilty = [
        str(path.relative_to(faces))
        for path in faces.rglob("*.html")
        if re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*(?:\ssrc=|json))", markup_of(path))
    ]
    assert guilty == []


@pytest.mark.parametrize("entry", ["search", "address"])
def test_suggestions_are_cheap(entry: str, manifest: dict[str, dict[str, list[str]]]) -> None:
    found = manifest[f"src/{entry}.ts"]
    size = packed([found["file"], *(manifest[name]["file"] for name in found.get("imports", []))])  # type: ignore[list-item]
    assert size <= 6 * KB, f"{entry}: {size} bytes over 6 kB; {MEND}"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/services/", "/donnees/00001/arbres/tableau/", "/urgences/"])
def test_a_whole_page_fits_a_slow_line(
    address: str, small_town: str, client: Client, manifest: dict[str, dict[str, list[str]]]
) -> None:
    answer = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    total = len(answer.content) + packed(files(manifest["src/main.ts"]))
    assert total <= 100 * KB, f"{address}: {total} bytes in all over 100 kB; {MEND}"


@pytest.mark.django_db
def test_what_is_no_page_is_sent_as_it_is(small_town: str, client: Client) -> None:
    for address in ("/sw.js", "/apparence/commune.css", "/manifest.webmanifest"):
        assert "Content-Encoding" not in client.get(address, headers={"Accept-Encoding": "gzip"}).headers
