from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import shapely
from django.db import IntegrityError, transaction

from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory import events, operations, queries
from beffroi.base.territory.models import ApiKey, Commune, Person, RoleGrant, SignInHost, Territory, Zone
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from territory_makers import AT, OTHER_TOWN, TOWN, administrator, make_key, make_person, make_town

pytestmark = pytest.mark.django_db

GROUPING = "243400017"


@pytest.fixture
def told() -> Iterator[list[events.TerritoryEvent]]:
    """The events published during the test."""
    heard: list[events.TerritoryEvent] = []
    events.subscribe("test", heard.append)
    yield heard
    events.unsubscribe("test")


def test_a_commune_is_added_once_and_then_kept_up_to_date(told: list[events.TerritoryEvent]) -> None:
    make_town(siren="213 401 722", contour=shapely.box(3.80, 43.56, 3.94, 43.65))
    make_town(population=302454)
    town = queries.commune(TOWN)
    assert (town.name, town.slug, town.population) == ("Montpellier", "montpellier", 302454)
    assert town.bbox == BBox(3.80, 43.56, 3.94, 43.65)
    assert town.centre == pytest.approx((3.87, 43.605))
    assert Commune.objects.get().department == "34"
    assert queries.contour(TOWN) is not None
    assert [event.kind for event in told] == ["territory.added", "territory.changed"]


def test_adding_the_same_commune_again_changes_and_tells_nothing(told: list[events.TerritoryEvent]) -> None:
    make_town(contour=shapely.box(3.80, 43.56, 3.94, 43.65))
    make_town(contour=shapely.box(3.80, 43.56, 3.94, 43.65))
    assert [event.kind for event in told] == ["territory.added"]


def test_two_communes_of_one_name_have_their_own_slugs() -> None:
    make_town("01344", "Saint-Martin")
    make_town("97801", "Saint-Martin")
    assert {town.slug for town in queries.communes()} == {"saint-martin", "saint-martin-97801"}


def test_a_grouping_has_members_and_refuses_unknown_ones() -> None:
    make_town()
    operations.add_grouping(siren=GROUPING, name="3M", kind="METRO", members=[TOWN], at=AT)
    assert [town.code for town in queries.members(GROUPING)] == [TOWN]
    with pytest.raises(queries.UnknownTerritory, match="communes inconnues"):
        operations.add_grouping(siren=GROUPING, name="3M", kind="METRO", members=[TOWN, OTHER_TOWN], at=AT)
    with pytest.raises(BeffroiError, match="nature"):
        operations.add_grouping(siren=GROUPING, name="3M", kind="ville", at=AT)
    with pytest.raises(queries.UnknownTerritory, match="pas une commune"):
        queries.commune(GROUPING)


def test_the_domain_chooses_the_territory_in_one_query(settings: object, django_assert_num_queries: object) -> None:
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    operations.add_grouping(siren=GROUPING, name="3M", at=AT)
    operations.add_host(domain="Castelnau.exemple.fr", territory=OTHER_TOWN, at=AT)
    operations.add_host(domain="metropole.exemple.fr", territory=GROUPING, at=AT)
    with django_assert_num_queries(1):
        assert queries.commune_of_host("castelnau.exemple.fr").code == OTHER_TOWN
    assert queries.commune_of_host("metropole.exemple.fr").kind == "grouping"
    settings.DEFAULT_COMMUNE = OTHER_TOWN
    assert queries.commune_of_host("ailleurs.exemple.fr").code == OTHER_TOWN


def test_an_empty_installation_has_no_default_commune() -> None:
    assert queries.default_commune() is None


def test_zones_are_found_by_box_then_by_outline(django_assert_num_queries: object) -> None:
    make_town()
    triangle = shapely.Polygon([(0, 0), (2, 0), (0, 2)])
    operations.add_zone(territory=TOWN, kind="quartier", name="Écusson", shape=triangle, at=AT)
    operations.add_zone(territory=TOWN, kind="secteur", name="École A", shape=shapely.box(5, 5, 6, 6), at=AT)
    with django_assert_num_queries(1):
        inside = queries.zones_at(TOWN, 0.5, 0.5)
    assert [zone.name for zone in inside] == ["Écusson"]
    # In the box of the triangle and outside the triangle.
    assert queries.zones_at(TOWN, 1.9, 1.9) == []
    assert queries.zones_at(TOWN, 1.0, 1.0) == inside, "an edge belongs to its zone"
    assert [zone.name for zone in queries.zones(TOWN, "secteur")] == ["École A"]
    assert queries.zones(TOWN, bbox=BBox(5.5, 5.5, 5.6, 5.6))[0].bbox == BBox(5, 5, 6, 6)


def test_a_zone_of_the_same_name_is_replaced() -> None:
    make_town()
    first = operations.add_zone(territory=TOWN, kind="quartier", name="A", shape=shapely.box(0, 0, 1, 1), at=AT)
    again = operations.add_zone(territory=TOWN, kind="quartier", name="A", shape=shapely.box(0, 0, 2, 2), at=AT)
    assert first == again
    assert queries.zones(TOWN)[0].bbox == BBox(0, 0, 2, 2)


def test_roles_are_given_changed_and_taken_back(told: list[events.TerritoryEvent]) -> None:
    make_town()
    operations.add_service(territory=TOWN, name="Espaces verts", at=AT)
    boss = make_person(Role.ADMINISTRATOR)
    by = administrator(person_id=boss)
    person = make_person()
    told.clear()
    operations.grant_role(person_id=person, territory=TOWN, role=Role.AGENT, services=["espaces-verts"], by=by, at=AT)
    assert queries.person(person, territory=TOWN).grants[0].services == ("espaces-verts",)
    operations.grant_role(person_id=person, territory=TOWN, role=Role.AGENT, by=by, at=AT)
    assert queries.person(person, territory=TOWN).grants[0].services == ()
    operations.revoke_role(person_id=person, territory=TOWN, role=Role.AGENT, by=by, at=AT)
    operations.revoke_role(person_id=person, territory=TOWN, role=Role.AGENT, by=by, at=AT)
    assert queries.person(person, territory=TOWN).grants == ()
    assert [(event.kind, event.actor, event.subject) for event in told] == [
        ("role.granted", boss, f"person:{person}"),
        ("role.granted", boss, f"person:{person}"),
        ("role.revoked", boss, f"person:{person}"),
    ]
    assert told[0].payload() == {
        "person": person,
        "role": "agent",
        "services": ("espaces-verts",),
        "valid_until": None,
    }


@pytest.mark.parametrize(
    "by",
    [
        ANONYMOUS,
        Viewer(1, (Grant(TOWN, Role.AGENT),)),
        Viewer(1, (Grant(OTHER_TOWN, Role.ADMINISTRATOR),)),
        Viewer(None, (Grant(TOWN, Role.ADMINISTRATOR),), frozenset({"data:write"})),
    ],
    ids=["anonymous", "agent", "administrator of another commune", "API key"],
)
def test_only_administrators_of_the_territory_change_rights(by: Viewer) -> None:
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    person = make_person(Role.AGENT)
    with pytest.raises(Refused):
        operations.grant_role(person_id=person, territory=TOWN, role=Role.ELECTED, by=by, at=AT)
    with pytest.raises(Refused):
        operations.revoke_role(person_id=person, territory=TOWN, role=Role.AGENT, by=by, at=AT)
    with pytest.raises(Refused):
        operations.create_api_key(territory=TOWN, name="x", scopes=[], expires_at=AT + timedelta(days=1), by=by, at=AT)
    with pytest.raises(Refused):
        operations.deactivate_person(person_id=person, territory=TOWN, by=by, at=AT)
    with pytest.raises(Refused):
        queries.people(by, TOWN)
    with pytest.raises(Refused):
        queries.api_keys(by, TOWN)
    assert RoleGrant.objects.count() == 1


def test_an_administrator_of_one_commune_cannot_close_the_account_of_another_communes_agent() -> None:
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    stranger = make_person(Role.AGENT, territory=OTHER_TOWN)
    with pytest.raises(queries.UnknownPerson):
        operations.deactivate_person(person_id=stranger, territory=TOWN, by=administrator(), at=AT)
    assert Person.objects.get(pk=stranger).is_active


def test_nor_that_of_an_agent_of_both() -> None:
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    both = make_person(Role.AGENT, territory=OTHER_TOWN)
    operations.grant_role(person_id=both, territory=TOWN, role=Role.RESIDENT, by=None, at=AT)
    with pytest.raises(operations.BadGrant, match="ailleurs"):
        operations.deactivate_person(person_id=both, territory=TOWN, by=administrator(), at=AT)
    assert Person.objects.get(pk=both).is_active


def test_the_last_administrator_cannot_be_revoked() -> None:
    make_town()
    only = make_person(Role.ADMINISTRATOR)
    with pytest.raises(operations.BadGrant, match="dernier"):
        operations.revoke_role(person_id=only, territory=TOWN, role=Role.ADMINISTRATOR, by=administrator(), at=AT)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"role": Role.RESIDENT, "services": ["voirie"]}, "seul un agent"),
        ({"role": Role.AGENT, "services": ["inconnu"]}, "service inconnu"),
        ({"role": Role.AGENT, "valid_until": AT - timedelta(days=1)}, "précède"),
    ],
)
def test_impossible_grants_are_refused_with_a_sentence(asked: dict[str, object], why: str) -> None:
    make_town()
    operations.add_service(territory=TOWN, name="Voirie", at=AT)
    with pytest.raises(operations.BadGrant) as caught:
        operations.grant_role(person_id=make_person(), territory=TOWN, by=None, at=AT, **asked)
    assert why in str(caught.value)


def test_an_event_that_cannot_be_written_undoes_the_change() -> None:
    make_town()
    person = make_person()

    def fails(event: events.TerritoryEvent) -> None:
        raise RuntimeError(event.kind)

    events.subscribe("failing", fails)
    try:
        with pytest.raises(RuntimeError, match=r"role\.granted"):
            operations.grant_role(person_id=person, territory=TOWN, role=Role.AGENT, by=None, at=AT)
    finally:
        events.unsubscribe("failing")
    assert not RoleGrant.objects.exists()


def test_people_lists_the_staff_and_not_the_residents(django_assert_num_queries: object) -> None:
    make_town()
    make_person(Role.RESIDENT)
    agents = [make_person(Role.AGENT, Role.RESIDENT) for _ in range(5)]
    with django_assert_num_queries(3):
        listed = queries.people(administrator(), TOWN)
    assert [person.id for person in listed] == sorted(agents, key=lambda pk: Person.objects.get(pk=pk).email)
    assert {grant.role for grant in listed[0].grants} == {Role.AGENT, Role.RESIDENT}


@pytest.mark.parametrize("email", ["", "pas une adresse", "a@b", "a b@c.fr"])
def test_a_bad_address_is_refused(email: str) -> None:
    with pytest.raises(operations.BadPerson, match="adresse"):
        operations.create_person(email=email, at=AT)


def test_an_account_dates_from_the_moment_given() -> None:
    assert Person.objects.get(pk=make_person(email="camille@exemple.fr")).created_at == AT


def test_one_address_is_one_account_whatever_its_case() -> None:
    make_person(email="Camille@Exemple.fr")
    with pytest.raises(operations.AlreadyThere):
        make_person(email="camille@exemple.fr")
    assert queries.person_by_email(" CAMILLE@exemple.fr ") is not None


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"scopes": ["data:everything"]}, "droit inconnu"),
        ({"name": "  "}, "pas de nom"),
        ({"expires_at": AT}, "expirée"),
    ],
)
def test_impossible_keys_are_refused_with_a_sentence(asked: dict[str, object], why: str) -> None:
    make_town()
    good = {"scopes": [], "name": "capteurs", "expires_at": AT + timedelta(days=1)}
    with pytest.raises(operations.BadApiKey) as caught:
        operations.create_api_key(territory=TOWN, by=None, at=AT, **{**good, **asked})
    assert why in str(caught.value)


def test_no_secret_is_kept_listed_or_told(told: list[events.TerritoryEvent]) -> None:
    make_town()
    key = make_key("data:write")
    row = ApiKey.objects.get()
    assert key not in f"{vars(row)} {queries.api_keys(administrator(), TOWN)} {[event.payload() for event in told]}"
    assert row.secret_hash not in str(told)


# What the database itself refuses, whatever the code above it does.
BROKEN = {
    "a territory with a made-up code": lambda: Territory.objects.create(code="3417", name="x", slug="x", added_at=AT),
    "a box upside down": lambda: Territory.objects.create(
        code=OTHER_TOWN, name="x", slug="x", added_at=AT, west=1, east=0, south=0, north=1
    ),
    "a colour that is not one": lambda: Territory.objects.create(
        code=OTHER_TOWN, name="x", slug="x", added_at=AT, colour="red"
    ),
    "a zone without a shape": lambda: Zone.objects.create(territory_id=TOWN, kind="a", slug="a", name="a"),
    "an unknown role": lambda: RoleGrant.objects.create(
        person=Person.objects.get(), territory_id=TOWN, role="king", valid_from=AT
    ),
    "a role that ends before it starts": lambda: RoleGrant.objects.create(
        person=Person.objects.get(), territory_id=TOWN, role="agent", valid_from=AT, valid_until=AT
    ),
    "the same role twice": lambda: RoleGrant.objects.create(
        person=Person.objects.get(), territory_id=TOWN, role="elected", valid_from=AT
    ),
    "two accounts for one address": lambda: Person.objects.bulk_create([Person(email="une@exemple.fr")]),
    "an address in capitals": lambda: Person.objects.bulk_create([Person(email="Deux@exemple.fr")]),
    "a key without a hash": lambda: ApiKey.objects.create(
        territory_id=TOWN, name="x", prefix="x", secret_hash="x", created_at=AT, expires_at=AT + timedelta(days=1)
    ),
    "a domain in capitals": lambda: SignInHost.objects.create(domain="Ville.fr", territory_id=TOWN),
}


@pytest.mark.parametrize("breaking", BROKEN.values(), ids=BROKEN)
def test_the_database_refuses(breaking: object) -> None:
    make_town()
    make_person(Role.ELECTED, email="une@exemple.fr")
    with pytest.raises(IntegrityError), transaction.atomic():
        breaking()
