"""Damaged geographic files by the hundred: each is read or refused with a sentence, and no reading process dies.

The readings run in a child process, as imports do: a fault in GDAL would end it, and its code would show here.
"""

import random
import zipfile
from pathlib import Path

import pytest

from lake.vector.vector_bases import collection, feature, written, zipped
from lake.vector.vector_judge import judged

SUFFIXES = [".shp", ".gpkg", ".fgb", ".geojson", ".kml", ".gpx", ".gml", ".dxf", ".mif", ".zip"]
PER_FORMAT = 42
CODES = ["OGC:CRS84", "EPSG:2154", "EPSG:3943", "EPSG:27572"]


def _truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data))]


def _flipped(data: bytes, rng: random.Random) -> bytes:
    mutable = bytearray(data)
    for _ in range(rng.choice([1, 4, 40])):
        mutable[rng.randrange(len(mutable))] = rng.randrange(256)
    return bytes(mutable)


def _header_flipped(data: bytes, rng: random.Random) -> bytes:
    return _flipped(data[:200], rng) + data[200:]


def _holed(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 60) :]


def _zeroed(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + bytes(min(64, len(data) - start)) + data[start + 64 :]


def _doubled(data: bytes, rng: random.Random) -> bytes:
    return data + data[rng.randrange(len(data)) :]


def _huge_numbers(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"43.6", rng.choice([b"1e308", b"NaN", b"-inf", b"999999999", b"43,6", b""]))


MUTATIONS = [_truncated, _flipped, _header_flipped, _holed, _zeroed, _doubled, _huge_numbers]


def _mutant(folder: Path, suffix: str, seed: int) -> Path:
    """Write one damaged file, from its seed alone."""
    rng = random.Random(f"{suffix}-{seed}")
    folder.mkdir(parents=True)
    inner = ".shp" if suffix == ".zip" else suffix
    path = written(folder / f"mutant{inner}", code=rng.choice(CODES), declared=rng.choice([None, *CODES[1:]]))
    victim = rng.choice(sorted(folder.iterdir()))
    victim.write_bytes(rng.choice(MUTATIONS)(victim.read_bytes(), rng))
    return zipped(folder / "mutant.zip", path) if suffix == ".zip" else path


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_is_read_or_refused_with_a_sentence(tmp_path, suffix):
    paths = [_mutant(tmp_path / f"{seed}", suffix, seed) for seed in range(PER_FORMAT)]
    verdicts, code = judged(paths)
    assert code == 0, f"the reading process died after {verdicts[-1:]}"
    assert len(verdicts) == PER_FORMAT
    assert [verdict for verdict in verdicts if verdict[1] == "fault"] == []
    assert {verdict[2] for verdict in verdicts if verdict[1] == "read"} <= {"balanced"}
    assert all(" ; " in verdict[2] for verdict in verdicts if verdict[1] == "refused")


def _bomb(folder: Path) -> Path:
    path = folder / "bombe.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.geojson", "w") as member:
        for _ in range(100):
            member.write(bytes(1 << 20))
    return path


def _matryoshka(folder: Path) -> Path:
    path = written(folder / "lampes.geojson")
    for level in range(6):
        path = zipped(folder / f"niveau{level}.zip", path)
    return path


def _crowd(folder: Path) -> Path:
    path = folder / "foule.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5_001):
            archive.writestr(f"{number}.geojson", b"")
    return path


def _escape(folder: Path) -> Path:
    path = folder / "evasion.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evade.geojson", collection(feature()))
    return path


def _deep(folder: Path) -> Path:
    path = folder / "profond.geojson"
    path.write_text('{"type":"FeatureCollection","features":' + "[" * 100_000)
    return path


@pytest.mark.parametrize("trap", [_bomb, _matryoshka, _crowd, _deep])
def test_a_trap_is_refused_with_a_sentence(tmp_path, trap):
    import duckdb

    from beffroi.lake.connectors.vector import read_vector
    from beffroi.lake.reading import ReadOptions, Unreadable

    with pytest.raises(Unreadable) as refusal:
        read_vector(trap(tmp_path), ReadOptions(), duckdb.connect())
    assert str(refusal.value.remedy)


def test_an_archive_writes_nothing_outside_its_folder(tmp_path):
    from beffroi.lake.connectors.vector_archive import unpacked

    work = tmp_path / "a" / "b"
    work.mkdir(parents=True)
    with unpacked(_escape(tmp_path), work) as folder:
        assert [path.name for path in folder.rglob("*") if path.is_file()] == ["evade.geojson"]
    assert list(tmp_path.rglob("evade.geojson")) == []
