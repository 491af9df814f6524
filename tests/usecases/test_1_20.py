"""1-20: « on the map with access conditions, resource centres, recycling shops and repair workshops included, an
offered item leaves the map once taken ».
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from PIL import Image

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases.definition import Upload
from beffroi.serve.offers import operations, personal, queries
from beffroi.serve.offers.definition import BadOffer, OfferHeld, OfferNotFound, blurred
from territory_makers import make_person

AT = datetime.now(UTC)
LON, LAT = 3.8752, 43.6049
SERVICE, LIST = "/services/1-20/", "/objets/"


def make_offer(town: str, person: int, title: str = "Armoire en pin", *, at: datetime = AT, **more: Any) -> int:
    asked: dict[str, Any] = {"pickup": "Devant le 12, samedi matin.", "lon": LON, "lat": LAT, "days": 7} | more
    return operations.offer_thing(Viewer(person), town, title=title, at=at, **asked)


def client_of(person: int) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def where_it_is(number: int) -> dict[str, bool]:
    """Tell, for each place that shows what is on offer, whether this one is there, read anew by who has no account."""
    client, mark = Client(), f"/objets/{number}/"
    shown = {
        "list": client.get(LIST),
        "map": client.get("/objets/carte.geojson?bbox=3.86,43.59,3.90,43.62"),
        "feed": client.get("/objets/flux.atom"),
        "search": client.get("/recherche/?q=armoire"),
    }
    assert {answer.status_code for answer in shown.values()} == {200}
    # Nothing on the way may keep showing what is gone.
    assert {shown[name]["Cache-Control"] for name in ("list", "map", "feed")} == {"no-store"}
    return {name: mark in answer.content.decode() for name, answer in shown.items()}


EVERYWHERE = {"list": True, "map": True, "feed": True, "search": True}
NOWHERE = dict.fromkeys(EVERYWHERE, False)


@pytest.fixture
def two(layers_town: str, settings: Any) -> tuple[int, int]:
    """Two residents: one gives, the other comes."""
    settings.STRONG_AUTH = False
    return make_person(territory=layers_town), make_person(territory=layers_town)


@pytest.mark.django_db
def test_the_places_are_on_the_map_and_in_the_list_with_who_may_use_them(layers_town: str, client: Client) -> None:
    answer = client.get(SERVICE)
    (listed,) = answer.context["layers"].datasets
    config = json.loads(answer.context["layers"].map.config)
    assert [layer["id"] for layer in config["layers"]] == ["points-reemploi"]
    # What people give lies over them, read live.
    assert [(one["id"], one["shown"], one["url"]) for one in config["overlays"]] == [
        ("objets", True, "/objets/carte.geojson")
    ]
    said = {place.name: place.sentence.replace("\u00a0", " ") for place in listed.places}
    assert said["Déchèterie des Prés"].startswith("Déchèterie, 1 Chemin des Prés, Carte de la métropole exigée")
    assert "Sur inscription auprès de l’association" in said["Compost des Halles"]
    assert {place.mark.label for place in listed.places} >= {"Ressourcerie", "Atelier de réparation", "Point d’apport"}
    only = client.get(SERVICE, {"accepte": "vélos"}).context["layers"].datasets[0]
    assert [place.name for place in only.places] == ["Atelier du Guidon"]


@pytest.mark.django_db
def test_a_thing_taken_is_nowhere_any_more(layers_town: str, two: tuple[int, int]) -> None:
    giver, taker = map(client_of, two)
    photo = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Appareil de chez moi"
    Image.new("RGB", (640, 480), "brown").save(photo, "JPEG", exif=exif)
    photo.seek(0)
    photo.name = "chez-moi.jpg"
    form = {"title": "Armoire en pin", "description": "Deux portes.", "pickup": "Devant le 12, samedi.", "days": "14",
            "lat": str(LAT), "lon": str(LON), "photo": photo}  # fmt: skip
    page = giver.post("/objets/proposer/", form)
    assert page.status_code == 302, page.context["form"].errors
    number = int(page["Location"].strip("/").split("/")[-1])
    assert where_it_is(number) == EVERYWHERE
    shown = Client().get(f"/objets/{number}/")
    assert "Devant le 12" not in shown.content.decode()
    drawn = Client().get(f"/objets/{number}/photo")
    assert drawn["Content-Type"] == "image/jpeg"
    assert not Image.open(io.BytesIO(b"".join(drawn.streaming_content))).getexif()  # type: ignore[attr-defined]
    # Reserved: it leaves at once; only who comes reads where.
    assert taker.post(f"/objets/{number}/", {"do": "reserve"}).status_code == 302
    assert where_it_is(number) == NOWHERE
    assert Client().get(f"/objets/{number}/").status_code == 404
    assert "Devant le 12" in taker.get(f"/objets/{number}/").content.decode()
    assert "Armoire en pin" in taker.get("/mes-demandes/").content.decode()
    # Given up: it is back; taken: gone for good, its photo too.
    taker.post(f"/objets/{number}/", {"do": "release"})
    assert where_it_is(number) == EVERYWHERE
    taker.post(f"/objets/{number}/", {"do": "reserve"})
    giver.post(f"/objets/{number}/", {"do": "taken"})
    assert where_it_is(number) == NOWHERE
    assert Client().get(f"/objets/{number}/photo").status_code == 404


@pytest.mark.django_db
def test_it_comes_back_by_itself_when_nobody_came_and_ends_at_its_term(layers_town: str, two: tuple[int, int]) -> None:
    number = make_offer(layers_town, two[0])
    operations.reserve_thing(Viewer(two[1]), number, at=AT)

    def there(at: datetime) -> bool:
        return number in [one.id for one in queries.on_offer(ANONYMOUS, layers_town, at=at)]

    assert [there(AT + timedelta(hours=hours)) for hours in (1, 47, 49)] == [False, False, True]
    assert not there(AT + timedelta(days=7))
    with pytest.raises(OfferNotFound):
        operations.reserve_thing(Viewer(two[1]), number, at=AT + timedelta(days=7))


@pytest.mark.django_db
def test_of_two_who_come_one_has_it(layers_town: str, two: tuple[int, int]) -> None:
    number, third = make_offer(layers_town, two[0]), make_person(territory=layers_town)
    operations.reserve_thing(Viewer(two[1]), number, at=AT)
    with pytest.raises(OfferHeld):
        operations.reserve_thing(Viewer(third), number, at=AT)
    with pytest.raises(OfferNotFound):
        operations.take_thing(Viewer(third), number, at=AT)
    with pytest.raises(BadOffer, match="le vôtre"):
        operations.reserve_thing(Viewer(two[0]), make_offer(layers_town, two[0], "Chaise"), at=AT)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["appelez le 06 12 34 56 78", "+33612345678", "moi@exemple.fr", "voir https://exemple.fr", "www.exemple.fr"]
)
def test_no_contact_is_shown(layers_town: str, two: tuple[int, int], text: str) -> None:
    with pytest.raises(BadOffer, match="public"):
        make_offer(layers_town, two[0], description=text)
    answer = client_of(two[0]).post(
        "/objets/proposer/",
        {"title": "Table", "description": text, "pickup": "Ici", "days": "7", "lat": str(LAT), "lon": str(LON)},
    )
    assert answer.status_code == 400
    # What was typed is not lost.
    assert text in answer.content.decode()


@pytest.mark.django_db
def test_the_place_is_that_of_a_street_not_of_a_house(layers_town: str, two: tuple[int, int]) -> None:
    make_offer(layers_town, two[0])
    (shown,) = queries.on_offer(ANONYMOUS, layers_town, at=AT)
    assert (shown.lon, shown.lat) == blurred(LON, LAT) == blurred(LON + 2e-5, LAT + 2e-5)
    assert 0 < abs(shown.lat - LAT) * 111_195 < 25.1
    assert 0 < abs(shown.lon - LON) * 111_195 * 0.7241 < 25.2


@pytest.mark.django_db
def test_limits_hold_and_the_same_thing_twice_is_one(layers_town: str, two: tuple[int, int]) -> None:
    numbers = [make_offer(layers_town, two[0], f"Chaise {rank}") for rank in range(5)]
    assert make_offer(layers_town, two[0], "Chaise 0") == numbers[0]
    with pytest.raises(BadOffer, match="5 objets"):
        make_offer(layers_town, two[0], "Une de trop")
    for number in numbers[:3]:
        operations.reserve_thing(Viewer(two[1]), number, at=AT)
    with pytest.raises(BadOffer, match="3 objets"):
        operations.reserve_thing(Viewer(two[1]), numbers[3], at=AT)
    with pytest.raises(BadOffer, match="1 à 30 jours"):
        make_offer(layers_town, two[1], days=31)


@pytest.mark.django_db
def test_three_people_set_an_offer_aside_and_an_agent_decides(layers_town: str, two: tuple[int, int]) -> None:
    number, agent = make_offer(layers_town, two[0]), client_of(make_person(Role.AGENT, territory=layers_town))
    for _ in range(2):
        operations.flag_thing(Viewer(two[1]), number, at=AT)
    assert where_it_is(number) == EVERYWHERE
    for _ in range(2):
        operations.flag_thing(Viewer(make_person(territory=layers_town)), number, at=AT)
    assert where_it_is(number) == NOWHERE
    assert "Objets signalés à regarder" in agent.get("/agent/").content.decode()
    assert "Signalée par 3 personnes" in agent.get("/agent/objets/").content.decode()
    agent.post(f"/agent/objets/{number}/", {"do": "keep"})
    assert where_it_is(number) == EVERYWHERE
    agent.post(f"/agent/objets/{number}/", {"do": "remove", "reason": ""})
    assert where_it_is(number) == EVERYWHERE
    agent.post(f"/agent/objets/{number}/", {"do": "remove", "reason": "Vendu, non donné."})
    assert where_it_is(number) == NOWHERE
    assert "Vendu, non donné." in client_of(two[0]).get("/mes-demandes/").content.decode()
    stranger = Viewer(None, (Grant("00002", Role.AGENT),))
    with pytest.raises(OfferNotFound):
        operations.remove_thing(stranger, make_offer(layers_town, two[0], "Lampe"), reason="non", at=AT)


@pytest.mark.django_db
def test_a_town_that_closed_the_service_takes_nothing(layers_town: str, two: tuple[int, int]) -> None:
    catalogue.set_state("1-20", State.RETIRED, territory=layers_town, by=None, at=AT, reason="essai")
    client = client_of(two[0])
    assert [client.get(page).status_code for page in (LIST, "/objets/proposer/")] == [404, 404]
    with pytest.raises(BadOffer, match="pas ouvert"):
        make_offer(layers_town, two[0])


@pytest.mark.django_db
def test_a_person_takes_her_offers_with_her_and_her_name_leaves_what_she_reserved(
    layers_town: str, two: tuple[int, int]
) -> None:
    hers, other = make_offer(layers_town, two[0]), make_offer(layers_town, two[1], "Lampe")
    operations.reserve_thing(Viewer(two[0]), other, at=AT)
    told = personal.export(two[0])
    assert [(one["title"], one["offered"]) for one in told] == [("Armoire en pin", True), ("Lampe", False)]
    assert "pickup" not in told[1]
    assert personal.erase(two[0], erased_number=-1, at=AT) == 2
    assert [one.id for one in queries.on_offer(ANONYMOUS, layers_town, at=AT)] == [other]
    assert hers not in [one.id for one in queries.own_offers(Viewer(two[0]), layers_town, at=AT)]


@pytest.mark.django_db
def test_the_photo_of_an_offer_is_not_swept_away(
    layers_town: str, two: tuple[int, int], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(picture, "PNG")
    number = make_offer(layers_town, two[0], photos=[Upload("photo.png", picture.getvalue())])
    found = queries.offer_photo(ANONYMOUS, layers_town, number, at=AT)
    assert found.path.is_file()
    assert found.path.name in set(queries.photo_digests())
