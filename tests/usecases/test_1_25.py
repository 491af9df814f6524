"""1-25, « online form, agent inspection, signed PDF certificate »; and who holds the paper checks where it is from."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.serve.cases.definition import Requester
from beffroi.serve.procedures import operations, queries, seal
from beffroi.serve.procedures.models import Certificate
from beffroi.serve.procedures.opened import forget_procedures
from faces.portal.reports.test_filing import fields_of, shown
from faces.portal.small_town import AT
from territory_makers import make_person

pytestmark = pytest.mark.django_db
PAGE = "/demarches/1-25/"
BUILDING = {"adresse": "12 Grande Rue 00100 Bourg-l’Essai", "parcelle": "AB 123", "nature": "maison", "fosse": "oui"}
ASKED = {"qualite": "mandataire", "motif": "vente"}
WHO = {"name": "Étude Vauclair", "email": "etude@exemple.fr"}
FOUND = {
    "essai": "colorant", "eaux-usees": "toutes", "eaux-pluviales": "separees", "fosse-vue": "hors-service",
    "conclusion": "conforme", "travaux": "",
}  # fmt: skip


@pytest.fixture
def town(small_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.DATA_DIR, settings.SEAL_KEY, settings.STRONG_AUTH = tmp_path, tmp_path / "seal.key", False
    forget_procedures()
    territory.add_service(territory=small_town, slug="voirie", name="Voirie", at=AT)
    yield small_town
    forget_procedures()


def file_it(client: Client) -> str:
    """Fill in the form as a notary does, the owner's mandate joined; return the address of the follow-up page."""
    page = client.post(f"{PAGE}commencer/", follow=True)
    mandate = SimpleUploadedFile("mandat.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
    visit = {"contact": "Mme Ferrière, 06 00 00 00 00", "mandat": mandate, "signature-prevue": ""}
    for step in (BUILDING, ASKED, visit, WHO):
        url, held = page.request["PATH_INFO"], fields_of(page.content.decode())
        page = client.post(url, held | {"go": "next"} | step, follow=True)
    sent = client.post(page.request["PATH_INFO"], {"go": "send"})
    return str(sent["Location"]).split("?")[0]


def test_from_the_form_to_the_paper_that_anyone_checks(town: str, client: Client, connection_kept: None) -> None:
    told = shown(client.get(PAGE))
    assert "6 semaines au plus" in told
    assert "valable 10 ans" in told
    page = file_it(client)
    token = page.split("/")[3]
    number = queries.followed_request(token)[0].number
    person = make_person(Role.AGENT, territory=town, services=("voirie",))
    agent, desk = Client(), f"/agent/demarches/{number}/"
    agent.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    assert agent.post(f"{desk}prendre/").status_code == 302
    day = timezone.localdate() + timedelta(days=3)
    assert agent.post(f"{desk}prevoir/", {"day": f"{day:%Y-%m-%d}"}).status_code == 302
    assert "Contrôle sur place" in shown(client.get(page))
    # Nothing is certified that was not inspected.
    early = agent.post(f"{desk}decider/", {"decision": "remettre"})
    assert "Il manque un constat : Jour du contrôle" in shown(early)
    found = FOUND | {"controle": f"{timezone.localdate():%Y-%m-%d}"}
    assert agent.post(f"{desk}constater/", found).status_code == 302
    assert agent.post(f"{desk}decider/", {"decision": "remettre", "quality": "contrôleuse"}).status_code == 302
    ended = client.get(page)
    assert "Raccordement conforme. Le certificat vous est remis en PDF" in shown(ended)
    (document,), (certificate,) = ended.context["documents"], ended.context["certificates"]
    answer = client.get(f"{page}fichier/{document.id}/")
    paper = b"".join(answer.streaming_content)
    answer.close()
    assert paper.startswith(b"%PDF-")
    assert answer["Content-Disposition"].startswith("attachment")
    # A stranger who holds the paper: where it is from, until when, what it says, no name.
    check = f"/verifier/{certificate.code}/"
    public = Client().get(check)
    text = shown(public)
    for words in ("remis par la commune et vaut encore", "AB 123", "Raccordement conforme", "eIDAS"):
        assert words in text
    assert "Vauclair" not in text
    typed = certificate.code.lower().replace("-", " ")
    assert Client().get("/verifier/", {"code": typed})["Location"] == check
    same = SimpleUploadedFile("certificat.pdf", paper, "application/pdf")
    assert "à l’octet près" in shown(Client().post(check, {"file": same}))
    forged = SimpleUploadedFile("certificat.pdf", paper.replace(b"conforme", b"CONFORME") + b" ", "application/pdf")
    assert "Ce n’est pas le fichier remis" in shown(Client().post(check, {"file": forged}))
    assert Client().get("/verifier/00000-00000-00000-00000/").status_code == 404
    assert Client().get("/verifier/", {"code": "abc"}).status_code == 400
    # Anyone checks the seal alone, with the public key.
    words = seal.sealed_words(
        code=certificate.code, territory=town, number=number, issued_at=certificate.issued_at, digest=certificate.digest
    )
    key: Any = load_pem_public_key(Client().get("/verifier/sceau.pem").content)
    key.verify(base64.urlsafe_b64decode(certificate.signature), words)


def certified(town: str) -> tuple[str, str]:
    """Return the number of a request and the code of its certificate, made without the pages."""
    answers = {"adresse": "12 Grande Rue", "nature": "maison", "fosse": "non", "qualite": "proprietaire",
               "motif": "savoir", "contact": "Moi"}  # fmt: skip
    opened = operations.file_request(
        territory=town, use_case="1-25", answers=answers, requester=Requester(name="Noa Castelnau", phone="0467000000"),
        at=timezone.now(),
    )  # fmt: skip
    agent = Viewer(None, (Grant(town, Role.AGENT, frozenset({"voirie"})),))
    findings = {**FOUND, "controle": f"{timezone.localdate():%Y-%m-%d}"}
    operations.record_findings(number=opened.number, findings=findings, by=agent, at=timezone.now())
    return opened.number, operations.decide(number=opened.number, decision="remettre", by=agent, at=timezone.now())


def test_a_certificate_withdrawn_ended_or_tampered_with_says_so(town: str, client: Client) -> None:
    number, code = certified(town)
    row = Certificate.objects.get(code=code)
    Certificate.objects.filter(pk=row.pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    assert "sa durée est passée" in shown(client.get(f"/verifier/{code}/"))
    Certificate.objects.filter(pk=row.pk).update(valid_until=row.valid_until, digest="0" * 64)
    assert "Le sceau ne tient pas" in shown(client.get(f"/verifier/{code}/"))
    Certificate.objects.filter(pk=row.pk).update(digest=row.digest)
    agent = Viewer(None, (Grant(town, Role.AGENT, frozenset({"voirie"})),))
    operations.withdraw_certificate(number=number, reason="Essai refait.", by=agent, at=timezone.now())
    text = shown(client.get(f"/verifier/{code}/"))
    assert "Ce document ne vaut plus Essai refait." in text
