"""A place in a form, and what is known near it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pyproj import Geod

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.around import near_things
from beffroi.faces.shell.places import BadPlace, PlaceForm, read_degrees, read_zone, write_zone
from beffroi.lake import queries as lake
from faces.portal.small_town import BBOX, CODE, SOUTH, WEST

GEOD = Geod(ellps="GRS80")
TREE = (WEST + 0.002, SOUTH + 0.0092)


@pytest.mark.django_db
def test_near_things_come_nearest_first_at_their_geodesic_distance(small_town: str) -> None:
    lon, lat = TREE[0] + 0.0001, TREE[1]
    things = near_things(ANONYMOUS, lake.datasets(ANONYMOUS, territory=CODE), lon=lon, lat=lat, radius_m=40)
    # The district holds the point; the nearest tree is 8 metres away.
    assert [one.name for one in things][:2] == ["Le Bas", "Arbre 000"]
    assert [one.distance_m for one in things] == sorted(one.distance_m for one in things)
    for one in things:
        exact = GEOD.inv(lon, lat, one.lon, one.lat)[2]
        assert one.distance_m == pytest.approx(exact, rel=0.005, abs=0.02)
    assert {one.layer for one in things} >= {"Arbres", "Rues", "Quartiers"}


@pytest.mark.django_db
def test_the_page_tells_what_is_known_without_a_map(small_town: str, client: Client) -> None:
    page = client.get("/carte/ici/", {"lat": f"{TREE[1]}".replace(".", ","), "lon": TREE[0]}).content.decode()
    assert f'href="/donnees/{CODE}/arbres/fiche/' in page
    # In sentences: its first facts with their units, how far it is, who says so and of when it is.
    told = " ".join(page.split())
    assert re.search(r"Essence : \w+ ; Hauteur : \d+ m\.", told)
    assert "À cet endroit même. D’après « Arbres » (Service des espaces verts), version du 2 mars 2026." in told
    assert "data-pick=" in page
    assert "A. Bernard" not in page


@pytest.mark.django_db
def test_the_page_counts_what_meets_a_zone(small_town: str, client: Client) -> None:
    """Four trees stand in the box of the zone; its slanted side leaves two of them out."""
    zone = f"{SOUTH + 0.009} {WEST + 0.0019}\n{SOUTH + 0.0096} {WEST + 0.0019}\n{SOUTH + 0.009} {WEST + 0.0026}"
    answer = client.get("/carte/ici/", {"lat": "", "lon": "", "zone": zone})
    counted = {one.layer: one.count for one in answer.context["inside"]}
    assert counted == {"Arbres": 2, "Quartiers": 1, "Rues": 1}
    assert "couche=arbres&amp;bbox=3.0019" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"lat": "48,8", "lon": "2,3"}, "Ce lieu est loin de la commune"),
        ({"lat": "nord", "lon": "3"}, "« nord » n’est pas un angle en degrés"),
        ({"lat": "45", "lon": ""}, "Donnez la latitude et la longitude"),
        ({"lat": "", "lon": ""}, "Indiquez le lieu sur la carte"),
    ],
)
def test_a_place_that_cannot_be_is_refused_in_words(
    query: dict[str, str], said: str, small_town: str, client: Client
) -> None:
    answer = client.get("/carte/ici/", query)
    assert answer.status_code == 400
    assert said in answer.content.decode()


@pytest.mark.django_db
def test_the_map_of_a_form_is_told_only_of_the_datasets_asked_for(small_town: str, client: Client) -> None:
    address = {"lon": str(TREE[0]), "lat": str(TREE[1]), "jeux": "arbres,astreintes"}
    things = client.get("/carte/proches/", address).json()["things"]
    assert {one["layer"] for one in things} == {"Arbres"}
    assert things[0]["said"] == "Arbres : Arbre 000, à 0 m"
    assert client.get("/carte/proches/", address | {"jeux": ""}).json() == {"things": []}
    assert client.get("/carte/proches/", address | {"lat": "x"}).status_code == 400


@pytest.mark.django_db
def test_what_is_reserved_is_near_only_for_those_it_is_for(
    small_town: str, client: Client, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names told come from columns the reader sees: `releve_par` is the agents' own."""
    address = {"lon": str(TREE[0]), "lat": str(TREE[1]), "jeux": "arbres"}
    assert "L. Martin" not in client.get("/carte/proches/", address).content.decode()
    assert "L. Martin" not in client.get("/carte/ici/", address).content.decode()
    assert signed_in(Role.AGENT).get("/carte/proches/", address).status_code == 200


def test_angles_are_read_with_a_point_or_a_comma() -> None:
    assert [read_degrees(text, limit=180) for text in (" 3,25", "-0.5", "−1")] == [3.25, -0.5, -1.0]
    for text in ("", "3,2,1", "nan", "1e3", "200"):
        with pytest.raises(BadPlace):
            read_degrees(text, limit=180)


@pytest.mark.parametrize("text", ["45,01 3,02\n45,02 3,02\n45,02 3,03", "45.01, 3.02\n\n45.02, 3.02\n(45.02; 3.03)"])
def test_a_zone_is_read_as_people_write_it_and_comes_back(text: str) -> None:
    zone = read_zone(text)
    assert zone.bounds == (3.02, 45.01, 3.03, 45.02)
    assert read_zone(write_zone(zone)).equals(zone)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("45 3\n45 4", "la zone a 2 coins"),
        ("45 3\nici\n45 4", "« ici » n’est pas une latitude"),
        ("45 3\n46 4\n46 3\n45 4", "se croisent"),
        ("45 3\n95 3\n45 4", "« 95 » n’est pas un angle"),
    ],
)
def test_a_zone_that_cannot_be_read_says_where_and_how_to_mend_it(text: str, said: str) -> None:
    with pytest.raises(BadPlace, match=said):
        read_zone(text)


def test_a_form_keeps_what_was_typed_and_hands_over_numbers() -> None:
    typed = {"lon": "3,0045", "lat": "45.0102", "place_object": "arbres/12", "zone": "45 3\n45 3,01\n45,01 3,01"}
    form = PlaceForm(typed, within=BBox(*BBOX))
    assert form.is_valid(), form.errors
    assert (form.cleaned_data["lon"], form.cleaned_data["lat"]) == (3.0045, 45.0102)
    assert form.cleaned_data["zone"].area > 0
    refused = PlaceForm(typed | {"zone": "45 3"}, within=BBox(*BBOX))
    assert "la zone a 1 coins" in refused.errors["zone"][0]
    assert refused["zone"].value() == "45 3"
