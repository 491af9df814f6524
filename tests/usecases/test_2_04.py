"""2-04, lighting.

« lamps with power, colour temperature, hours, coverage gaps, cost/energy of a scenario, whole public space against
street profile and not only the carriageway, scenario may add lamps or lit street furniture ».
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from beffroi.base.journal.models import Event
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.layer_settings import LightedArea, Lighting
from beffroi.lake.operations import import_source
from beffroi.sense.twin.lighting import operations, queries
from beffroi.sense.twin.lighting.actions import Action, BadAction, Where, read_action
from beffroi.sense.twin.lighting.coverage import linked
from beffroi.sense.twin.lighting.effects import Effects, Lit, effects
from beffroi.sense.twin.lighting.nights import nights
from beffroi.sense.twin.lighting.standards import MAINTENANCE
from faces.portal.small_town import AT, CODE, SOUTH, WEST
from territory_makers import make_person
from usecases.reading import text_of

pytestmark = pytest.mark.django_db

LON, LAT = WEST + 0.010, SOUTH + 0.010
NORTH = 1 / 111_195
EAST = NORTH / math.cos(math.radians(LAT))
STAFF = Viewer(1, (Grant(CODE, Role.AGENT),))
WANTED = Lighting(
    lamps="points-lumineux", districts="secteurs",
    areas=[LightedArea(dataset="squares", part="park", values=["Square"])],
)  # fmt: skip
STREET_M = 300


def at(x: float, y: float) -> list[float]:
    return [LON + x * EAST, LAT + y * NORTH]


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [at(west, south), at(east, south), at(east, north), at(west, north), at(west, south)]
    return {"type": "Polygon", "coordinates": [ring]}


def collection(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    features = [{"type": "Feature", "properties": told, "geometry": shape} for told, shape in rows]
    return json.dumps({"type": "FeatureCollection", "features": features})


def inventory() -> str:
    """Lamps every 25 m on the south of the west half of Rue Claire; the second of two is of sodium, out by night."""
    lines = ["id_pl;voie;source;puissance_w;temperature_de_couleur_k;flux_lm;hauteur_m;extinction;date_de_pose;lon;lat"]
    for n in range(6):
        lon, lat = at(12.5 + 25 * n, -4)
        told = ("LED;40;4000;5000;6;Aucune;2022-01-01" if n == 0 else "LED;40;2700;5000;6;Aucune;2019-01-01"
                if n % 2 == 0 else "Sodium haute pression;100;2000;9000;6;23h30-5h30;1998-01-01")  # fmt: skip
        lines.append(f"L{n};Rue Claire;{told};{lon:.7f};{lat:.7f}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def lit_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A street of 300 m, 6 m of carriageway and 4 m on each side, a footpath nobody lights, a square."""
    folder = tmp_path_factory.mktemp("eclairage")
    street = {"type": "LineString", "coordinates": [at(0, 0), at(STREET_M, 0)]}
    path = {"type": "LineString", "coordinates": [at(150, 60), at(150, 160)]}
    roads = [
        ({"nom_voie": "Rue Claire", "nature": "Route à 1 chaussée", "largeur": 6.0, "urbain": "Oui"}, street),
        ({"nom_voie": "Sentier Noir", "nature": "Sentier", "largeur": 2.0, "urbain": "Oui"}, path),
    ]
    parcels = [({"id": name}, box(-5, low, STREET_M + 5, high)) for name, low, high in (("N", 7, 50), ("S", -50, -7))]
    sources = {
        "points-lumineux": ("points_lumineux.csv", inventory()),
        "troncons-route": ("routes.geojson", collection(roads)),
        "parcelles": ("parcelles.geojson", collection(parcels)),
        "secteurs": ("secteurs.geojson", collection([({"nom": "Ouest"}, box(-9, -60, 75, 60)),
                                                      ({"nom": "Est"}, box(75, -60, 310, 60))])),
        "squares": ("squares.geojson", collection([
            ({"nom": "Square Sombre", "nature": "Square", "ouvert_public": True}, box(400, 0, 440, 40)),
            ({"nom": "Le Bois", "nature": "Bois", "ouvert_public": True}, box(500, 0, 600, 100))])),
    }  # fmt: skip
    lamps = definition_named("points-lumineux", "", load_definitions()[0])
    for slug, (name, text) in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
        done = import_source(
            folder / name, territory=CODE, slug=slug, at=AT, lake=folder / "lake", announce=False,
            definition=lamps if slug == "points-lumineux" else Definition(slug),
        )  # fmt: skip
        assert done.version, done.reason
    return folder / "lake"


@pytest.fixture
def town(lit_lake: Path, settings: Any, small_town: str) -> str:
    settings.LAKE_DIR = lit_lake
    return small_town


@pytest.fixture
def lit(town: str) -> Lit:
    found = queries.lit(STAFF, lake.datasets(STAFF, territory=CODE), WANTED, zone="Europe/Paris")
    assert found is not None
    return found


def dark_hours(lat: float) -> float:
    """Reckon the hours from sunset to sunrise of a year by a second method: the sun's place by Meeus, day by day."""
    total = 0.0
    for day in range(365):
        age = (day + 0.5 + 9131) / 36525
        mean, way = math.radians(280.46646 + 36000.76983 * age), math.radians(357.52911 + 35999.05029 * age)
        centre = 1.914602 * math.sin(way) + 0.019993 * math.sin(2 * way) + 0.000289 * math.sin(3 * way)
        tilt = math.asin(math.sin(math.radians(23.4367)) * math.sin(mean + math.radians(centre)))
        here = math.radians(lat)
        half = math.acos(
            math.cos(math.radians(90.833)) / (math.cos(here) * math.cos(tilt)) - math.tan(here) * math.tan(tilt)
        )
        total += 24 - 2 * math.degrees(half) / 15
    return total


def test_a_year_has_its_dark_hours() -> None:
    for lat in (43.6, 48.8566, 50.6):
        assert nights(lat, 2.3522, "Europe/Paris").hours == pytest.approx(dark_hours(lat), rel=3e-3)
    # It is always dark at one in the morning, never at noon.
    by_slot = nights(48.8566, 2.3522, "Europe/Paris").by_slot
    assert (by_slot[12], by_slot[144]) == (pytest.approx(365 / 12), 0.0)


def test_the_light_of_a_lamp_is_kept_whole_on_the_ground() -> None:
    # What falls within R of the foot is flux × (1 - h/√(R²+h²)): the solid angle seen from the lamp.
    side = np.arange(-40.25, 40.5, 0.5)
    ground = np.array(np.meshgrid(side, side)).reshape(2, -1).T
    links = linked(ground, np.array([[0.0, 0.0]]), np.array([6.0]))
    lux = links.lux(np.array([1000.0]), len(ground))
    inside = np.hypot(*ground.T) <= 40
    expected = 1000 * MAINTENANCE * (1 - 6 / math.hypot(40, 6))
    assert float(lux[inside].sum() * 0.25) == pytest.approx(expected, rel=5e-3)


def test_energy_is_power_times_the_hours_it_burns(lit: Lit) -> None:
    today = effects(lit)
    night = lit.nights.hours
    # 23:30 to 5:30 is dark six hours of each day of winter, less in June: reckoned apart, slot by slot.
    out = float(lit.nights.by_slot[282:].sum() + lit.nights.by_slot[:66].sum())
    assert (today.lamps, today.power_kw) == (6, pytest.approx(0.42))
    assert today.kwh == pytest.approx((3 * 40 * night + 3 * 100 * (night - out)) / 1000)
    assert [(share.name, share.lamps) for share in today.districts] == [("Ouest", 3), ("Est", 3)]
    assert sum(share.kwh for share in today.districts) == pytest.approx(today.kwh)


def test_the_whole_public_space_counts_by_profile_not_only_the_carriageway(lit: Lit) -> None:
    today = effects(lit)
    covers = {one.part: one for one in today.covers}
    # 300 m × 6 m of carriageway, 300 m × 2 × 4 m beside it up to the parcels; the wood is no public space to light.
    assert covers["carriageway"].area_m2 == pytest.approx(1800, rel=0.01)
    assert covers["side"].area_m2 == pytest.approx(2400, rel=0.01)
    assert (covers["path"].area_m2, covers["park"].area_m2) == (
        pytest.approx(200, rel=0.01),
        pytest.approx(1600, rel=0.01),
    )
    # 14 m from parcel to parcel.
    wide = next(one for one in today.profiles if one.name == "wide")
    assert (wide.lamps, wide.area_m2) == (6, pytest.approx(4200, rel=0.01))
    assert covers["carriageway"].evening == pytest.approx(0.55, abs=0.08)
    assert covers["carriageway"].night < covers["carriageway"].evening
    assert (covers["path"].evening, covers["park"].evening) == (0.0, 0.0)
    found = {(one.place, one.part): one for one in today.gaps}
    # Lamps stop at 137.5 m: the east of the street is dark, and so are the footpath and the square.
    assert found["Rue Claire", "carriageway"].length_m == pytest.approx(140, abs=20)
    assert {"Sentier Noir", "Square Sombre"} <= {place for place, _part in found}
    assert found["Square Sombre", "park"].area_m2 == pytest.approx(1600, rel=0.01)


def gained(lit: Lit, *actions: Action) -> tuple[Effects, Effects]:
    return effects(lit), effects(lit, actions)


def test_a_scenario_puts_out_dims_swaps_and_adds_lamps_or_lit_furniture(lit: Lit) -> None:
    today, out = gained(lit, Action("off", Where(district="Ouest"), 23 * 60, 5 * 60))
    assert (out.changed, out.kwh < today.kwh) == (3, True)
    assert [a.kwh == pytest.approx(b.kwh) for a, b in zip(today.districts, out.districts, strict=True)] == [
        False,
        True,
    ]
    # Sodium cannot be dimmed: told, and burnt as before.
    _today, dimmed = gained(lit, Action("dim", Where(), 22 * 60, 6 * 60, 0.5))
    assert (dimmed.changed, dimmed.undimmed) == (3, 3)
    hours = float(lit.nights.by_slot[264:].sum() + lit.nights.by_slot[:72].sum())
    assert today.kwh - dimmed.kwh == pytest.approx(3 * 40 * 0.5 * hours / 1000)
    _today, swapped = gained(
        lit, Action("swap", Where(source="other"), power_w=30, flux_lm=4000, kelvin=2400, unit_eur=500)
    )
    assert (swapped.spent_eur, swapped.power_kw) == (1500, pytest.approx(0.21))
    lon, lat = at(150, 110)
    lamp = {"kind": "add", "lon": lon, "lat": lat, "height_m": 4, "power_w": 20, "flux_lm": 2500, "kelvin": 2400,
            "unit_eur": 2000}  # fmt: skip
    bench_lon, bench_lat = at(420, 20)
    bench = {**lamp, "lon": bench_lon, "lat": bench_lat, "height_m": 3, "what": "bench", "solar": True}
    _today, more = gained(lit, read_action({**lamp, "what": "lamp"}), read_action(bench))
    assert (more.added, more.lamps, more.spent_eur) == (2, 8, 4000)
    # The solar bench takes nothing from the network; both light what was dark.
    assert more.kwh - today.kwh == pytest.approx(20 * lit.nights.hours / 1000)
    before, after = ({one.part: one.evening for one in each.covers} for each in (today, more))
    assert after["path"] > before["path"]
    assert after["park"] > before["park"]
    assert after["carriageway"] == pytest.approx(before["carriageway"])
    with pytest.raises(BadAction):
        read_action({**lamp, "what": "lamp", "height_m": 400})


def test_agents_write_officials_read_and_nobody_else(
    town: str, signed_in: Callable[..., Client], client: Client
) -> None:
    assert client.get("/eclairage/").status_code == 302
    assert signed_in(Role.RESIDENT).get("/eclairage/").status_code == 403
    official, agent = signed_in(Role.ELECTED), signed_in(Role.AGENT)
    page = text_of(agent.get("/eclairage/"))
    assert "1 point lumineux dépasse 3 000 K, dont 1 posé depuis le 1er janvier 2020" in page
    assert "Rue Claire : sombre sur" in page
    # A part of the public space that the town has not is not told.
    assert "Places et rues piétonnes" not in page
    new = {"title": "Nuit noire", "price_eur": "0,20", "price_source": "Marché du syndicat, 2026"}
    assert official.post("/eclairage/", new).status_code == 403
    made = agent.post("/eclairage/", new)
    address = made["Location"]
    hours = {"act": "hours", "kind": "off", "start": "23:00", "end": "05:00", "share": "50"}
    assert agent.post(address, hours).status_code == 302
    assert official.post(address, hours).status_code == 403
    # A colour the decree forbids is refused where it is typed, and nothing typed is lost.
    cold = {"act": "swap", "power_w": "30", "flux_lm": "4000", "kelvin": "4000", "unit_eur": "500"}
    refused = agent.post(address, cold)
    assert (refused.status_code, "interdit pour l’éclairage des voies" in text_of(refused)) == (400, True)
    assert agent.post(address, {**cold, "kelvin": "2400", "source": "other"}).status_code == 302
    lon, lat = at(150, 110)
    lamp = {
        **cold,
        "act": "add",
        "kelvin": "2700",
        "what": "shelter",
        "height_m": "3",
        "lat": f"{lat:.6f}",
        "lon": f"{lon:.6f}",
    }
    assert agent.post(address, lamp).status_code == 302
    read = official.get(address)
    assert read.context["acts"][0] == "Éteindre de 23 h à 5 h : toutes les lampes"
    done = read.context["done"]
    assert (done.added, done.spent_eur) == (1, 2000)
    compared = text_of(official.get("/eclairage/"))
    cost = f"{round(done.kwh * 0.2)} €"
    assert "Nuit noire" in compared
    assert cost in compared
    assert agent.post(address, {"act": "remove", "rank": "0"}).status_code == 302
    assert len(official.get(address).context["acts"]) == 2
    assert agent.post(address, {"act": "withdraw"}).status_code == 302
    assert official.get(address).status_code == 404


def test_a_scenario_is_kept_with_its_price_and_told_to_the_journal(town: str) -> None:
    agent = Viewer(make_person(Role.AGENT, territory=CODE), STAFF.grants)
    number = operations.keep_scenario(
        agent, CODE, title=" Sobre ", price_eur=Decimal("0.21"), price_source="Facture de 2025", at=AT
    )
    operations.add_action(agent, CODE, number, Action("on", Where(street="rue claire")), at=AT)
    kept = queries.scenario(STAFF, CODE, number)
    assert (kept.title, kept.price_eur, kept.actions) == (
        "Sobre",
        Decimal("0.2100"),
        (Action("on", Where(street="rue claire")),),
    )
    with pytest.raises(BadAction):
        operations.keep_scenario(agent, CODE, title="Cher", price_eur=Decimal(9), price_source="", at=AT)
    with pytest.raises(queries.ScenarioNotFound):
        queries.scenario(Viewer(1, (Grant("00002", Role.AGENT),)), "00002", number)
    told = list(Event.objects.filter(subject=f"lighting:{CODE}/{number}").values_list("kind", flat=True))
    assert told == ["lighting.scenario_kept", "lighting.scenario_kept"]


def test_the_map_shows_the_dark_places_that_are_listed(town: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    found = agent.get("/eclairage/manques.geojson").json()["features"]
    page = agent.get("/eclairage/")
    assert [one["properties"]["title"] for one in found] == [
        f"{line.name} : {line.said}" for line in page.context["gaps"]
    ]
    assert "no-store" in page["Cache-Control"]
