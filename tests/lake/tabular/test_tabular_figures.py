"""What is counted from the octets of a large text is what the database counts of the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pytest

from beffroi.base.kernel.geo import BBox
from beffroi.lake import curve, sql
from beffroi.lake.connectors import csv
from beffroi.lake.connectors.figures import Tally, Watched
from beffroi.lake.connectors.regular import regular
from beffroi.lake.detect.dates import DATE_FORMS
from beffroi.lake.detect.values import DAY, DECIMAL, NUMBER_FORMS, WHOLE, in_sql, number_form
from beffroi.lake.line_names import BLOCK, marks_of
from beffroi.lake.reading import Lines, ReadOptions

_TESTS = {
    WHOLE: number_form(next(form for form in NUMBER_FORMS if form.name == WHOLE)).test,
    DECIMAL: number_form(next(form for form in NUMBER_FORMS if form.name == DECIMAL)).test,
    DAY: next(form for form in DATE_FORMS if form.name == DAY).test,
}
_SOUND = {
    WHOLE: ["0", "7", "-7", "+12", "12345678", "123456789", "-123456789012345678", "999999999999999999", "007"],
    DECIMAL: ["3.8", "-0.5", ".5", "5.", "43", "1e-05", "-1.25E+3", "3.8767543210123456", "12345678.1234567",
              "123456789.5", "0.123456789", "+4.25", "00.10"],
    DAY: ["2026-11-26", "2024-02-29", "2000-02-29", "0001-01-01", "1999-12-31", "2026-04-30"],
}  # fmt: skip
_OTHER = {
    WHOLE: ["1234567890123456789", "1.5", "-", "+", "1e3", "12a", "1_000", "--1", "1 2", "é", "12345678x", "x12345678"],
    DECIMAL: [
        ".",
        "-.",
        "1.2.3",
        "1e",
        "e5",
        "nan",
        "inf",
        "1e999",
        "0x1F",
        "1_0.5",
        "4.5-",
        "1234567890123456789.a",
    ],
    DAY: [
        "2026-02-30",
        "2023-02-29",
        "1900-02-29",
        "2026-04-31",
        "2026-00-10",
        "2026-01-00",
        "2026-12-32",
        "2026-13-01",
        "26/11/2026",
        "2026-1-01",
        "2026-11-2x",
        "2026_11_26",
        "2026-11-260",
    ],
}


def _told(tmp_path: Path, rows: list[str], end: str = "\n", **watched: Any) -> Tally:
    path = tmp_path / "texte.csv"
    path.write_bytes(end.join(["a,b,c", *rows, ""]).encode())
    found = regular(path, ",", 3, 1, Watched(**watched))
    assert found is not None
    assert found.tally is not None
    return found.tally


def _places(told: Tally) -> npt.NDArray[np.float32]:
    found = told.placed_at()
    assert found is not None
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("form", _TESTS)
def test_a_column_is_told_of_a_form_when_the_database_says_so(tmp_path: Path, form: str, end: str) -> None:
    for position in range(3):
        watched = {position: form}
        cells = ["", *_SOUND[form], *random.Random(4).choices(_SOUND[form], k=50)]
        rows = [",".join([cell if column == position else "x" for column in range(3)]) for cell in cells]
        told = _told(tmp_path, rows, end, forms=watched)
        assert told.read == {position}
        assert told.filled.tolist()[position] == len(cells) - 1
        for other in _OTHER[form]:
            line = ",".join([other if column == position else "" for column in range(3)])
            assert _told(tmp_path, [*rows, line], end, forms=watched).read == set(), other


@pytest.mark.parametrize("form", _TESTS)
def test_what_octets_tell_is_what_the_database_reads(form: str) -> None:
    asked = "SELECT list(v) FILTER (" + in_sql(_TESTS[form], "v") + ") FROM (SELECT unnest(?) AS v)"
    sound, other = (duckdb.execute(asked, [cells]).fetchall()[0][0] for cells in (_SOUND[form], _OTHER[form]))
    assert sound == _SOUND[form]
    # What octets do not tell is asked of the database, which reads days of one figure, and beyond all numbers.
    assert (other or []) == [cell for cell in _OTHER[form] if cell in ("2026-1-01", "1e999")]


def test_numbers_are_read_to_the_nearest(tmp_path: Path) -> None:
    rng = random.Random(5)
    cells = [f"{rng.uniform(-180, 180):.{rng.randrange(17)}f}" for _ in range(4_000)]
    told = _told(tmp_path, [f"{cell},1.5,x" for cell in cells], forms={0: DECIMAL, 1: DECIMAL}, places=(0, 1))
    numbers = [float(cell) for cell in cells]
    assert told.sides == (min(numbers), 1.5, max(numbers), 1.5)
    assert np.array_equal(_places(told)[:, 0], np.array(numbers, dtype=np.float32))


def test_places_are_measured_as_the_database_does(tmp_path: Path) -> None:
    rows = ["3.8,43.6,a", "0,0,b", ",43.6,c", "200.5,43.6,d", "4.9,43.6,e", ",,", "-1.5,0.0,f"]
    area = (3.8, 43.5, 3.9, 43.7)
    told = _told(tmp_path, rows, forms={0: DECIMAL, 1: DECIMAL}, places=(0, 1), area=area)
    assert (told.rows, told.given, told.placed, told.outside) == (6, 4, 3, 2)
    assert told.sides == (-1.5, 0.0, 4.9, 43.6)
    assert np.isnan(_places(told)[:, 0]).tolist() == [False, True, True, True, False, True, False]


def test_a_quoted_value_does_not_keep_the_others_from_being_told(tmp_path: Path) -> None:
    rows = ['3.8,43.6,"Rue, dite ""du Modèle"""', "3.9,43.7,Place", '4.0,43.8,"Cour"']
    told = _told(tmp_path, rows, forms={0: DECIMAL, 1: DECIMAL, 2: WHOLE}, places=(0, 1))
    assert told.read == {0, 1}
    assert told.sides == (3.8, 43.6, 4.0, 43.8)
    assert _told(tmp_path, ['"3.8",43.6,a'], forms={0: DECIMAL, 1: DECIMAL}, places=(0, 1)).points is None


def test_parts_of_a_text_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{n}.5,4{n % 9}.25,2026-{1 + n % 12:02}-01" for n in range(179)]
    asked: dict[str, Any] = {"forms": {0: DECIMAL, 1: DECIMAL, 2: DAY}, "places": (0, 1)}
    whole = _told(tmp_path, rows, **asked)
    monkeypatch.setattr("beffroi.lake.connectors.regular.whole_lines.__defaults__", (64, b""))
    parts = _told(tmp_path, rows, **asked)
    assert len(parts.points or []) > 20
    assert np.array_equal(_places(parts), _places(whole))
    assert (parts.read, parts.rows, parts.sides) == ({0, 1, 2}, 179, whole.sides)
    late = _told(tmp_path, [*rows, "3.5,43.5,2026-02-31"], **asked)
    assert late.read == {0, 1}


def _along(source: Path, keys: curve.Keys, aside: Path, *, skip: int = 0, blank: tuple[int, ...] = ()) -> list[str]:
    """Return the lines of each stretch, all named, in their order."""
    lines = Lines(source, skip, ",", np.empty((0, 2), np.float32), np.array(blank, dtype=np.intp), str)
    return [stretch.put_in_order(",").file.read_text() for stretch in curve.stretches_of(lines, keys, aside)]


def _unnamed(text: str) -> list[str]:
    return [line.split(",", 1)[1] for line in text.splitlines(keepends=True)]


def test_lines_are_put_along_the_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "STRETCH_BYTES", 900)
    monkeypatch.setattr(curve, "_PART_BYTES", 700)
    rng = random.Random(6)
    texts = [f"{rng.uniform(3.8, 3.9):.6f},{rng.uniform(43.5, 43.7):.6f},{n}\n" for n in range(600)]
    texts[100:100], texts[500:500] = [",,\n"], [",,\n"]
    texts += [",,nowhere\n", *texts[:5], *texts[:2]]
    source = tmp_path / "texte.csv"
    source.write_text("".join(["x,y,n\n", *texts]))
    points = np.array([[float(cell or "nan") for cell in text.split(",")[:2]] for text in texts], dtype=np.float32)
    con = sql.connect(threads=2)
    keys = curve.keys_along(con, points, BBox(3.8, 43.5, 3.9, 43.7))
    con.close()
    aside = tmp_path / "aside"
    aside.mkdir()
    stretches = _along(source, keys, aside, skip=1, blank=(100, 500))
    assert len(stretches) > 10
    expected = [texts[rank] for rank in np.argsort(keys, kind="stable") if texts[rank] != ",,\n"]
    assert [line for text in stretches for line in _unnamed(text)] == expected
    assert expected[-1] == ",,nowhere\n"
    named = [line.split(",", 1) for text in stretches for line in text.splitlines(keepends=True)]
    assert len({name for name, _ in named}) == len(named)
    assert len({name.partition("-")[0] for name, _ in named}) == len(set(expected))
    assert sorted(name.partition("-")[2] for name, _ in named if "-" in name) == ["2", "2", "2", "2", "2", "3", "3"]
    with source.open("a") as more:
        more.write("3.85,43.6,late\n")
    with pytest.raises(curve.TextChanged):
        _along(source, keys, aside, skip=1)


def test_a_place_that_many_have_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "STRETCH_BYTES", 1_000)
    monkeypatch.setattr(curve, "_PART_BYTES", 100)
    texts = [*(f"{n:04}\n" for n in range(3_000)), *["0000\n"] * 2]
    keys = np.array([*((7, 5 + n, 2**32 - 1)[n % 3] for n in range(3_000)), 7, 7], dtype=np.uint32)
    source = tmp_path / "texte.csv"
    source.write_text("".join(texts))
    aside = tmp_path / "aside"
    aside.mkdir()
    named = _along(source, keys, aside)
    ordered = list(map(_unnamed, named))
    assert [line for lines in ordered for line in lines] == [texts[rank] for rank in np.argsort(keys, kind="stable")]
    alone = [{int(keys[int(line)]) for line in lines} for lines in ordered if len(lines) > 600]
    assert alone == [{7}, {2**32 - 1}]
    assert [line for line in "".join(named).splitlines() if "-" in line][1][16:] == "-3,0000"


def _names(texts: list[str], before: str = "", end: str = "\n") -> list[int]:
    data = (before + "".join(text + end for text in texts)).encode() + bytes(BLOCK)
    lengths = np.array([len(text.encode()) for text in texts], dtype=np.intp)
    starts = len(before.encode()) + np.cumsum(lengths + len(end)) - lengths - len(end)
    found: list[int] = marks_of(data, starts, lengths).tolist()
    return found


def _mark_by_hand(octets: bytes) -> int:
    state = len(octets) * 0x9E3779B97F4A7C15 % 2**64
    for at in range(0, max(1, -(-len(octets) // BLOCK)) * BLOCK, 8):
        state ^= int.from_bytes(octets[at : at + 8], "little")
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
        state ^= state >> 31
    return state


def test_a_line_is_marked_by_its_octets_wherever_it_stands() -> None:
    rng = random.Random(8)
    texts = ["", "a", "é", *("".join(rng.choices("01,é ", k=k)) for k in [7, 8, 63, 64, 65, 128, 200, *range(9, 60)])]
    marks = _names(texts)
    assert marks == [_mark_by_hand(text.encode()) for text in texts]
    for position, text in enumerate(texts):
        assert _names([text], before="x,y\n" * (position % 3), end="\r\n") == [marks[position]]
    assert _names(texts[::-1]) == marks[::-1]


def test_lines_that_differ_little_have_other_marks_and_use_all_of_them() -> None:
    texts = [f"{a:03},VENTE,{b:03},{'x' * 50},{a * b % 7},{b:02}" for a in range(160) for b in range(160)]
    marks = np.array(_names(texts), dtype=np.uint64)
    assert len(set(marks.tolist())) == len(texts)
    # Each of the 64 bits is as often set as not, within six deviations of chance.
    ones = [int(((marks >> np.uint64(bit)) & np.uint64(1)).sum()) for bit in range(64)]
    assert max(abs(one - len(texts) / 2) for one in ones) < 6 * (len(texts) / 4) ** 0.5


@pytest.mark.parametrize("text", ["Rue du Modèle", '"Rue du Modèle, 3"'])
def test_a_large_text_is_profiled_from_its_octets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    rows = [f"{n},2026-01-{1 + n % 28:02},{text},{3.8 + n / 1e4:.4f},{43.5 + n / 1e4:.4f}" for n in range(300)]
    path = tmp_path / "grand.csv"
    path.write_text("\n".join(["lots,date,voie,longitude,latitude", *rows]) + "\n")
    monkeypatch.setattr(csv, "FAST_FROM_BYTES", 1)
    held = csv.read(path, ReadOptions(), con := sql.connect(threads=1))[0]
    monkeypatch.setattr(csv, "ONCE_UP_TO_BYTES", 0)
    monkeypatch.setattr("beffroi.lake.connectors.profile.Places.asked", lambda _self: pytest.fail("counted again"))
    large = csv.read(path, ReadOptions(stays=path), con)[0]
    assert large.streamed is not None
    assert large.streamed.lines is not None
    assert (large.columns, large.crs) == (held.columns, held.crs)
    assert [one.value for one in large.evidences] == [one.value for one in held.evidences]
    con.close()
