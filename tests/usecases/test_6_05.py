"""6-05, « declarative forms, documents, messages, status, calculated fees by family quotient »."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.clock import queries as clock
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.serve.payments.engine import billed_in
from beffroi.serve.procedures import operations, queries
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.models import KeptPiece
from beffroi.serve.procedures.opened import forget_procedures
from desk_makers import sign_in_agent
from faces.portal.reports.test_filing import shown
from faces.portal.small_town import AT
from usecases.test_6_06 import token_in, walk

pytestmark = pytest.mark.django_db
PAGE, SERVICE = "/demarches/6-05/", "education"
WHO = {"name": "Camille Rivebelle", "email": "camille@exemple.fr"}
HOME = {"adresse": "12 Grande Rue 00100 Bourg-l’Essai", "habite": "oui", "enfants": "2"}
CANTEEN = {"ecole": "Jean-Moulin", "repas": "courant", "semaine": "4"}


@pytest.fixture
def town(small_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.DATA_DIR, settings.STRONG_AUTH = tmp_path, False
    forget_procedures()
    territory.add_service(territory=small_town, slug=SERVICE, name="Éducation", at=AT)
    yield small_town
    forget_procedures()


def child(what: str) -> dict[str, str]:
    today = timezone.localdate()
    return {
        "inscription": what, "prenom": "Lou Rivebelle", "naissance": "2018-05-04", "debut": f"{today + timedelta(30)}",
    }  # fmt: skip


def check_page(client: Client, *steps: dict[str, Any]) -> Any:
    return walk(client, client.post(f"{PAGE}commencer/", follow=True), *steps, WHO)


def test_the_fee_and_how_it_is_reached_are_told_before_sending_then_follow_what_is_checked(
    town: str, client: Client
) -> None:
    check = check_page(client, child("cantine"), CANTEEN, HOME | {"quotient": "399"})
    told = shown(check)
    for words in (
        "Restauration scolaire : 0,95 € par repas",
        "d’après ce que vous dites",
        "quotient familial de 399 € : tranche de 0 à moins de 400 €",
        "loi n° 98-657, art. 147",
    ):
        assert words in told, words
    follow = str(client.post(check.request["PATH_INFO"], {"go": "send"})["Location"]).split("?")[0]
    assert "Restauration scolaire : 0,95 € par repas" in shown(client.get(follow))
    agent, _me = sign_in_agent(SERVICE, town=town)
    number = queries.followed_request(token_in(follow))[0].number
    desk = f"/agent/demarches/{number}/"
    assert agent.post(f"{desk}constater/", {"quotient-verifie": "812", "lieu": "École"}).status_code == 302
    assert "Restauration scolaire : 3,75 € par repas" in shown(agent.get(desk))
    assert agent.post(f"{desk}decider/", {"decision": "inscrit"}).status_code == 302
    told = shown(client.get(follow))
    assert "École. Tarif : Restauration scolaire : 3,75 € par repas." in told
    assert "d’après ce que le service a vérifié" in told


def test_a_family_that_tells_nothing_pays_the_highest_and_is_asked_nothing_more(town: str, client: Client) -> None:
    check = check_page(client, child("cantine"), CANTEEN, HOME | {"quotient": ""})
    told = shown(check)
    assert "Restauration scolaire : 4,90 € par repas" in told
    assert "quotient familial inconnu : tarif le plus haut" in told
    # Without an account, nothing can be kept for later.
    assert "garder ces pièces" not in told


def test_documents_are_given_once_with_consent_and_taken_again_for_the_next_child(
    town: str, signed_in: Callable[..., Client], connection_kept: None
) -> None:
    parent: Any = signed_in(Role.RESIDENT)
    paper = SimpleUploadedFile("caf.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
    first = check_page(parent, child("cantine"), CANTEEN, HOME | {"quotient": "500", "attestation-caf": paper})
    assert "d’après votre attestation" in shown(first)
    assert "Attestation de la Caf ou avis d’imposition (6 mois)" in shown(first)
    assert parent.post(first.request["PATH_INFO"], {"go": "send", "garder": "oui"}).status_code == 302
    (kept,) = KeptPiece.objects.all()
    assert (kept.expires_at.date() - kept.agreed_at.date()).days in range(178, 187)
    step = walk(parent, parent.post(f"{PAGE}commencer/", follow=True), child("loisirs"), CANTEEN)
    assert "Reprendre caf.pdf" in shown(step)
    again = walk(parent, step, HOME | {"quotient": "500", "reprendre": str(kept.pk)}, WHO)
    assert "caf.pdf" in shown(again)
    assert "d’après votre attestation" in shown(again)
    location = parent.post(again.request["PATH_INFO"], {"go": "send", "garder": "oui"})["Location"]
    assert [one.name for one in parent.get(location).context["own_files"]] == ["caf.pdf"]
    # Taken again, its end stays the one that was told.
    assert [row.expires_at for row in KeptPiece.objects.all()] == [kept.expires_at]
    stranger: Any = signed_in(Role.RESIDENT)
    person = Viewer(int(stranger.session["_auth_user_id"]))
    assert operations.reused_files(person, town, keys=[str(kept.pk)], at=timezone.now()) == []
    assert stranger.post("/demarches/pieces/", {"piece": kept.pk}).status_code == 404
    owner = Viewer(int(parent.session["_auth_user_id"]))
    assert queries.kept_pieces(owner, town, at=kept.expires_at + timedelta(days=1)) == []
    assert "caf.pdf" in shown(parent.get("/demarches/pieces/"))
    assert parent.post("/demarches/pieces/", {"piece": kept.pk}).status_code == 302
    assert "Aucune pièce n’est gardée" in shown(parent.get("/demarches/pieces/"))


def test_the_nursery_alone_has_a_list_by_its_criteria(town: str, client: Client) -> None:
    nursery = {"heures": "40", "parents": "occupes", "fratrie-accueillie": "non"}
    check = check_page(client, child("creche"), nursery, HOME | {"ressources": "3000"})
    assert "Crèche : 1,55 € par heure" in shown(check)
    assert "enfants à charge : 2, d’où un taux d’effort de 0,0516 % par heure" in shown(check)
    follow = client.post(check.request["PATH_INFO"], {"go": "send"})["Location"].split("?")[0]
    assert "Rang 1 sur 1" in shown(client.get(follow))
    check = check_page(client, child("cantine"), CANTEEN, HOME | {"quotient": "500"})
    other = client.post(check.request["PATH_INFO"], {"go": "send"})["Location"].split("?")[0]
    assert "Rang" not in shown(client.get(other))
    assert "Rang 1 sur 1" in shown(client.get(follow))


@pytest.mark.parametrize(("tariff", "slug"), [
    ("enfance.cantine", "cantine"), ("enfance.centre-de-loisirs", "centre-de-loisirs"),
])  # fmt: skip
@pytest.mark.parametrize("quotient", [0, 399, 400, 799, 1399, 1400, None])
@pytest.mark.parametrize("outside", [False, True])
def test_the_price_told_is_the_price_billed(tariff: str, slug: str, quotient: int | None, outside: bool) -> None:
    day = date(2026, 10, 1)
    _rule, billed = billed_in([catalogue.catalogue().use_cases["6-04"].settings["payments"]], slug, day)
    told = clock.tariff(tariff).price(day, euros=quotient, outside=outside)
    assert (told.cents, told.unit) == (billed.price_for(quotient, outside=outside), billed.unit)


@pytest.mark.parametrize(("change", "words"), [
    ({"tariff": "enfance.cantin"}, "tarif « enfance.cantin » inconnu ; vouliez-vous dire « enfance.cantine »"),
    ({"means": "prenom"}, "« fee.means » : « prenom » n’est pas du type number"),
    ({"when": {"field": "inscription", "among": ["piscine"]}}, "« inscription » n’a pas de réponse « piscine »"),
])  # fmt: skip
def test_a_fee_that_could_not_be_told_is_refused(change: dict[str, Any], words: str) -> None:
    declared = catalogue.catalogue().use_cases["6-05"].settings["procedures"].model_dump()
    declared["fee"] = [declared["fee"][0] | change]
    with pytest.raises(ValueError, match=words):
        Procedure.model_validate(declared)
