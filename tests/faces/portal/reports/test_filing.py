"""`/signaler/` without JavaScript: three steps, nothing lost on an error or on going back; a script obeys the same."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from beffroi.base.territory.viewer import Role
from beffroi.serve.reports import queries
from beffroi.serve.reports.popular import _counted
from faces.portal.small_town import CODE
from serve_makers import photo

pytestmark = pytest.mark.django_db

HERE = {"lat": "45,0092", "lon": "3,0045", "address": "devant le 12 Grande Rue"}
HOLE = {"category": "nid-de-poule"}
SEND = {"go": "send"}


def fields_of(page: str) -> dict[str, str]:
    """What the form of a page would send if one only pressed its button."""
    form = page.split('<form method="post"')[1].split("</form>")[0].split("<template")[0]
    tags = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) | {"tag": tag} for tag in re.findall(r"<input[^>]*>", form)]
    sent = [
        one
        for one in tags
        if "name" in one and one.get("type") != "file" and (one.get("type") != "radio" or "checked" in one["tag"])
    ]
    areas = re.findall(r'<textarea name="([^"]*)"[^>]*>\s*([^<]*)</textarea>', form)
    return {one["name"]: unescape(one.get("value", "")) for one in sent} | {
        name: unescape(text) for name, text in areas
    }


def walk(client: Client, *steps: dict[str, Any], address: str = "/signaler/") -> Any:
    """Send each step with what the page before it carried; return the last answer."""
    answer = client.get(address)
    for step in steps:
        answer = client.post("/signaler/", fields_of(answer.content.decode()) | step)
    return answer


def picture(name: str = "trou.jpg", content: bytes = b"") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content or photo().content, "image/jpeg")


def shown(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def body(answer: Any, *, typed: str = "") -> str:
    """What a page says by itself: what the reader typed in a search, and what repeats it, left aside."""
    text = answer.content.decode()
    main = text.split("<main")[1].split("</main>")[0] if "<main" in text else text
    for echo in (f'value="{typed}"', f"« {typed} »", f'/abonnement/?rue={typed}"', f'.atom?q={typed}"'):
        main = main.replace(echo, "")
    return main


def test_a_newcomer_reports_in_three_steps(reporting_town: str, client: Client) -> None:
    answer = walk(client, HERE, HOLE, {"description": "Un trou.", "photo": picture()}, SEND)
    assert answer.status_code == 302
    page = client.get(answer["Location"])
    text = shown(page)
    assert "C’est envoyé. Votre numéro :" in text
    assert "Service chargé Voirie" in text
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "same-origin"
    assert len(page.context["photos"]) == 1
    assert page.context["promise"].due_at == page.context["case"].due_at
    assert "Il répond au plus tard le" in text
    receipt = client.get(answer["Location"].split("?")[0] + "recu/")
    assert page.context["info"].number in shown(receipt)


def test_an_address_alone_is_a_place(reporting_town: str, client: Client) -> None:
    answer = walk(client, {"address": "12 rue de l’église"}, HOLE, {}, SEND)
    info = client.get(answer["Location"]).context["info"]
    assert (info.street, info.address) == ("Rue de l’Église", "12 Rue de l’Église, 00100 Bourg-l’Essai")
    assert 3.0 < info.lon < 3.02
    refused = walk(client, {"address": "99 avenue de Nulle Part"})
    assert refused.status_code == 400
    assert "Cette adresse n’est pas connue ici" in shown(refused)
    assert 'value="99 avenue de Nulle Part"' in refused.content.decode()


def test_going_back_or_missing_an_answer_loses_nothing(reporting_town: str, client: Client) -> None:
    """The photo too: it is kept by the server from the moment it came."""
    car = {"category": "voiture-ventouse"}
    refused = walk(client, HERE, car, {"description": "Break gris.", "d_plaque": "AA-123-AA", "photo": picture()})
    assert refused.status_code == 400
    assert "Ce champ est obligatoire" in shown(refused)
    assert "Une photo est déjà jointe" in shown(refused)
    fields = fields_of(refused.content.decode())
    assert (fields["description"], fields["d_plaque"], fields["lat"]) == ("Break gris.", "AA-123-AA", "45,0092")
    back = client.post("/signaler/", fields | {"go": "where"})
    assert back.status_code == 200
    assert fields_of(back.content.decode())["address"] == "devant le 12 Grande Rue"
    again = client.post("/signaler/", fields_of(back.content.decode()) | {"go": "next"})
    check = client.post("/signaler/", fields_of(again.content.decode()) | {"d_jours": "12"})
    assert "Break gris." in shown(check)
    sent = client.post("/signaler/", fields_of(check.content.decode()) | SEND)
    page = client.get(sent["Location"])
    assert dict(page.context["info"].private_details) == {"plaque": "AA-123-AA"}
    assert len(page.context["photos"]) == 1
    public = client.get(f"/signalements/{page.context['info'].number}/")
    assert "AA-123-AA" not in public.content.decode()
    assert "12" in shown(public)


def test_the_same_page_sent_twice_is_one_report(reporting_town: str, client: Client) -> None:
    check = fields_of(walk(client, HERE, HOLE, {}).content.decode())
    first, second = (client.post("/signaler/", check | SEND)["Location"] for _ in range(2))
    assert first == second
    assert queries.public_reports(CODE, at=client.get(first).context["at"]).total == 1


def test_categories_are_found_in_plain_words(reporting_town: str, client: Client) -> None:
    found = walk(client, HERE, {"go": "search", "q": "matelas"})
    assert 'value="depot-sauvage"' in found.content.decode()
    assert 'value="nid-de-poule"' not in found.content.decode()
    nothing = walk(client, HERE, {"go": "search", "q": "licorne"})
    assert "Rien ne porte ce nom" in shown(nothing)
    assert fields_of(nothing.content.decode())["lat"] == "45,0092"


def test_who_will_read_is_said_before_sending(reporting_town: str, client: Client) -> None:
    public, squat = walk(client, HERE, HOLE), walk(client, HERE, {"category": "squat"})
    assert "vos mots et vos photos, une fois lus par le service « Voirie »" in shown(public)
    assert "Lu seulement par le service « Habitat » et par vous. Jamais publié" in shown(squat)
    assert "appelez le 17" in shown(squat)
    plate = walk(client, HERE, {"category": "voiture-ventouse"})
    assert "Lu seulement par le service ; jamais publié." in shown(plate)
    assert 'href="tel:112"' in client.get("/signaler/").content.decode()


def test_a_zone_is_drawn_for_a_category_that_takes_one(reporting_town: str, client: Client) -> None:
    zone = "45.0090 3.0040\n45.0090 3.0050\n45.0097 3.0050"
    sent = walk(client, {"zone": zone}, {"category": "squat"}, {"description": "Maison murée."}, SEND)
    info = client.get(sent["Location"]).context["info"]
    assert '"Polygon"' in info.zone
    assert 3.0040 < info.lon < 3.0050


def test_similar_reports_are_offered_and_followed_with_ones_photo(reporting_town: str, client: Client) -> None:
    walk(client, HERE, HOLE, {"description": "Un trou."}, SEND)
    neighbour = Client()
    check = walk(neighbour, HERE, HOLE, {"description": "Gros trou.", "photo": picture()})
    (offered,) = check.context["screen"].similar
    assert "Déjà signalé tout près ?" in shown(check)
    followed = neighbour.post(
        "/signaler/", fields_of(check.content.decode()) | {"same": offered.report.number, "go": "send"}
    )
    page = neighbour.get(followed["Location"])
    assert page.context["info"].number == offered.report.number
    assert page.context["info"].reporters == 2
    assert len(page.context["photos"]) == 1
    assert "Gros trou." in shown(page)
    assert queries.public_reports(CODE, at=page.context["at"]).total == 1


def test_a_script_sends_the_same_and_is_told_where_to_mend(reporting_town: str, client: Client) -> None:
    good = {"lat": "45.0092", "lon": "3.0045", **HOLE, "key": "a" * 32, "email": "camille@exemple.fr"}
    first = client.post("/signaler/envoi/", good | {"photo": picture()}, headers={"accept": "application/json"})
    assert first.status_code == 201
    again = client.post("/signaler/envoi/", good, headers={"accept": "application/json"})
    assert again.json() == first.json()
    assert client.get(first.json()["url"]).context["party"].email == "camille@exemple.fr"
    for change, where, step in (
        ({"lat": ""}, "lat", "where"),
        ({"lat": "48.85", "lon": "2.35"}, "lat", "where"),
        ({"category": "licorne"}, "category", "what"),
        ({"email": "pas une adresse"}, "email", "check"),
        ({"key": "x"}, "idempotency_key", "check"),
    ):
        refused = client.post("/signaler/envoi/", good | {"key": "b" * 32} | change)
        assert refused.status_code == 400, refused.content
        assert (refused.json()["where"], refused.json()["step"]) == (where, step)


def test_what_is_reported_most_comes_first(reporting_town: str, client: Client) -> None:
    """Restricted categories are never among them, however often they are used."""
    for n in range(3):
        walk(client, HERE | {"lon": f"3,00{n + 1}"}, {"category": "fontaine"}, {}, SEND)
        walk(client, HERE, {"category": "squat"}, {}, SEND)
    # An order an hour old will do for readers, not here.
    _counted.cache_clear()
    popular = [one.category.code for one in walk(client, HERE).context["popular"]]
    assert popular[0] == "fontaine"
    assert "squat" not in popular


def test_an_account_follows_from_its_own_pages(reporting_town: str, signed_in: Any) -> None:
    reader = signed_in(Role.RESIDENT)
    sent = walk(reader, HERE, HOLE, {}, SEND)
    number = reader.get(sent["Location"]).context["info"].number
    page = reader.get(f"/signalements/{number}/")
    assert page.context["party"] is not None
    mine = shown(reader.get("/mes-demandes/"))
    assert "Mes signalements" in mine
    assert f"{number} · devant le 12 Grande Rue" in mine
    assert number not in shown(signed_in(Role.RESIDENT).get("/mes-demandes/"))
    assert Client().get(f"/signalements/{number}/").context["party"] is None


def test_the_form_asks_the_registry_little_however_many_categories(
    reporting_town: str, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.get("/signaler/")
    with django_assert_max_num_queries(6):
        client.get("/signaler/")
