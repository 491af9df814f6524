"""6-14: « national register imported, claimed and kept by associations, theme and district »."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import shapely
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory.operations import add_service, add_zone
from beffroi.base.territory.viewer import ANONYMOUS, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef
from beffroi.serve.offers import claims, kept
from beffroi.serve.offers.definition import BadOffer
from beffroi.serve.offers.models import ACCEPTED, ENDED, Claim
from territory_makers import make_person
from usecases.directories_town import AT, CODE

HOME = "/annuaires/6-14/"
SHEET = f"{HOME}associations/W341000001/"
KEEP = f"{SHEET}tenir/"
OTHER = f"{HOME}associations/W341000002/tenir/"
SAID = {
    "description": "Répétition le mardi, sans audition.", "adresse": "3 place Neuve", "horaires": "Tu 18:30-20:30",
    "telephone": "04 67 00 00 09", "courriel": "", "site_web": "https://chorale.example/",
}  # fmt: skip
CHECK = {"how": "check", "proof": "Compte rendu du 12 janvier qui m’élit trésorière."}

pytestmark = pytest.mark.django_db


def signed_in(*roles: Role, services: tuple[str, ...] = (), email: str = "") -> Client:
    person = make_person(*roles, territory=CODE, services=services, email=email)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def town(directories_town: str, settings: Any) -> str:
    """The town, its district of the west (the laundry, not the high street), the service that looks at proofs."""
    settings.STRONG_AUTH = False
    west = shapely.box(3.86, 43.59, 3.875, 43.62)
    add_zone(territory=directories_town, kind="quartier", name="Les Tanneries", shape=west, at=AT)
    add_service(territory=directories_town, slug="vie-locale", name="Associations", at=AT)
    return directories_town


def told(**asked: str) -> dict[str, Any]:
    lines = Client().get(HOME, asked).context["lines"]
    return {line.sheet.title: line for line in lines}


def test_the_register_by_theme_and_district_without_those_who_run_associations(town: str) -> None:
    assert set(told()) == {"Chorale du Lavoir", "Judo Club"}, "the dissolved one has left"
    assert set(told(theme="Sports et plein air")) == {"Judo Club"}
    # The street of the seat is for agents; its district is for all.
    assert set(told(quartier="Les Tanneries")) == {"Chorale du Lavoir"}
    assert set(told(quartier="inconnu")) == {"Judo Club"}
    for address in (HOME, SHEET):
        page = Client().get(address).content.decode()
        assert "MARTIN" not in page
        assert "rue du lavoir" not in page.lower()
    assert "Personne ne tient encore cette fiche" in Client().get(SHEET).content.decode()
    assert Client().get(f"{HOME}carte.geojson").json()["features"] == []


def test_a_code_sent_to_the_known_address_proves_it_and_what_is_said_is_shown_at_once(town: str) -> None:
    assert Client().get(KEEP).status_code == 302, "one signs in first"
    keeper = signed_in(email="tresoriere@exemple.fr")
    page = keeper.get(KEEP).content.decode()
    assert "c…@c….example" in page
    assert "contact@chorale.example" not in page
    keeper.post(KEEP, {"how": "mail"})
    deliver_pending()
    (letter,) = mail.outbox
    assert letter.to == ["contact@chorale.example"]
    (code,) = re.findall(r"\b\d{6}\b", letter.body)
    wrong = "000000" if code != "000000" else "111111"
    assert keeper.post(KEEP, {"code": wrong}).status_code == 400
    assert signed_in().post(KEEP, {"code": code}).status_code == 400, "the code is of who asked for it"
    assert keeper.post(KEEP, {"code": code}).status_code == 302
    assert keeper.post(KEEP, SAID).status_code == 302
    (line,) = told(q="audition").values()
    sheet = Client().get(line.url).content.decode()
    assert "Répétition le mardi" in sheet
    assert "Mise à jour par l’association le" in sheet
    assert "tresoriere@exemple.fr" not in sheet
    (feature,) = Client().get(f"{HOME}carte.geojson").json()["features"]
    assert feature["geometry"]["coordinates"] == [3.88, 43.61]
    assert set(told(quartier="Les Tanneries")) == set(), "where it meets counts before where it is declared"
    assert set(told(fiche="Tenue à jour")) == {"Chorale du Lavoir"}
    assert keeper.get(KEEP).context["form"].initial["description"] == SAID["description"]


def test_an_agent_checks_a_proof_and_a_sheet_passes_from_one_to_another(town: str) -> None:
    first, second, agent = signed_in(), signed_in(), signed_in(Role.AGENT, services=("vie-locale",))
    stranger = signed_in(Role.AGENT)
    assert first.post(OTHER, {"how": "check", "proof": ""}).status_code == 400, "nothing to check"
    assert first.post(OTHER, {"how": "mail", "proof": ""}).status_code == 400, "no address is known"
    first.post(OTHER, CHECK)
    second.post(OTHER, CHECK)
    one, two = Claim.objects.order_by("pk")
    assert "trésorière" in agent.get("/agent/lieux-a-verifier/").content.decode()
    assert "trésorière" not in stranger.get("/agent/lieux-a-verifier/").content.decode()
    stranger.post(f"/agent/lieux-a-verifier/fiches/{one.pk}/", {"do": "accept"})
    assert not Claim.objects.filter(state=ACCEPTED).exists()
    agent.post(f"/agent/lieux-a-verifier/fiches/{one.pk}/", {"do": "accept"})
    assert first.post(OTHER, SAID).status_code == 302
    assert "Quelqu’un d’autre la tient déjà" in agent.get("/agent/lieux-a-verifier/").content.decode()
    agent.post(f"/agent/lieux-a-verifier/fiches/{two.pk}/", {"do": "accept"})
    assert list(Claim.objects.order_by("pk").values_list("state", flat=True)) == [ENDED, ACCEPTED]
    assert first.post(OTHER, SAID).status_code == 400
    deliver_pending()
    assert [one.subject for one in mail.outbox] == ["Votre fiche d’annuaire"] * 2
    assert set(told(q="audition")) == set(), "the words of who no longer keeps it have left"


def test_an_association_that_stopped_leaves_and_comes_back_with_its_keeper_gone(town: str) -> None:
    keeper, agent = signed_in(), signed_in(Role.AGENT, services=("vie-locale",))
    keeper.post(OTHER, CHECK)
    agent.post(f"/agent/lieux-a-verifier/fiches/{Claim.objects.get().pk}/", {"do": "accept"})
    keeper.post(OTHER, {**SAID, "stopped": "on"})
    assert set(told()) == {"Chorale du Lavoir"}
    assert keeper.get(OTHER).status_code == 200, "she may still say that it goes on"
    keeper.post(OTHER, {"do": "give-up"})
    assert set(told()) == {"Chorale du Lavoir", "Judo Club"}
    rows = lake.table(ANONYMOUS, DatasetRef(CODE, kept.DATASET))
    assert rows.ids == ("aucune",), "nothing of the person, nor of the sheet, is left"


def test_a_code_is_tried_five_times_within_a_day(town: str) -> None:
    viewer = Viewer(make_person(territory=CODE))
    number = claims.claim_sheet(
        viewer, CODE, "6-14", slug="associations", sheet="W341000001", title="Chorale", how="mail", at=AT
    )
    right = claims.code_of(number, Claim.objects.get().nonce)
    with pytest.raises(BadOffer, match="ne vaut plus"):
        claims.confirm_claim(viewer, number, code=right, at=AT + timedelta(hours=25))
    for _ in range(claims.MOST_TRIES):
        with pytest.raises(BadOffer, match="pas le code"):
            claims.confirm_claim(viewer, number, code="12", at=AT)
    with pytest.raises(BadOffer, match="ne vaut plus"):
        claims.confirm_claim(viewer, number, code=right, at=AT)
