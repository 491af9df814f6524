"""Building models: what is needed to read them, what they say, where they stand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from beffroi.lake import sql, volumes
from beffroi.lake.connectors import registry
from beffroi.lake.reading import SURFACES, ReadOptions, Unreadable
from beffroi.lake.volumes import GROUND, ROOF, area_m2, metres

NOWHERE = """ISO-10303-21;
HEADER;
FILE_DESCRIPTION((''),'2;1');
FILE_NAME('','',(''),(''),'','','');
FILE_SCHEMA(('IFC4'));
ENDSEC;
DATA;
ENDSEC;
END-ISO-10303-21;
"""


def test_without_its_library_a_model_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ifcopenshell", None)
    source = tmp_path / "mairie.ifc"
    source.write_text(NOWHERE)
    with sql.workbench(memory_mb=128, threads=1) as con, pytest.raises(Unreadable, match="pip install ifcopenshell"):
        registry.read(source, ReadOptions(), con)


def test_a_model_that_stands_nowhere_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("ifcopenshell", reason="the extra « bim » is not installed")
    source = tmp_path / "nulle-part.ifc"
    source.write_text(NOWHERE)
    with sql.workbench(memory_mb=128, threads=1) as con, pytest.raises(Unreadable, match="ne dit pas où"):
        registry.read(source, ReadOptions(), con)


def test_a_real_house_stands_where_its_site_says(open_data: Path) -> None:
    """The FZK house of KIT, Karlsruhe: 12 m by 10 m, 49.1004° N, 8.4365° E."""
    pytest.importorskip("ifcopenshell", reason="the extra « bim » is not installed")
    source = open_data / "autres" / "bim3d" / "ifc" / "AC20-FZK-Haus.ifc"
    with sql.workbench(memory_mb=512, threads=1) as con:
        (reading,) = registry.read(source, ReadOptions(), con)
        row = con.execute(
            f"SELECT name, hauteur, surface_toit, numberofstoreys, {SURFACES} FROM {reading.table}"
        ).fetchone()
    assert row is not None
    assert row[:2] == ("FZK-Haus", pytest.approx(6.52, abs=0.01))
    volume = volumes.read(row[4])
    local = metres(volume.vertices, 8.436539, 49.100435)
    ground = sum(area_m2(local, face) for face, kind in zip(volume.faces, volume.kinds, strict=True) if kind == GROUND)
    roofs = sum(area_m2(local, face) for face, kind in zip(volume.faces, volume.kinds, strict=True) if kind == ROOF)
    assert roofs == pytest.approx(row[2], abs=0.1)
    # The slab counts on both sides and its edges; the roof leans at 30° and overhangs by half a metre.
    assert ground == pytest.approx(2 * 120, rel=0.1)
    assert 120 / 0.866 < roofs < 1.35 * 120 / 0.866
