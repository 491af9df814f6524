"""Pages by which one is told of a street, a zone, a category or a report: asked, confirmed, changed, ended."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import shapely
from django.core import mail
from django.test import Client

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory.viewer import Role
from beffroi.serve.cases.ground import circle
from beffroi.serve.reports import news
from beffroi.serve.reports.models import Reader, Subscription
from faces.portal.reports.test_filing import shown
from faces.portal.small_town import AT, CODE
from serve_makers import file_in_town

pytestmark = pytest.mark.django_db
PAGE = "/signalements/abonnement/"
EMAIL = {"email": "lectrice@exemple.fr", "rhythm": "hour"}


def _hole(**fields: Any) -> str:
    return file_in_town(CODE, "nid-de-poule", lon=3.0045, lat=45.0092, at=AT, **fields).number


def _link(body: str, start: str) -> str:
    return re.search(rf"https?://[^/]+(/{start}/\S+)", body)[1]


def _subscribed(client: Client, **typed: str) -> str:
    """Ask, follow the link of the message, confirm; return the address of the page of one's subscriptions."""
    answer = client.post(PAGE, EMAIL | typed)
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?envoye")
    assert "Ouvrez votre messagerie" in shown(client.get(answer["Location"]))
    deliver_pending(100)
    page = _link(mail.outbox[-1].body, "abonnement")
    assert "Confirmer" in shown(client.get(page))
    assert not Subscription.objects.exclude(confirmed_at=None).filter(email=EMAIL["email"], **_last()).exists()
    answer = client.post(page)
    assert answer["Referrer-Policy"] == "same-origin"
    return answer["Location"]


def _last() -> dict[str, int]:
    return {"pk": Subscription.objects.order_by("-pk").values_list("pk", flat=True).first()}


def test_from_asking_to_the_message_to_the_end(reporting_town: str, client: Client) -> None:
    mine = _subscribed(client, categorie="nid-de-poule")
    assert "Trou ou nid-de-poule" in shown(client.get(mine))
    number = _hole()
    deliver_pending(100)
    reader = Reader.objects.get()
    news.write_to(reader.pk, at=reader.due_at)
    letter = mail.outbox[-1]
    assert number in letter.body
    assert client.get(_link(letter.body, "signalements")).status_code == 200
    end = _link(letter.extra_headers["List-Unsubscribe"].strip("<>"), "abonnements")
    # Opened by what reads mail before its reader does, the link ends nothing.
    assert "Tout arrêter" in shown(client.get(end))
    assert Subscription.objects.count() == 1
    # RFC 8058: no page, no cookie, no mark.
    answer = Client(enforce_csrf_checks=True).post(end, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not Subscription.objects.exists()
    assert client.post(end).status_code == 200
    assert "Vous n’êtes abonné à rien" in shown(client.get(mine))


def test_a_street_an_extent_a_zone(reporting_town: str, client: Client) -> None:
    address = {
        "address": "3 Grande Rue",
        "address_lon": "3.0045",
        "address_lat": "45.0092",
        "address_label": "3 Grande Rue",
    }
    mine = _subscribed(client, **address, around="rue")
    _subscribed(client, **address, around="200")
    _subscribed(client, zone="45 3\n45 3,01\n45,01 3,01")
    street, around, zone = Subscription.objects.order_by("pk")
    assert (street.street, around.street, zone.street) == ("Grande Rue", "", "")
    shape = shapely.from_wkb(bytes(around.zone_wkb))
    assert shape.contains(shapely.Point(3.0045 + 0.0024, 45.0092))
    assert not shape.contains(shapely.Point(3.0045 + 0.0026, 45.0092))
    assert shapely.from_wkb(bytes(zone.zone_wkb)).area > 0
    page = shown(client.get(mine))
    assert page.count("Ne plus suivre") == 3
    client.post(mine, {"do": "end", "id": str(around.pk)})
    client.post(mine, {"do": "rhythm", "rhythm": "day"})
    assert Subscription.objects.count() == 2
    assert Reader.objects.get().rhythm == "day"
    # Come from one's own page, one need not confirm anew.
    known = mine.split("/")[2]
    answer = client.post(PAGE, {"categorie": "depot-sauvage", "rhythm": "day", "abonne": known})
    assert answer["Location"] == mine
    client.post(mine, {"do": "end-all"})
    assert not Subscription.objects.exists()


def test_the_street_is_that_of_the_nearest_address_whatever_was_written(reporting_town: str, client: Client) -> None:
    mine = _subscribed(client, lat="45,0092", lon="3,0045", around="rue")
    (row,) = Subscription.objects.all()
    assert row.street == "Grande Rue"
    number = _hole(address="devant le portail vert")
    deliver_pending(100)
    news.write_to(Reader.objects.get().pk, at=Reader.objects.get().due_at)
    assert number in mail.outbox[-1].body
    assert row.street in shown(client.get(mine))


def test_an_account_is_subscribed_at_once(reporting_town: str, signed_in: Any) -> None:
    client = signed_in(Role.RESIDENT)
    number = _hole()
    page = client.get(f"/signalements/{number}/").content.decode()
    asked = unescape(re.search(r'href="([^"]*signalement=[^"]*)"', page)[1])
    assert number in shown(client.get(asked))
    answer = client.post(PAGE, {"signalement": number, "rhythm": "hour"}, follow=True)
    assert answer.redirect_chain == [("/abonnements/", 302)]
    assert f"Le signalement {number}" in shown(answer)
    assert number in shown(client.get("/mes-demandes/"))
    client.post("/abonnements/", {"do": "end-all"})
    assert "Vous n’êtes abonné à rien" in shown(client.get("/abonnements/"))


def test_what_cannot_be_followed_is_said_and_nothing_typed_is_lost(reporting_town: str, client: Client) -> None:
    answer = client.post(PAGE, EMAIL)
    assert answer.status_code == 400
    assert "Rien à suivre" in shown(answer)
    assert EMAIL["email"] in answer.content.decode()
    for wrong in ({"categorie": "squat"}, {"zone": "45 3"}, {"address": "rue qui n’existe pas"}, {"email": "x"}):
        assert client.post(PAGE, EMAIL | {"categorie": "nid-de-poule"} | wrong).status_code == 400
    assert client.get(f"{PAGE}?signalement=AAA-0000").status_code == 404
    for address in ("abonnement", "abonnements"):
        assert client.get(f"/{address}/1.{'0' * 32}/").status_code == 404
    assert not mail.outbox


def test_the_list_gives_the_feed_and_the_subscription_of_what_it_shows(reporting_town: str, client: Client) -> None:
    _hole()
    page = client.get("/signalements/?categorie=nid-de-poule&etat=open&q=trou&lat=45.0092&lon=3.0045").content.decode()
    feed = unescape(re.search(r'href="(/feeds/[^"]*)"', page)[1])
    assert client.get(feed).status_code == 200
    assert "categorie=nid-de-poule&etat=open&q=trou&bbox=2.998" in feed
    form = client.get(unescape(re.search(r'href="(/signalements/abonnement/[^"]*)"', page)[1])).content.decode()
    assert '<option value="nid-de-poule" selected' in form
    assert 'value="500" ' in form
    assert re.search(r'name="lat" value="45.0092"', form)


def test_a_circle_has_its_radius_in_metres() -> None:
    shape = circle(3.0, 45.0, 500)
    north = shape.bounds[3] - 45.0
    assert north * 111_195 == pytest.approx(500, abs=0.1)
    assert (shape.bounds[2] - 3.0) * 111_195 * 0.7071068 == pytest.approx(500, abs=0.1)


def test_the_page_gives_the_feed_of_its_choice(reporting_town: str, client: Client) -> None:
    feed = "/feeds/signalements.atom"
    assert client.get(PAGE).context["feed"] == feed
    assert client.get(PAGE, {"categorie": "nid-de-poule"}).context["feed"] == f"{feed}?categorie=nid-de-poule"
    assert client.get(PAGE, {"categorie": "squat"}).context["feed"] == feed
    near = client.get(PAGE, {"lon": "3.0045", "lat": "45.0092"}).context["feed"]
    assert "bbox=" in near
    assert client.get(near).status_code == 200
