"""The home page, the search and what is around: what they show, and that they work without JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.results import KINDS, ONE_OF, distance_text, when
from beffroi.sense.places.queries import Entry, Kind
from faces.portal.small_town import CODE, NAME

pytestmark = pytest.mark.django_db


def searched(client: Client, **asked: str) -> Any:
    answer = client.get("/recherche/", asked)
    assert answer.status_code == 200
    return answer


def test_answers_come_by_kind_the_best_first(small_town: str, client: Client) -> None:
    answer = searched(client, q="les ARBRES d'alignement")
    assert [group.kind for group in answer.context["groups"]] == [Kind.DATASET]
    answer = searched(client, q="fourrière")
    groups = {group.kind: group for group in answer.context["groups"]}
    assert [one.title for one in groups[Kind.PLACE].results] == ["Fourrière du Bas"]
    assert groups[Kind.SERVICE].results[0].url == "/services/1-23/"
    (place,) = groups[Kind.PLACE].results
    assert (place.category, place.details) == ("Fourrière automobile", "12 Rue du Lavoir")
    assert place.when.replace("\u00a0", " ").startswith("lundi au vendredi : 8 h 30")
    assert place.map_url in answer.content.decode().replace("&amp;", "&")


def test_an_address_leads_to_its_place_on_the_map(small_town: str, client: Client) -> None:
    (group,) = searched(client, q="12 bis grande rue", genre="street").context["groups"]
    (address,) = group.results
    assert address.title == "12 bis Grande Rue"
    assert address.url == "/carte/#z=18.00&lat=45.00892&lon=3.00320"


def test_a_kind_is_a_filter_that_counts(small_town: str, client: Client) -> None:
    answer = searched(client, q="arbre")
    assert {group.kind: group.count for group in answer.context["filters"]} == {Kind.PLACE: 120, Kind.DATASET: 1}
    assert [(group.kind, len(group.results)) for group in answer.context["groups"]] == [
        (Kind.DATASET, 1),
        (Kind.PLACE, 5),
    ]
    assert "?q=arbre&amp;genre=place" in answer.content.decode()
    chosen = searched(client, q="arbre", genre="place")
    assert [group.kind for group in chosen.context["groups"]] == [Kind.PLACE]
    assert len(chosen.context["groups"][0].results) == 60
    assert len(chosen.context["filters"]) == 2
    assert len(searched(client, q="arbre", genre="inconnu").context["groups"]) == 2


def test_a_slip_is_forgiven_and_said(small_town: str, client: Client) -> None:
    page = searched(client, q="fouriere").content.decode()
    assert "Rien pour « fouriere »" in page
    assert "pour « fourrière »" in page


def test_a_search_that_finds_nothing_shows_where_to_go(small_town: str, client: Client) -> None:
    page = searched(client, q="<xylophone>").content.decode()
    assert "Rien ne correspond" in page
    assert "&lt;xylophone&gt;" in page
    assert all(f'href="{address}"' in page for address in ("/services/", "/autour/", "/donnees/", "/urgences/"))


def test_what_is_reserved_is_found_by_its_readers_alone(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    assert "Astreintes" not in searched(client, q="astreintes").content.decode()
    assert f"/donnees/{CODE}/astreintes/" in searched(signed_in(Role.AGENT), q="astreintes").content.decode()


def test_home_leads_to_the_twelve_themes_and_to_every_need(small_town: str, client: Client) -> None:
    answer = client.get("/")
    page, offered = answer.content.decode(), [one.use_case for one in answer.context["services"]]
    themes = [theme for theme in catalogue.themes() if theme.workshop]
    assert len(themes) == 12
    assert all(f'href="/services/?theme={theme.slug}"' in page for theme in themes)
    # Twelve of them, by what one needs: one of each theme that has any comes before a second of the same.
    assert len(offered) == 12
    assert all(escape(one.need) in page for one in offered)
    known = catalogue.with_data(catalogue.use_cases(territory=small_town, states=OPEN_STATES), small_town)
    ours = {one.use_case.themes[0] for one in known if Audience.RESIDENT in one.use_case.audience}
    assert {one.themes[0] for one in offered} == ours - {"plateforme"}
    assert 'href="/urgences/"' in page
    words = json.loads(re.search(r'data-kinds="([^"]*)"', page)[1].replace("&quot;", '"'))  # type: ignore[index]
    assert set(words) == {kind.value for kind in Kind}


def test_every_kind_has_its_name() -> None:
    assert set(ONE_OF) == set(Kind)
    assert set(KINDS) == set(Kind) - {Kind.ADDRESS}


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, {"1-23"}),
        ({"theme": "proprete-sante"}, {"1-23"}),
        ({"theme": "finances", "public": "citoyen"}, {"5-13"}),
        ({"public": "elu", "q": "fourriere"}, set()),
        ({"public": "elu"}, {"G-08"}),
        ({"public": "citoyen", "q": "fourriere"}, {"1-23"}),
        ({"theme": "nulle-part", "public": "personne"}, {"1-23"}),
    ],
)
def test_services_are_kept_by_theme_and_public(
    asked: dict[str, str], ids: set[str], small_town: str, client: Client
) -> None:
    groups = client.get("/services/", asked).context["groups"]
    shown = {one.use_case.id for _title, some in groups for one in some}
    assert ids <= shown
    assert bool(shown) == bool(ids)


def test_around_an_address_the_nearest_of_each_sort(small_town: str, client: Client) -> None:
    answer = client.get("/autour/", {"ou": "12 grande rue"})
    assert answer.status_code == 200
    assert answer.context["here"].label == f"12 Grande Rue 00100 {NAME}"
    near = {one.category or one.title: one for one in answer.context["near"]}
    # The pound stands at 3.0040, 45.0090: 63 m to the east and 9 m to the north.
    assert near["Fourrière automobile"].distance == "60 m"
    page = answer.content.decode()
    assert "à vol d’oiseau" in page
    assert page.index("Fourrière du Bas") < page.index("Bureau des objets trouvés")


def test_around_asks_which_address_when_several_answer(small_town: str, client: Client) -> None:
    answer = client.get("/autour/", {"ou": "rue"})
    assert answer.status_code == 200
    assert answer.content.decode().count('type="radio"') == 3
    chosen = client.get("/autour/", {"ou": "rue", "ou_choice": f"Rue du Beffroi 00100 {NAME}"})
    assert chosen.context["here"].label == f"Rue du Beffroi 00100 {NAME}"


def test_around_nothing_says_so(small_town: str, client: Client) -> None:
    place = {"ou": "Là-bas", "ou_label": "Là-bas", "ou_lon": "5.5", "ou_lat": "44.2"}
    page = client.get("/autour/", place).content.decode()
    assert "Rien à moins de cinq kilomètres" in page
    assert client.get("/autour/").status_code == 200


@pytest.mark.parametrize(
    ("metres", "said"), [(3, "10 m"), (347, "350 m"), (994, "990 m"), (999, "1,0 km"), (4321, "4,3 km")]
)
def test_distances_are_said_without_false_precision(metres: float, said: str) -> None:
    assert distance_text(metres) == said


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Entry(Kind.EVENT, "Bal", start="2026-07-14T21:30:00"), "mardi 14 juillet 2026, 21:30"),
        (Entry(Kind.EVENT, "Bal", start="2026-07-14"), "mardi 14 juillet 2026"),
        (Entry(Kind.EVENT, "Bal", start="cet été"), "cet été"),
        (Entry(Kind.PLACE, "Parc", hours="sur rendez-vous"), "sur rendez-vous"),
        (Entry(Kind.PLACE, "Parc"), ""),
    ],
)
def test_moments_are_said_in_words(entry: Entry, said: str) -> None:
    assert when(entry) == said
