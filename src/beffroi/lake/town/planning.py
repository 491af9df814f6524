"""What may be built, as the State and the town publish it: local plan (CNIG), easements, flood plan, priority district.

Each comes in the archive of its real producer, its tables linked by the keys of the standard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Layer, Writer
from beffroi.lake.town.plan import INSEE, Fabric
from beffroi.lake.town.shapes import Array, Geometries
from beffroi.lake.town.streets import Way
from beffroi.lake.town.zones import planning_zones

DOCUMENT = f"{INSEE}_PLU_20250115"
_RULES = f"{INSEE}_reglement_20250115.pdf"
_PLU_LABEL = {
    "UA": "Zone urbaine du centre ancien",
    "UB": "Zone urbaine des faubourgs et des extensions",
    "UC": "Zone urbaine résidentielle",
    "UE": "Zone d'activités économiques",
    "1AU": "Zone à urbaniser à court terme",
    "A": "Zone agricole",
    "N": "Zone naturelle et forestière",
}
_PAGE = {label: 8 + 9 * rank for rank, label in enumerate(_PLU_LABEL)}
_HEIGHT_M = {
    Fabric.CORE: 18, Fabric.FAUBOURG: 15, Fabric.GRID: 15, Fabric.ESTATE: 24, Fabric.SUBURB: 9, Fabric.ACTIVITY: 12,
    Fabric.FUTURE: 12, Fabric.HAMLET: 9,
}  # fmt: skip
_MONUMENTS = ("eglise", "mairie")
_POLYGON = 3
AROUND_M = 500.0
"""Article L. 621-30 of the heritage code, where no perimeter is drawn."""


def write_plan(city: City, writer: Writer) -> None:
    """Write the local plan, the easements of monuments, the flood plan and the priority district."""
    _write_local_plan(city, writer)
    _write_monuments(city, writer)
    _write_flood_plan(city, writer)
    _write_priority_district(city, writer)


def _said(count: int, label: str, code: str, *, text: str = "", file: str = "") -> dict[str, list[str]]:
    kind, sub = code.split("-")
    return {
        "LIBELLE": [label] * count,
        "TXT": [text] * count,
        "TYPEPSC": [kind] * count,
        "STYPEPSC": [sub] * count,
        "NOMFIC": [file] * count,
        "URLFIC": [""] * count,
        "IDURBA": [DOCUMENT] * count,
        "DATVALID": ["20250115"] * count,
    }


def _together(parts: Sequence[tuple[Geometries, Mapping[str, list[str]]]]) -> Layer:
    shapes = np.concatenate([shape for shape, _said in parts])
    columns = {key: [value for _shape, said in parts for value in said[key]] for key in parts[0][1]}
    return Layer(shapes, columns)


def _write_local_plan(city: City, writer: Writer) -> None:
    writer.shapefiles(
        f"urbanisme/{DOCUMENT}.zip",
        "Plan local d'urbanisme",
        {
            f"{INSEE}_ZONE_URBA_20250115": _zones(city),
            f"{INSEE}_PRESCRIPTION_SURF_20250115": _areas(city),
            f"{INSEE}_PRESCRIPTION_LIN_20250115": _lines(city),
            f"{INSEE}_PRESCRIPTION_PCT_20250115": _points(city),
            f"{INSEE}_INFO_SURF_20250115": _perimeters(city),
        },
    )


def _zones(city: City) -> Layer:
    shapes, label, _ = planning_zones(city.network)
    kind = np.array(["AUc" if text == "1AU" else text[0] for text in label.tolist()])
    return Layer(
        shapes,
        {
            "LIBELLE": label,
            "LIBELONG": [_PLU_LABEL[text] for text in label.tolist()],
            "TYPEZONE": kind,
            "DESTDOMI": np.select([kind == "A", kind == "N", label == "UE"], ["07", "08", "02"], "01"),
            "NOMFIC": [f"{_RULES}#page={_PAGE[text]}" for text in label.tolist()],
            "URLFIC": [""] * len(shapes),
            "IDURBA": [DOCUMENT] * len(shapes),
            "DATVALID": ["20250115"] * len(shapes),
        },
    )


def _areas(city: City) -> Layer:
    """Heights block by block, woods, plots kept for public works, and where the river may rise."""
    heights = np.array([_HEIGHT_M.get(Fabric(code), 0) for code in range(len(Fabric))])[city.blocks.fabric]
    parts = [
        (city.blocks.shape[heights == one], _said(int((heights == one).sum()), "Hauteur maximale", "39-02",
                                                  text=f"{one} m", file=_RULES))
        for one in sorted(set(heights.tolist()) - {0})
    ]  # fmt: skip
    woods = city.network.cells[city.network.fabric == Fabric.WOOD]
    parts.append((woods, _said(len(woods), "Espace boisé classé", "01-00", text="EBC")))
    free = np.flatnonzero(city.parcels.program == "parking")[:3]
    kept = city.parcels.shape[free]
    parts.append((kept, _said(len(kept), "Emplacement réservé pour un équipement public", "05-02", text="ER")))
    flooded = shapely.get_parts(np.array([_flooded(city, 60.0)], dtype=object))
    flooded = flooded[shapely.get_type_id(flooded) == _POLYGON]
    parts.append(
        (flooded, _said(len(flooded), "Constructions sous conditions, au bord de l'Onde", "02-02", text="PPRI"))
    )
    return _together(parts)


def _lines(city: City) -> Layer:
    way = city.network.way[city.network.street_of_segment]
    main = np.flatnonzero(way <= Way.AVENUE)
    return _together([(city.network.segments[main], _said(len(main), "Implantation à l'alignement", "15-01"))])


def _points(city: City) -> Layer:
    shapes = shapely.point_on_surface(city.buildings.shape[_monuments(city)])
    return _together([(shapes, _said(len(shapes), "Patrimoine bâti à protéger", "07-01", text="L151-19"))])


def _perimeters(city: City) -> Layer:
    shapes, label, _ = planning_zones(city.network)
    built = np.char.startswith(label, "U") | np.char.startswith(label, "1AU")
    count = int(built.sum())
    return Layer(
        shapes[built],
        {
            "LIBELLE": ["Droit de préemption urbain"] * count,
            "TXT": ["DPU"] * count,
            "TYPEINF": ["04"] * count,
            "STYPEINF": ["00"] * count,
            "NOMFIC": [f"{INSEE}_info_surf_04_00_20250115.pdf"] * count,
            "URLFIC": [""] * count,
            "IDURBA": [DOCUMENT] * count,
            "DATVALID": ["20250115"] * count,
        },
    )


def _monuments(city: City) -> Array:
    chosen: Array = np.flatnonzero(np.isin(city.buildings.program, _MONUMENTS) & city.buildings.main)
    return chosen


def _flooded(city: City, width_m: float) -> shapely.Geometry:
    wide = shapely.difference(shapely.buffer(city.network.river, width_m), city.network.river)
    return shapely.intersection(wide, city.network.boundary)


def _write_monuments(city: City, writer: Writer) -> None:
    """Write the easement of each monument: its footprint, its surroundings, the order that protects it."""
    chosen = _monuments(city)
    prints, count = city.buildings.shape[chosen], len(chosen)
    around = shapely.intersection(shapely.buffer(prints, AROUND_M, quad_segs=12), city.network.boundary)
    ids = [f"AC1-000000018-{index + 1:08d}" for index in range(count)]
    names = [
        "Hôtel de ville" if program == "mairie" else f"Église n° {rank + 1}"
        for rank, program in enumerate(city.buildings.program[chosen].tolist())
    ]
    years = (1900 + city.rng("monuments").integers(5, 95, count)).tolist()
    writer.shapefiles(
        "urbanisme/000000018_AC1_00_20250115.zip",
        "Servitudes des monuments historiques",
        {
            "AC1_ASSIETTE_SUP_S": Layer(
                np.concatenate([prints, around]),
                {
                    "IdGen": [*ids, *ids],
                    "idAss": [f"{one}-{rank + 1}" for rank, one in enumerate([*ids, *ids])],
                    "nomAss": [*(f"AC1_{one}_ass" for one in ids), *(f"AC1_Abords-{one}_ass" for one in ids)],
                    "typeAss": ["Périmètre de protection"] * (2 * count),
                    "ModegeoAss": ["Egal au générateur"] * count + ["Zone tampon"] * count,
                    "paramcalc": [0] * count + [int(AROUND_M)] * count,
                    "srcGeoAss": ["Cadastre"] * (2 * count),
                },
            ),
            "AC1_GENERATEUR_SUP_S": Layer(
                prints, {"IdGen": ids, "IdSup": ids, "typeGen": ["Monument"] * count, "type": ["Inscrit"] * count}
            ),
            "AC1_SERVITUDE": Layer(
                None,
                {
                    "IdSup": ids,
                    "nomSupLitt": names,
                    "categorie": ["AC1"] * count,
                    "descriptio": [f"Inscription par arrêté du 12 mars {year}" for year in years],
                },
            ),
            "AC1_ACTE_SUP": Layer(
                None,
                {
                    "IdActe": [f"{one}-1" for one in ids],
                    "typeActe": ["Arrêté préfectoral"] * count,
                    "fichier": [f"{one}_{year}0312_act.pdf" for one, year in zip(ids, years, strict=True)],
                    "dateDecis": [f"{year}0312" for year in years],
                },
            ),
        },
    )


def _write_flood_plan(city: City, writer: Writer) -> None:
    """Write the regulatory zones of the flood plan, and the procedure that made them."""
    code = "00DDTM20180001"
    inner, outer = _flooded(city, 30.0), shapely.difference(_flooded(city, 90.0), _flooded(city, 30.0))
    parts, index = shapely.get_parts(np.array([inner, outer], dtype=object), return_index=True)
    kept = shapely.get_type_id(parts) == _POLYGON
    parts, index = parts[kept], index[kept]
    layer = f"pprn_{code.lower()}"
    writer.geopackages(
        f"urbanisme/{layer}.gpkg",
        "Plan de prévention du risque d'inondation",
        {
            f"{layer}_zonereglementaireurba_s": Layer(
                parts,
                {
                    "idzonereglementaire": [str(rank + 1) for rank in range(len(parts))],
                    "codeprocedure": [code] * len(parts),
                    "codezonereglement": np.array(["R", "B"])[index],
                    "libellezonereglement": np.array(["Zone rouge - R", "Zone bleue - B"])[index],
                    "typereglement": np.array(["04", "02"])[index],
                },
            ),
            f"{layer}_perimetre_s": Layer(
                np.array([shapely.union_all(parts)], dtype=object),
                {"codeprocedure": [code], "etatprocedure": ["APPROUVE"], "dateetat": ["2018-06-20"]},
            ),
            f"{layer}_procedure": Layer(
                None, {"codeprocedure": [code], "libelleprocedure": ["PPRI de l'Onde"], "typeprocedure": ["PPRN-I"]}
            ),
        },
    )


def _write_priority_district(city: City, writer: Writer) -> None:
    """Write the priority district: where the large estates are."""
    built = (Fabric.ESTATE, Fabric.GRID, Fabric.FAUBOURG, Fabric.SUBURB)
    kind = next(one for one in built if (city.network.fabric == one).any())
    shape = shapely.union_all(city.network.cells[city.network.fabric == kind])
    largest = max(shapely.get_parts(np.array([shape], dtype=object)), key=shapely.area)
    writer.geojson(
        "urbanisme/qpv.geojson",
        "Quartiers prioritaires",
        np.array([largest], dtype=object),
        {"code_qp": ["QN00001M"], "nom_qp": ["Les Grands Prés"], "code_commune": [INSEE]},
    )
