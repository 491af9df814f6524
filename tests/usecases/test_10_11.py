"""10-11: « shop declares its services and hours, searched on the map, cash given by shops shown with cash machines,
services asked for in 10-04 but absent listed »."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.territory.operations import add_service
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.lake import queries as lake
from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.sense.places.operations import index_territory
from beffroi.serve.offers.models import Proposal
from territory_makers import make_person
from usecases.directories_town import AT, CODE

HOME, NEEDS = "/annuaires/10-11/", "/annuaires/10-04/"
MACHINES = """\
id,nom,exploitant,numero,voie,lat,lon,emplacement,horaires,accessible_pmr
DB-1,Distributeur de la Halle,Banque d’ici,3,Place Neuve,43.6101,3.8801,Sur la rue,24/7,true
"""
SHOP = {
    "nom": "Épicerie du Coin", "services": ["cash", "elders"], "adresse": "12 rue du Lavoir",
    "horaires_accueil": "Mo-Sa 08:00-19:00", "description": "Courses portées le jeudi.",
    "conditions_acces": "Dès 1 € d’achat", "telephone": "", "contact": "patron@exemple.fr", "site_web": "",
}  # fmt: skip
NEED = {"services": "elders", "adresse": "12 rue du Lavoir", "description": "Pour ma voisine.", "site_web": ""}

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(directories_town: str, tmp_path: Path, settings: Any) -> Client:
    """The town with its cash machines, and an agent of the service that looks at what is sent."""
    settings.STRONG_AUTH = False
    (tmp_path / "dab.csv").write_text(MACHINES, encoding="utf-8")
    done = import_source(
        tmp_path / "dab.csv", territory=CODE, slug="distributeurs-billets", at=AT, lake=Path(settings.LAKE_DIR),
        definition=definition_named("distributeurs-billets", "", load_definitions()[0]), announce=False,
    )  # fmt: skip
    assert done.version, done.reason
    index_territory(directories_town)
    add_service(territory=directories_town, slug="economie", name="Économie", at=AT)
    person = make_person(Role.AGENT, territory=directories_town, services=("economie",))
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def titles(**asked: str) -> set[str]:
    return {line.sheet.title for line in Client().get(HOME, asked).context["lines"]}


def missing() -> dict[str, tuple[int, int, tuple[tuple[str, int], ...]]]:
    lines = Client().get(HOME).context["missing_lines"]
    return {label: (one.asked, one.unmet, one.streets) for label, one in lines}


def test_cash_is_found_in_shops_and_at_machines_together_open_and_on_the_map(agent: Client) -> None:
    assert titles(service="cash") == {"Café du Lavoir", "Distributeur de la Halle"}
    assert titles(service="parcels") == {"Café du Lavoir", "Papeterie Haute"}
    opened = {line.sheet.title: line.is_open for line in Client().get(HOME, {"service": "cash"}).context["lines"]}
    assert opened["Distributeur de la Halle"] is True, "day and night"
    text = Client().get(f"{HOME}carte.geojson", {"service": "cash"}).content.decode()
    assert "Café du Lavoir" in text
    assert "Distributeur de la Halle" in text
    assert "Papeterie" not in text
    (near, *_others) = Client().get(HOME, {"service": "cash", "pres": "3.8801, 43.6101"}).context["lines"]
    assert near.sheet.title == "Distributeur de la Halle"
    assert "L112-14" in Client().get(HOME).content.decode()


def test_a_shop_declares_its_services_and_hours_and_an_agent_publishes_them(agent: Client) -> None:
    page = Client().get(f"{HOME}inscrire/").content.decode()
    assert "Les services que vous rendez" in page
    assert "gratuitement" not in page, "the words of 4-03 are its own"
    assert Client().post(f"{HOME}inscrire/", SHOP).context["sent"]
    (row,) = Proposal.objects.all()
    assert "Épicerie du Coin" not in titles(service="elders")
    agent.post(f"/agent/lieux-a-verifier/{row.pk}/", {"do": "accept"})
    assert titles(service="elders") == {"Épicerie du Coin"}
    (line,) = Client().get(HOME, {"service": "elders"}).context["lines"]
    (place,) = line.places
    assert [hours.when for hours in place.hours] == ["lundi au samedi"]
    sheet = Client().get(line.url).content.decode()
    assert "Dès 1 € d’achat" in sheet
    assert "patron@exemple.fr" not in sheet


def test_what_people_lack_is_listed_until_a_shop_gives_it_near(agent: Client) -> None:
    # Nobody keeps parcels within 800 m of the end of the lane; the printer is 1,100 m from the street that asks.
    assert missing() == {
        "Imprimer, photocopier": (1, 1, (("Rue du Lavoir", 1),)),
        "Relais colis": (2, 1, (("Chemin du Bout", 1),)),
    }
    assert Client().post(f"{NEEDS}inscrire/", NEED).context["sent"]
    assert Client().post(f"{NEEDS}inscrire/", NEED).context["sent"], "two neighbours lack the same: both count"
    first, second = Proposal.objects.order_by("pk")
    assert (first.values["adresse"], first.values["nom"]) == (
        "Rue du Lavoir",
        "Aide aux aînés (courses, courrier, portage)",
    )
    assert (first.lon, first.lat) == (second.lon, second.lat) != (3.8710, 43.6010), "the middle of a square"
    assert first.contact == ""
    elders = "Aide aux aînés (courses, courrier, portage)"
    assert elders not in missing()
    for row in (first, second):
        agent.post(f"/agent/lieux-a-verifier/{row.pk}/", {"do": "accept"})
    assert missing()[elders] == (2, 2, (("Rue du Lavoir", 2),))
    assert Client().get(NEEDS, {"service": "elders"}).context["total"] == 2
    Client().post(f"{HOME}inscrire/", SHOP)
    agent.post(f"/agent/lieux-a-verifier/{Proposal.objects.latest('pk').pk}/", {"do": "accept"})
    assert elders not in missing()
    rows = lake.table(ANONYMOUS, DatasetRef(CODE, "besoins-services"))
    assert rows.total == 5
    (need, _other) = Client().get(NEEDS, {"service": "elders"}).context["lines"]
    assert "Pour ma voisine." in Client().get(need.url).content.decode()


def test_a_need_says_which_service_and_where(agent: Client) -> None:
    answer = Client().post(f"{NEEDS}inscrire/", NEED | {"services": "", "adresse": ""})
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"services", "adresse"}
    assert not Proposal.objects.exists()
