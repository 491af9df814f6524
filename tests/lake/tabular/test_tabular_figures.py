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
    monkeypatch.setattr("beffroi.lake.connectors.regular.whole_lines.__defaults__", (64,))
    parts = _told(tmp_path, rows, **asked)
    assert len(parts.points or []) > 20
    assert np.array_equal(_places(parts), _places(whole))
    assert (parts.read, parts.rows, parts.sides) == ({0, 1, 2}, 179, whole.sides)
    late = _told(tmp_path, [*rows, "3.5,43.5,2026-02-31"], **asked)
    assert late.read == {0, 1}


def _along(lines: Lines, keys: curve.Keys, aside: Path) -> list[Path]:
    stretches = curve.stretches_of(lines, keys, aside)
    for stretch in stretches:
        stretch.put_in_order()
    return [stretch.file for stretch in stretches]


def test_lines_are_put_along_the_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "STRETCH_BYTES", 900)
    monkeypatch.setattr(curve, "_PART_BYTES", 700)
    rng = random.Random(6)
    texts = [f"{rng.uniform(3.8, 3.9):.6f},{rng.uniform(43.5, 43.7):.6f},{n}\n" for n in range(600)]
    texts += [",,nowhere\n", *texts[:5]]
    source = tmp_path / "texte.csv"
    source.write_text("".join(["x,y,n\n", *texts]))
    points = np.array([[float(cell or "nan") for cell in text.split(",")[:2]] for text in texts], dtype=np.float32)
    con = sql.connect(threads=2)
    keys = curve.keys_along(con, points, BBox(3.8, 43.5, 3.9, 43.7))
    con.close()
    aside = tmp_path / "aside"
    aside.mkdir()
    files = _along(Lines(source, 1, points, str), keys, aside)
    assert len(files) > 10
    ordered = "".join(file.read_text() for file in files).splitlines(keepends=True)
    assert ordered == [texts[rank] for rank in np.argsort(keys, kind="stable")]
    assert ordered[-1] == ",,nowhere\n"
    with source.open("a") as more:
        more.write("3.85,43.6,late\n")
    with pytest.raises(curve.TextChanged):
        _along(Lines(source, 1, points, str), keys, aside)


def test_a_place_that_many_have_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "STRETCH_BYTES", 1_000)
    texts = [f"{n:04}\n" for n in range(3_000)]
    keys = np.array([(7, 5 + n, 2**32 - 1)[n % 3] for n in range(3_000)], dtype=np.uint32)
    source = tmp_path / "texte.csv"
    source.write_text("".join(texts))
    aside = tmp_path / "aside"
    aside.mkdir()
    files = _along(Lines(source, 0, np.empty((0, 2), np.float32), str), keys, aside)
    ordered = [file.read_text().splitlines(keepends=True) for file in files]
    assert [line for lines in ordered for line in lines] == [texts[rank] for rank in np.argsort(keys, kind="stable")]
    alone = [{int(keys[int(line)]) for line in lines} for lines in ordered if len(lines) > 600]
    assert alone == [{7}, {2**32 - 1}]


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
