"""The CRS detector, against the published definition of each French system and against points of known place."""

import math

import numpy as np
import pyproj
import pytest
import shapely

from beffroi.lake.detect.crs import CANDIDATES, CRS84, CrsFound, detect_crs, geometries_to_crs84, to_crs84, wkb_to_crs84

# Place de la Comédie, Montpellier.
COMEDIE = (3.8796, 43.6086)
MONTPELLIER = (3.807, 43.573, 3.927, 43.65)
PARIS_DEG = 2.337229167  # the meridian of Paris, as IGN defines it


def _published(code: str, lon: float, lat: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of a place as a publisher would write them in `code`, with some spread."""
    lon_s, lat_s = lon + np.linspace(-0.01, 0.01, 20), lat + np.linspace(-0.01, 0.01, 20)
    x, y = pyproj.Transformer.from_crs(CRS84, code, always_xy=True).transform(lon_s, lat_s)
    return np.asarray(x), np.asarray(y)


# The origin of each projection (false easting and northing) is its published definition, to the millimetre.
ORIGINS = [
    ("EPSG:2154", 700_000.0, 6_600_000.0, 3.0, 46.5),
    ("EPSG:3942", 1_700_000.0, 1_200_000.0, 3.0, 42.0),
    ("EPSG:3943", 1_700_000.0, 2_200_000.0, 3.0, 43.0),
    ("EPSG:3950", 1_700_000.0, 9_200_000.0, 3.0, 50.0),
    ("EPSG:32631", 500_000.0, 0.0, 3.0, 0.0),
]


@pytest.mark.parametrize(("code", "x", "y", "lon", "lat"), ORIGINS)
def test_the_origin_of_a_projection_lands_on_its_published_place(code, x, y, lon, lat):
    found = detect_crs(np.array([x]), np.array([y]), declared=code, extent=(lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1))
    moved = to_crs84(np.array([x]), np.array([y]), found)
    assert found.code == code
    assert moved[0][0] == pytest.approx(lon, abs=1e-9)
    assert moved[1][0] == pytest.approx(lat, abs=1e-9)


# NTF: the origins are given in NTF, some 50 to 100 m away from WGS 84; the shift is checked for size and direction
# by the three parameters IGN publishes (-168, -60, +320 m), computed here by hand.
NTF_ORIGINS = [
    ("EPSG:27572", 600_000.0, 2_200_000.0, 52.0),
    ("EPSG:27571", 600_000.0, 1_200_000.0, 55.0),
    ("EPSG:27573", 600_000.0, 3_200_000.0, 49.0),
    ("EPSG:27561", 600_000.0, 200_000.0, 55.0),
    ("EPSG:27562", 600_000.0, 200_000.0, 52.0),
    ("EPSG:27563", 600_000.0, 200_000.0, 49.0),
]


def _ntf_to_wgs84(lon: float, lat: float) -> tuple[float, float]:
    """Three-parameter shift from Clarke 1880 IGN to GRS 80, by the textbook formulas (IGN NT/G 80)."""
    a, b = 6378249.2, 6356515.0
    e2 = 1 - (b / a) ** 2
    phi, lam = math.radians(lat), math.radians(lon)
    n = a / math.sqrt(1 - e2 * math.sin(phi) ** 2)
    x = n * math.cos(phi) * math.cos(lam) - 168
    y = n * math.cos(phi) * math.sin(lam) - 60
    z = n * (1 - e2) * math.sin(phi) + 320
    a2, f2 = 6378137.0, 1 / 298.257223563
    e22 = f2 * (2 - f2)
    p = math.hypot(x, y)
    phi = math.atan2(z, p * (1 - e22))
    for _ in range(10):
        n = a2 / math.sqrt(1 - e22 * math.sin(phi) ** 2)
        phi = math.atan2(z + e22 * n * math.sin(phi), p)
    return math.degrees(math.atan2(y, x)), math.degrees(phi)


@pytest.mark.parametrize(("code", "x", "y", "grads"), NTF_ORIGINS)
def test_ntf_zones_follow_ign_s_published_shift(code, x, y, grads):
    lon, lat = _ntf_to_wgs84(PARIS_DEG, grads * 0.9)
    found = detect_crs(np.array([x]), np.array([y]), declared=code, extent=(lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1))
    moved = to_crs84(np.array([x]), np.array([y]), found)
    assert found.code == code
    # 1e-7 degree is 1 cm.
    assert moved[0][0] == pytest.approx(lon, abs=1e-7)
    assert moved[1][0] == pytest.approx(lat, abs=1e-7)


def test_ign_worked_example_of_lambert_1():
    # IGN, NT/G 71, ALG0003: λ = 0.14551209900 rad, φ = 0.87266462600 rad (NTF) → X = 1029705.083, Y = 272723.849 m.
    x, y = pyproj.Proj("EPSG:27561")(math.degrees(0.145512099), math.degrees(0.872664626))
    assert x == pytest.approx(1_029_705.083, abs=0.005)
    assert y == pytest.approx(272_723.849, abs=0.005)


FRENCH = [c.code for c in CANDIDATES if c.code != CRS84]
PLACES = {
    "EPSG:27571": (2.35, 48.9), "EPSG:27561": (2.35, 48.9), "EPSG:27562": (4.85, 45.75), "EPSG:27572": (4.85, 45.75),
    "EPSG:27574": (8.74, 41.92), "EPSG:27564": (8.74, 41.92), "EPSG:32630": (-1.55, 47.2), "EPSG:32632": (7.75, 48.58),
    "EPSG:5490": (-61.07, 14.6), "EPSG:2972": (-52.33, 4.93), "EPSG:2975": (55.45, -20.88),
    "EPSG:4471": (45.23, -12.78),
    "EPSG:4467": (-56.18, 46.78), "EPSG:3163": (166.45, -22.27),
    **{f"EPSG:{3900 + zone}": (2.5, float(zone)) for zone in range(42, 51)},
}  # fmt: skip


@pytest.mark.parametrize("code", FRENCH)
def test_undeclared_coordinates_are_found_from_the_extent(code):
    lon, lat = PLACES.get(code, COMEDIE)
    xs, ys = _published(code, lon, lat)
    found = detect_crs(xs, ys, extent=(lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05))
    moved = to_crs84(xs, ys, found)
    assert found.code == code
    assert np.abs(moved[0] - lon).max() < 0.0101
    assert np.abs(moved[1] - lat).max() < 0.0101
    assert "emprise" in str(found.evidence.why)


@pytest.mark.parametrize("code", ["EPSG:2154", "EPSG:3943", "EPSG:3944", "EPSG:27572", "EPSG:27573", CRS84])
@pytest.mark.parametrize("wrong", ["EPSG:4326", "EPSG:2154", "EPSG:27572", "EPSG:3946", "EPSG:3857"])
def test_a_wrong_declaration_is_contradicted(code, wrong):
    xs, ys = _published(code, *COMEDIE)
    found = detect_crs(xs, ys, declared=wrong, declared_by="fichier .prj", extent=MONTPELLIER)
    assert found.code == code


@pytest.mark.parametrize("code", ["EPSG:2154", "EPSG:3943", "EPSG:27572", "EPSG:27573", CRS84])
def test_without_extent_the_order_of_magnitude_decides_and_says_so(code):
    found = detect_crs(*_published(code, *COMEDIE))
    assert found.code == code
    assert "ordre de grandeur" in str(found.evidence.why)


@pytest.mark.parametrize("code", ["EPSG:27561", "EPSG:27562", "EPSG:27563"])
def test_zones_that_magnitude_cannot_tell_are_not_guessed(code):
    found = detect_crs(*_published(code, *PLACES.get(code, COMEDIE)))
    assert found.code is None
    assert "indiquez" in str(found.evidence.why)


def test_latitude_first_is_found_with_and_without_extent():
    xs, ys = np.array([COMEDIE[1], 43.61]), np.array([COMEDIE[0], 3.88])
    for found in (
        detect_crs(xs, ys, declared="EPSG:4326", extent=MONTPELLIER),
        detect_crs(xs, ys, declared="EPSG:4326"),
    ):
        assert found.swapped
        assert to_crs84(xs, ys, found)[0][0] == pytest.approx(COMEDIE[0])


def test_a_declared_wide_dataset_keeps_its_crs_outside_the_extent():
    xs, ys = np.array([2.8, 4.6, 2.35, -1.5]), np.array([42.7, 44.1, 48.8, 47.2])
    found = detect_crs(xs, ys, declared="EPSG:4326", declared_by="fichier .prj", extent=MONTPELLIER)
    assert (found.code, found.swapped) == (CRS84, False)
    assert "hors de l’emprise" in str(found.evidence.why)


PUBLISHER_PRJ = (
    'PROJCS["Lambert_Conformal_Conic",GEOGCS["GCS_GRS 1980(IUGG, 1980)",DATUM["D_unknown",SPHEROID["GRS80",6378137,'
    '298.257222101]],PRIMEM["Greenwich",0],UNIT["Degree",0.017453292519943295]],PROJECTION["Lambert_Conformal_Conic"],'
    'PARAMETER["standard_parallel_1",49],PARAMETER["standard_parallel_2",44],PARAMETER["latitude_of_origin",46.5],'
    'PARAMETER["central_meridian",3],PARAMETER["false_easting",700000],PARAMETER["false_northing",6600000],'
    'UNIT["Meter",1]]'
)


def test_a_prj_with_a_name_of_its_own_is_recognised_by_its_formulas():
    found = detect_crs(*_published("EPSG:2154", *COMEDIE), declared=PUBLISHER_PRJ, extent=MONTPELLIER)
    assert found.code == "EPSG:2154"


@pytest.mark.parametrize("declared", ["", "PROJCS[", "EPSG:999999", 'LOCAL_CS["plan",UNIT["m",1]]', "n'importe quoi"])
def test_an_unreadable_declaration_is_set_aside(declared):
    found = detect_crs(*_published("EPSG:2154", *COMEDIE), declared=declared, extent=MONTPELLIER)
    assert found.code == "EPSG:2154"


def test_a_known_foreign_crs_is_believed_when_declared():
    # 31370: Belgian Lambert 72, not one of ours.
    xs, ys = _published("EPSG:31370", 4.35, 50.85)
    found = detect_crs(xs, ys, declared="EPSG:31370")
    assert found.code == "EPSG:31370"
    assert to_crs84(xs, ys, found)[1].mean() == pytest.approx(50.85, abs=1e-4)


@pytest.mark.parametrize("values", [[], [float("nan")], [float("inf")], [0.0]])
def test_nothing_to_look_at_is_said(values):
    found = detect_crs(np.array(values), np.array(values))
    assert "aucune coordonnée" in str(found.evidence.why)


def test_absurd_coordinates_have_no_crs():
    found = detect_crs(np.array([1e12, 3e15]), np.array([9e9, -4e14]), extent=MONTPELLIER)
    assert found.code is None


def _lambert93() -> CrsFound:
    return detect_crs(*_published("EPSG:2154", *COMEDIE), extent=MONTPELLIER)


def test_heights_are_kept_and_measures_dropped():
    texts = [
        "POINT Z (767686 6279032 12)",
        "POINT ZM (767686 6279032 12 5)",
        "POINT M (767686 6279032 5)",
        "POINT EMPTY",
    ]
    moved = shapely.from_wkb(wkb_to_crs84(shapely.to_wkb(shapely.from_wkt(texts)), _lambert93()))
    assert [g.has_z for g in moved] == [True, True, False, False]
    assert not shapely.has_m(moved).any()
    assert [g.z for g in moved[:2]] == [12, 12]


def test_a_geometry_with_one_absurd_point_is_lost_alone():
    geometries = shapely.from_wkt(["LINESTRING (767686 6279032, 1e30 5)", "POINT (767686 6279032)"])
    moved = geometries_to_crs84(geometries, _lambert93())
    assert moved[0] is None
    assert moved[1].y == pytest.approx(43.607, abs=1e-3)
