"""11-08, « guided filing, number, follow-up »: the number is the national one, noted by the service, never made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from beffroi.base.territory import operations as territory
from beffroi.serve.procedures import queries
from beffroi.serve.procedures.opened import forget_procedures
from desk_makers import sign_in_agent
from faces.portal.reports.test_filing import shown
from faces.portal.small_town import AT
from usecases.test_6_06 import token_in, walk

pytestmark = pytest.mark.django_db
PAGE, SERVICE, NUMBER = "/demarches/11-08/", "solidarites", "0341126123456GDDDD"


@pytest.fixture
def town(small_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.DATA_DIR, settings.STRONG_AUTH = tmp_path, False
    forget_procedures()
    territory.add_service(territory=small_town, slug=SERVICE, name="Solidarités", at=AT)
    yield small_town
    forget_procedures()


def test_from_the_guided_form_to_the_national_number(town: str, client: Client, connection_kept: None) -> None:
    assert "1 mois au plus à compter de votre envoi" in shown(client.get(PAGE))
    begun = client.post(f"{PAGE}commencer/", follow=True)
    assert "donné par le système national d’enregistrement" in shown(begun)
    pieces = walk(
        client, begun, {"demande": "premiere"}, {"personnes": "3", "situation": "locataire"},
        {"taille": "t3", "accessible": "non"},
    )  # fmt: skip
    # The law lets nothing but the identity be demanded.
    missing = client.post(pieces.request["PATH_INFO"], {"go": "next"})
    assert missing.status_code == 400
    assert [one.code for one in queries.procedure_for(town, "11-08").procedure.documents if one.required] == [
        "identite"
    ]
    card = SimpleUploadedFile("carte.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
    check = walk(client, pieces, {"identite": card}, {"name": "Noa Castelnau", "email": "noa@exemple.fr"})
    follow = client.post(check.request["PATH_INFO"], {"go": "send"})["Location"].split("?")[0]
    number = queries.followed_request(token_in(follow))[0].number
    assert NUMBER not in shown(client.get(follow))
    agent, _me = sign_in_agent(SERVICE, town=town)
    desk = f"/agent/demarches/{number}/"
    refused = agent.post(f"{desk}decider/", {"decision": "enregistree"})
    assert refused.status_code == 400
    assert "Il manque un constat : Numéro unique donné par le système national" in shown(refused)
    found = {"numero-unique": NUMBER, "renouveler-avant": "2027-11-26"}
    assert agent.post(f"{desk}constater/", found).status_code == 302
    assert agent.post(f"{desk}decider/", {"decision": "enregistree"}).status_code == 302
    told = shown(client.get(follow))
    assert f"enregistrée sous le numéro unique {NUMBER}" in told
    assert "À renouveler avant le 26/11/2027" in told


def test_one_who_has_a_number_is_not_asked_for_it_all_again(town: str, client: Client) -> None:
    begun = client.post(f"{PAGE}commencer/", follow=True)
    home = walk(client, begun, {"demande": "suivi"})
    assert "Votre numéro unique" in shown(home)
    pieces = walk(
        client, home, {"numero": NUMBER, "besoin": "renouveler", "personnes": "3", "situation": "social"},
        {"taille": "t4", "accessible": "oui"},
    )  # fmt: skip
    assert "Pièce d’identité" not in shown(pieces)
