"""1-12: « alert on a drawn zone reaches subscribers of that zone by push, e-mail, feed and screens, on
alternate-traffic days "may I drive today" is answered for a plate or Crit'Air without storing it ».
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from alert_makers import agent, alert_values, follow, heard, sent_alert
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.alerts import queries
from beffroi.serve.alerts.models import Alert, Follower
from beffroi.serve.cases.definition import Requester
from beffroi.serve.cases.models import PushDevice
from beffroi.serve.reports import operations as reports
from desk_makers import QUEUE, act
from mail_server import mail_server
from push_relay import Device, relay, said
from serve_makers import LAT, LON, send, square

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
FAR = LON + 0.02
FIELDS = {"title": "Pollution du ruisseau", "text": "Ne pas s’y baigner.", "severity": "moderate", "hours": "24"}


def titles(client: Client, **query: str) -> list[str | None]:
    feed = ElementTree.fromstring(client.get("/feeds/alertes.atom", query).content)
    return [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]


def test_a_zone_reaches_by_mail_device_feed_screen_map_and_page_those_it_concerns(
    alert_town: str, settings: Any, tmp_path: Any, client: Client
) -> None:
    settings.WEBHOOK_PRIVATE, settings.PUSH_KEY = True, tmp_path / "push.key"
    with mail_server(settings) as box, relay() as there:
        asked = {"place": "zone", "lat": str(LAT), "lon": str(LON), "radius": "500", "email": "camille@exemple.fr"}
        assert client.post("/alertes/abonnement/", asked)["Location"].endswith("?envoye")
        heard()
        (confirm,) = box.messages
        page = re.search(r"/alertes/abonnement/\S+", confirm.get_content())
        mine = client.post(page[0])["Location"] if page else ""
        token = mine.split("/")[3]
        device = Device()
        told = device.subscription(f"{there.origin}/camille")
        wishes = client.post("/application/appareil/", {"endpoint": told["endpoint"], **told["keys"], "abonne": token})
        assert [one["label"] for one in wishes.json()["wishes"]] == ["Les alertes de vos abonnements"]
        far = follow(alert_town, "loin", zone=square(lon=FAR))
        box.messages.clear()

        author, _me = agent()
        drawn = "\n".join(f"{LAT + y:.4f} {LON + x:.4f}" for x, y in ((-0.001, -0.001), (0.001, -0.001), (0, 0.001)))
        number = sent_alert(author, **alert_values(title="Dératisation du quai", area="zone", zone=drawn))
        assert titles(client) == [], "nothing has left yet"
        assert box.messages == []
        heard(at=now() + timedelta(seconds=31))
        (letter,) = box.messages
        assert letter["To"] == "camille@exemple.fr" != far
        assert "Tenez les chiens en laisse." in letter.get_content()
        (push,) = there.heard
        assert there.signer(push)
        words = said(device, push)
        assert words["title"] == "Alerte à Montpellier : Dératisation du quai"
        assert "Dératisation du quai" in client.get(words["path"]).content.decode()
        near, off = (f"{lon - 0.001},{LAT - 0.001},{lon + 0.001},{LAT + 0.001}" for lon in (LON, FAR))
        assert titles(client) == titles(client, bbox=near) == ["Dératisation du quai"]
        assert titles(client, bbox=off) == titles(client, sujet="circulation") == []
        for path in ("/", "/alertes/", "/ecran/", f"/alertes/carte.geojson?bbox={near}"):
            assert "Dératisation du quai" in client.get(path).content.decode(), path
        # The screen reads itself again, and the browser keeps its last content for when the network is gone.
        screen = client.get("/ecran/")
        assert (screen["Refresh"], screen["X-Beffroi-Keep"]) == ("30", "1")
        shown = author.get(f"/agent/alertes/{number}/").content.decode()
        assert "Courriel : 1 personne" in shown
        assert "Notification : 1 personne" in shown

        # Nothing goes twice, however often the worker takes its turn.
        heard(at=now() + timedelta(minutes=5))
        assert (len(box.messages), len(there.heard)) == (1, 1)

        # She leaves as her mailbox does (RFC 8058): the next one reaches neither her address nor her device.
        leave = "/alertes/" + str(letter["List-Unsubscribe"]).partition("/alertes/")[2].strip("<>")
        assert client.post(leave, {"List-Unsubscribe": "One-Click"}).status_code == 200
        sent_alert(author, **alert_values(title="Encore", area="zone", zone=drawn))
        heard(at=now() + timedelta(minutes=10))
        assert (len(box.messages), len(there.heard)) == (1, 1)
        assert PushDevice.objects.count() == 0
        assert not Follower.objects.filter(email="camille@exemple.fr").exists()


def test_a_report_becomes_an_alert_that_readers_of_both_rooms_receive(alert_town: str, client: Client) -> None:
    told = [follow(alert_town, "zone", zone=square()), follow(alert_town, "quartier", district="ici")]
    follow(alert_town, "ailleurs", district="ailleurs")
    for name, what in (
        ("rue", {"zone": square()}),
        ("categorie", {"category": "pollution"}),
        ("zone", {"zone": square()}),
    ):
        made = reports.subscribe(
            territory=alert_town, requester=Requester(email=f"{name}@exemple.fr"), viewer=ANONYMOUS,
            at=now(), **what,
        )  # fmt: skip
        reports.confirm_subscription(made.token, at=now())
    heard()
    mail.outbox.clear()
    author, me = agent()
    number = send("pollution", details={"milieu": "eau"}).number
    act(author, number, "alerter", **FIELDS, lat=str(LAT), lon=str(LON), radius_m="300")
    heard()
    letters = [one for one in mail.outbox if one.subject.startswith("Alerte à ")]
    assert sorted(one.to[0] for one in letters) == sorted([*told, "rue@exemple.fr", "categorie@exemple.fr"])
    (kept,) = Alert.objects.all()
    assert (kept.report, kept.asker_id) == (number, me.person_id)
    assert number not in client.get(f"/alertes/{kept.pk}/").content.decode()

    # Over before its hour, by the same agent: nobody reads it any more, and those who were told are told.
    mail.outbox.clear()
    assert "Terminer l’alerte" in author.get(f"{QUEUE}{number}/").content.decode()
    act(author, number, "finir-l-alerte")
    heard()
    assert titles(client) == []
    assert sorted(one.to[0] for one in mail.outbox) == sorted([*told, "rue@exemple.fr", "categorie@exemple.fr"])
    assert {one.subject for one in mail.outbox} == {"Fin d’alerte à Montpellier : Pollution du ruisseau"}
    assert "Terminer l’alerte" not in author.get(f"{QUEUE}{number}/").content.decode()


def test_a_grave_report_waits_for_a_second_person(alert_town: str, client: Client) -> None:
    author, _me = agent()
    number = send("pollution", details={"milieu": "eau"}).number
    act(author, number, "alerter", **FIELDS | {"severity": "severe"}, lat=str(LAT), lon=str(LON), radius_m="300")
    heard()
    assert titles(client) == []
    second, _other = agent()
    (kept,) = Alert.objects.all()
    assert "Elle attend votre accord" in second.get(f"/agent/alertes/{kept.pk}/").content.decode()
    second.post(f"/agent/alertes/{kept.pk}/approuver/")
    heard(at=now() + timedelta(minutes=1))
    assert titles(client) == [FIELDS["title"]]


@pytest.mark.parametrize(
    ("driving", "asked", "answer"),
    [
        ("critair-2", {"critair": "2"}, "Oui, vous pouvez rouler."),
        ("critair-2", {"critair": "3"}, "Non, pas aujourd’hui."),
        ("critair-2", {"critair": "none"}, "Non, pas aujourd’hui."),
        ("critair-2", {"plate": "AB-123-CD"}, "Il faut la vignette Crit’Air pour répondre."),
        ("parity", {"critair": "0"}, "Oui, vous pouvez rouler."),
        ("parity", {"plate": "AB-12-CD"}, "cette plaque ne se lit pas"),
    ],
)
def test_may_i_drive_is_answered_and_nothing_is_kept(
    alert_town: str, client: Client, caplog: pytest.LogCaptureFixture, driving: str, asked: dict[str, str], answer: str
) -> None:
    at = now()
    author, _me = agent()
    sent_alert(author, **alert_values(topic="circulation", driving=driving))
    heard(at=at + timedelta(seconds=31))
    tables = connection.introspection.table_names()

    def rows() -> dict[str, int]:
        with connection.cursor() as cursor:
            found = {}
            for table in tables:
                cursor.execute(f'SELECT count(*) FROM "{table}"')
                found[table] = cursor.fetchone()[0]
            return found

    before = rows()
    with caplog.at_level(logging.DEBUG):
        shown = client.post("/alertes/puis-je-rouler/", asked)
    assert answer in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    assert rows() == before
    kept = asked.get("plate", "")
    assert not kept or kept not in caplog.text


def test_even_plates_on_even_days(alert_town: str, client: Client) -> None:
    author, _me = agent()
    sent_alert(author, **alert_values(topic="circulation", driving="parity"))
    heard(at=now() + timedelta(seconds=31))
    page, today = "/alertes/puis-je-rouler/", timezone.localdate().day % 2
    same, other = ("AB-124-CD", "1235 AB 34") if today == 0 else ("1235 AB 34", "AB-124-CD")
    assert "Oui, vous pouvez rouler." in client.post(page, {"plate": same}).content.decode()
    assert "Non, pas aujourd’hui." in client.post(page, {"plate": other}).content.decode()
    # Whoever reads the table sends nothing at all.
    assert "peut rouler" in client.get(page).content.decode()


def test_without_a_restriction_everyone_may_drive(alert_town: str, client: Client) -> None:
    assert "Oui : rien ne restreint" in client.get("/alertes/puis-je-rouler/").content.decode()


def test_an_alert_ends_by_itself_at_its_hour(alert_town: str) -> None:
    author, _me = agent()
    sent_alert(author, **alert_values())
    heard(at=now() + timedelta(seconds=31))
    (one,) = queries.in_force(alert_town, at=now() + timedelta(minutes=1))
    assert queries.in_force(alert_town, at=one.content.until + timedelta(seconds=1)) == []
