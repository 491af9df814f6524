"""6-24: « one directory (SIRENE, services, practitioners, associations, persons only if they opt in), claimed and kept
by its owner with update date, open now, printable booklet generated »."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pypdf import PdfReader

from beffroi.base.territory.operations import add_service
from beffroi.base.territory.viewer import Role
from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.sense.places.operations import index_territory
from beffroi.serve.offers.models import Claim, Proposal
from territory_makers import make_person
from usecases.directories_town import AT, CODE

HOME = "/annuaires/6-24/"
BAKERY = f"{HOME}etablissements/00000000100017/"
PUBLIC = """\
COLL_NOM,COLL_SIRET,EQUIP_UID,EQUIP_THEME,EQUIP_CODE,EQUIP_NOM,ADR_NUMERO,ADR_NOMVOIE,ADR_CODEPOSTAL,ADR_COMMUNE,EQUIP_LAT,EQUIP_LONG,EQUIP_OUVERTURE,EQUIP_TEL,EQUIP_WEB
Bourg,00000000000017,EQ-1,Services publics,A129,Mairie,1,Rue Haute,00000,Bourg,43.6090,3.8790,24/7,+33467000010,
Bourg,00000000000017,EQ-2,Déchets,A504,Déchetterie,12,Rue du Lavoir,00000,Bourg,43.6010,3.8710,Jan-Dec off,,
"""
ASKED = """\
id,nom,services,description,adresse,telephone,horaires_accueil,conditions_acces,longitude,latitude,date_maj
IG-1,Lou Exemple,lessons,Piano,3 Place Neuve,,,,3.8800,43.6100,2026-01-12
"""
PERSON = {
    "nom": "Sacha Modèle", "services": ["home", "lessons"], "adresse": "12 rue du Lavoir", "horaires_accueil": "",
    "description": "Courses et ménage.", "conditions_acces": "", "telephone": "", "contact": "06 00 00 00 00",
    "site_web": "",
}  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide(directories_town: str, tmp_path: Path, settings: Any) -> Client:
    """The town with its public places and one person who asked to be in the guide; an agent of the service."""
    settings.STRONG_AUTH = False
    definitions = load_definitions()[0]
    sources = {"equipements-publics": ("scdl_equipements.csv", PUBLIC), "inscrits-guide": ("inscrits-guide.csv", ASKED)}
    for slug, (name, text) in sources.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        done = import_source(
            tmp_path / name, territory=CODE, slug=slug, at=AT, lake=Path(settings.LAKE_DIR), announce=False,
            definition=definition_named(slug, "", definitions),
        )  # fmt: skip
        assert done.version, done.reason
    index_territory(directories_town)
    add_service(territory=directories_town, slug="vie-locale", name="Associations", at=AT)
    return signed_in(Role.AGENT, services=("vie-locale",))


def signed_in(*roles: Role, services: tuple[str, ...] = ()) -> Client:
    client = Client()
    person = make_person(*roles, territory=CODE, services=services)
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def lines(**asked: str) -> dict[str, Any]:
    return {one.sheet.title: one for one in Client().get(HOME, asked).context["lines"]}


def test_one_directory_of_every_register_and_of_who_asked_to_be_in_it(guide: Client) -> None:
    assert {title for title in lines() if "MARTIN" not in title} == {
        "Boulangerie du Lavoir", "LA TABLE", "Mairie", "Déchetterie", "Chorale du Lavoir", "Judo Club", "Lou Exemple",
        "CAMILLE DURAND",
    }  # fmt: skip
    assert set(lines(rubrique="health")) == {"Docteur ALIX MARTIN", "CAMILLE DURAND"}
    assert set(lines(rubrique="food")) == {"LA TABLE"}
    assert set(lines(q="lavoir", rubrique="shops")) == set()
    open_now = lines(ouvert="on")
    assert set(open_now) == {"Mairie"}
    assert open_now["Mairie"].is_open is True
    near = list(lines(pres="3.8790, 43.6090", rubrique="public"))
    assert near == ["Mairie", "Déchetterie"], "the nearest first"


def test_a_person_stands_in_it_once_she_asked_and_an_agent_looked(guide: Client) -> None:
    assert Client().post(f"{HOME}inscrire/", PERSON).context["sent"]
    assert set(lines(rubrique="lessons")) == {"Lou Exemple"}
    guide.post(f"/agent/lieux-a-verifier/{Proposal.objects.get().pk}/", {"do": "accept"})
    assert set(lines(rubrique="lessons")) == {"Lou Exemple", "Sacha Modèle"}
    assert set(lines(rubrique="home")) == {"Sacha Modèle"}
    assert "06 00 00 00 00" not in Client().get(lines(rubrique="home")["Sacha Modèle"].url).content.decode()


def test_a_shop_keeps_its_entry_which_tells_its_hours_and_the_day_it_said_so(guide: Client) -> None:
    owner = signed_in()
    owner.post(f"{BAKERY}tenir/", {"how": "check", "proof": "Extrait Kbis du 3 mars."})
    guide.post(f"/agent/lieux-a-verifier/fiches/{Claim.objects.get().pk}/", {"do": "accept"})
    said = {"description": "Pain au levain.", "adresse": "3 place Neuve", "horaires": "24/7", "telephone": "",
            "courriel": "", "site_web": ""}  # fmt: skip
    assert owner.post(f"{BAKERY}tenir/", said).status_code == 302
    bakery = lines(ouvert="on")["Boulangerie du Lavoir"]
    (place,) = bakery.places
    assert (place.lon, place.lat) == (3.88, 43.61)
    page = Client().get(BAKERY).content.decode()
    assert "Mise à jour par qui tient la fiche le" in page
    assert "3 Place Neuve" in page
    assert "12 RUE DU LAVOIR" not in page, "the owner's word is laid over the register's"
    # The same words are in the directory of associations and in this one: there is one entry a thing.
    text = printed()
    assert "Mise à jour par qui tient la fiche le" in " ".join(text.split())


def printed() -> str:
    answer = Client().get(f"{HOME}livret.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


def test_the_booklet_has_its_numbers_chapters_and_an_index_that_leads_to_the_page(guide: Client) -> None:
    answer = Client().get(f"{HOME}livret.pdf")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages]
    assert "Guide de la ville" in pages[0]
    contents = [line for line in pages[1].split("\n") if line.strip()]
    starts = dict(zip(contents[1:-1:2], map(int, contents[2:-1:2]), strict=True))
    assert "112" in pages[starts["Numéros utiles"] - 1]
    for chapter in ("Santé", "Services publics", "Associations"):
        assert pages[starts[chapter] - 1].startswith(chapter)
    town_hall = pages[starts["Services publics"] - 1]
    assert "1 Rue Haute" in town_hall
    assert "24 h sur 24" in town_hall.replace("\xa0", " ")
    index = [line for line in pages[starts["Index alphabétique"] - 1].split("\n") if line.strip()]
    assert int(index[index.index("Mairie") + 1]) == starts["Services publics"]
    assert "MARTIN ALIX" not in "\n".join(pages), "who runs an association, or a shop without a sign, is not told"
    assert Client().get("/annuaires/6-02/livret.pdf").status_code == 404
