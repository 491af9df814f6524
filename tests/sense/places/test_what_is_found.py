"""What people find in the small town: by words, with slips, by address, by nearness."""

from __future__ import annotations

import pytest

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.sense.places import queries as places
from beffroi.sense.places.queries import BadPlaceQuery, Kind
from faces.portal.small_town import AT

pytestmark = pytest.mark.django_db


def titles(town: str, text: str, *kinds: Kind) -> list[str]:
    return [hit.title for hit in places.search(ANONYMOUS, town, text, kinds=kinds).hits]


@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("fourrière", Kind.PLACE, "Fourrière du Bas"),
        ("FOURRIERE", Kind.PLACE, "Fourrière du Bas"),
        ("fouriere", Kind.PLACE, "Fourrière du Bas"),
        ("fo", Kind.PLACE, "Fourrière du Bas"),
        ("consigne velo", Kind.PLACE, "Consigne à vélos"),
        ("parc des essais", Kind.PLACE, "Parc des Essais"),
        ("l'église", Kind.STREET, "Rue de l’Église"),
        ("r. de l eglise", Kind.STREET, "Rue de l’Église"),
        ("grnade rue", Kind.STREET, "Grande Rue"),
        ("granderue", Kind.STREET, "Grande Rue"),
        ("12 bis grande rue", Kind.ADDRESS, "12 bis Grande Rue"),
        ("grande rue 12", Kind.ADDRESS, "12 Grande Rue"),
        ("2 rue du befroi 00100 bourg l'essai", Kind.ADDRESS, "2 Rue du Beffroi"),
        ("99 grande rue", Kind.STREET, "Grande Rue"),
        ("marchés", Kind.DATASET, "Marchés"),
        ("localiser", Kind.SERVICE, "Localiser fourrières et lieux utiles"),
    ],
)
def test_one_search_finds_them_all(text: str, kind: Kind, title: str, small_town: str) -> None:
    best = next(hit for hit in places.search(ANONYMOUS, small_town, text).hits if hit.kind is kind)
    assert best.title == title


def test_a_correction_is_said_and_only_then(small_town: str) -> None:
    assert places.search(ANONYMOUS, small_town, "fouriere du bas").instead == "fourrière du bas"
    assert places.search(ANONYMOUS, small_town, "fourrière").instead == ""
    assert places.search(ANONYMOUS, small_town, "xylophone").total == 0


def test_kinds_are_counted_beyond_what_is_given_and_can_be_chosen(small_town: str) -> None:
    found = places.search(ANONYMOUS, small_town, "arbre", limit=3)
    assert found.counts[Kind.PLACE] == 120
    assert len([hit for hit in found.hits if hit.kind is Kind.PLACE]) == 3
    assert {hit.kind for hit in places.search(ANONYMOUS, small_town, "arbre", kinds=[Kind.DATASET]).hits} == {
        Kind.DATASET
    }
    assert titles(small_town, "Grande Rue", Kind.SERVICE) == []


def test_a_street_that_two_datasets_tell_is_told_once(small_town: str) -> None:
    found = places.search(ANONYMOUS, small_town, "rue", kinds=[Kind.STREET])
    assert sorted(hit.title for hit in found.hits) == ["Grande Rue", "Rue de l’Église", "Rue du Beffroi"]
    assert found.counts == {Kind.STREET: 3}


def test_what_is_near_comes_first_among_equals(small_town: str) -> None:
    (first,) = places.search(ANONYMOUS, small_town, "arbre", kinds=[Kind.PLACE], limit=1).hits
    here = (3.0080, 45.0093)
    (near,) = places.search(ANONYMOUS, small_town, "arbre", kinds=[Kind.PLACE], near=here, limit=1).hits
    assert first.title == "Arbre 000"
    # The trees stand 10 m apart along the street, from 3.0020 on.
    assert near.title == "Arbre 046"


def test_a_service_is_found_as_soon_as_it_opens_by_those_it_is_for(small_town: str, settings: object) -> None:
    staff = Viewer(1, (Grant(small_town, Role.AGENT),))
    found = [hit.entry.id for hit in places.search(staff, small_town, "communes", kinds=[Kind.SERVICE]).hits]
    assert "G-08" in found
    assert "G-08" not in [hit.entry.id for hit in places.search(ANONYMOUS, small_town, "communes").hits]
    administrator = Viewer(None, (Grant(small_town, Role.ADMINISTRATOR),))
    (before,) = [one for one in titles(small_town, "localiser", Kind.SERVICE) if "lieux" in one]
    catalogue.set_state("1-23", State.RETIRED, territory=small_town, by=administrator, at=AT, reason="Essai")
    assert before not in titles(small_town, "localiser", Kind.SERVICE)


def test_an_address_is_found_without_touching_the_registry(small_town: str, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        (hit,) = places.addresses("12bis, Grande rue", citycode=small_town, limit=1)
        assert (hit.title, hit.house and hit.house.id) == ("12 bis Grande Rue", "00001_0000_00012bis")
        assert places.addresses("12 grande rue", citycode="34172") == []
        assert [hit.kind for hit in places.addresses("12 grande rue", streets_only=True)] == []
        assert [hit.title for hit in places.addresses("grande", streets_only=True)] == ["Grande Rue"]
        assert places.addresses("grande", houses_only=True) == []
        assert places.addresses("grand", autocomplete=False, postcode="99999") == []


def test_the_nearest_address_of_a_point_is_the_one_a_second_look_finds(small_town: str) -> None:
    (hit,) = places.addresses("3 rue du beffroi")
    lon, lat = hit.place
    nearest, second = places.reverse(lon + 1e-5, lat, limit=2)
    assert nearest.hit.title == "3 Rue du Beffroi"
    # A hundred-thousandth of a degree of longitude at 45° north: 0.79 m.
    assert nearest.distance_m == pytest.approx(0.786, abs=0.01)
    assert second.distance_m > nearest.distance_m
    assert places.reverse(2.0, 45.0) == []


def test_around_gives_the_nearest_of_each_sort_with_its_distance(small_town: str) -> None:
    near = places.around(ANONYMOUS, small_town, 3.0081, 45.0095)
    assert near == sorted(near, key=lambda one: one.distance_m)
    by_sort = {one.entry.category or one.entry.title: one for one in near}
    assert by_sort["Consigne"].entry.hours == "24/7"
    assert by_sort["Consigne"].distance_m == pytest.approx(7.9, abs=0.2)
    assert {"Consigne", "Fourrière automobile", "Objets trouvés"} <= set(by_sort)
    # How far is a district? Not as far as some point of it.
    assert not {"Le Bas", "Le Haut"} & set(by_sort)
    # One tree, not a hundred and twenty.
    assert len([one for one in near if str(one.entry.ref) == f"{small_town}/arbres"]) == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda town: places.search(ANONYMOUS, town, "rue", limit=0),
        lambda town: places.search(ANONYMOUS, town, "rue", near=(float("nan"), 45)),
        lambda town: places.addresses("rue", limit=101),
        lambda town: places.reverse(181, 45),
        lambda town: places.around(ANONYMOUS, town, 3, 91),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(ask: object, small_town: str) -> None:
    with pytest.raises(BadPlaceQuery):
        ask(small_town)  # type: ignore[operator]


def test_a_territory_that_is_none_has_nothing(small_town: str) -> None:
    assert places.search(ANONYMOUS, "../00001", "rue").hits == ()
    assert places.search(ANONYMOUS, "", "rue").hits == ()
    assert places.addresses("rue", citycode="../../etc") == []
