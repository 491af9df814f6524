"""1-12, of « alert on a drawn zone reaches subscribers of that zone by push, e-mail, feed and screens »: raised from a
report in one action, by e-mail, push, feed and page, as long as no room of alerts is there to do the rest."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
import shapely
from django.core import mail
from django.test import Client
from django_tasks_db.models import DBTaskResult

from beffroi.base.catalogue import engine
from beffroi.base.journal import queries as journal
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.kernel.time import now
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.cases.definition import Requester
from beffroi.serve.cases.models import PushDevice, PushMessage
from beffroi.serve.cases.push import telling
from beffroi.serve.reports import alerting, operations, zone_alerts
from beffroi.serve.reports.events import ALERT_RAISED
from desk_makers import QUEUE, act, sign_in_agent
from mail_server import mail_server
from push_relay import Device, relay, said
from serve_makers import LAT, LON, make_open_town, send, square
from territory_makers import AT, administrator

pytestmark = pytest.mark.django_db
ALERT = {"title": "Pollution du ruisseau", "text": "Ne pas s’y baigner.", "severity": "moderate", "hours": "24"}
NEAR = {"lat": str(LAT), "lon": str(LON), "radius_m": "300"}
FAR = LON + 0.02


@pytest.fixture
def town(settings: Any, tmp_path: Any) -> str:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    code = make_open_town(use_cases=("1-01", "1-05"))
    for slug, west in (("ici", LON - 0.01), ("ailleurs", LON + 0.01)):
        shape = shapely.box(west, LAT - 0.01, west + 0.0199, LAT + 0.01)
        territory.add_zone(territory=code, kind="quartier", name=slug.capitalize(), shape=shapely.to_wkb(shape), at=AT)
    return code


def follow(town: str, name: str, *, sure: bool = True, **what: str) -> str:
    email = f"{name}@exemple.fr"
    made = operations.subscribe(territory=town, requester=Requester(email=email), viewer=ANONYMOUS, at=AT, **what)
    if sure:
        operations.confirm_subscription(made.token, at=AT)
    return email


def letters() -> dict[str, mail.EmailMessage]:
    before = len(mail.outbox)
    while deliver_pending(1000):
        pass
    # What a worker does.
    for task in DBTaskResult.objects.filter(task_path__endswith="tasks.write_alert").order_by("enqueued_at"):
        alerting.write_alert_to(*task.args_kwargs["args"], at=now())
        task.delete()
    alerts = [one for one in mail.outbox[before:] if one.subject.startswith("Alerte à ")]
    assert len({one.to[0] for one in alerts}) == len(alerts), "one message for each address"
    return {one.to[0]: one for one in alerts}


def test_the_subscribers_of_the_zone_and_no_other_are_written_to(town: str) -> None:
    told = [
        follow(town, "zone", zone=square()),
        follow(town, "quartier", district="ici"),
        follow(town, "categorie", category="pollution"),
        follow(town, "deux-fois", district="ici"),
        follow(town, "deux-fois", zone=square()),
    ]
    follow(town, "loin", zone=square(lon=FAR))
    follow(town, "autre-quartier", district="ailleurs")
    follow(town, "autre-categorie", category="depot-sauvage", zone=square())
    follow(town, "pas-confirmee", zone=square(), sure=False)
    letters()
    client, me = sign_in_agent("proprete")
    sent = send("pollution", details={"milieu": "eau"}, description="Nappe irisée sous le pont.")
    page = act(client, sent.number, "alerter", **ALERT, **NEAR).content.decode()
    found = letters()
    assert set(found) == set(told)
    letter = found["zone@exemple.fr"]
    assert "Pollution du ruisseau" in letter.subject
    assert "Ne pas s’y baigner." in letter.body
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # The agent reads what became of it, the audit who did it.
    assert "4 personnes abonnées à cette zone la reçoivent par courriel" in page
    assert "Abonnés de la zone prévenus : 4." in page
    (event,) = [one for one in journal.all_events(administrator(town)) if one.kind == ALERT_RAISED]
    assert (event.actor, event.payload["severity"]) == (me.person_id, "moderate")


def test_the_zone_is_drawn_or_a_whole_district(town: str) -> None:
    far = follow(town, "loin", zone=square(lon=FAR))
    elsewhere = follow(town, "autre-quartier", district="ailleurs")
    client, _ = sign_in_agent("proprete")
    sent = send("pollution", details={"milieu": "eau"})
    assert "La zone" in client.get(f"{QUEUE}{sent.number}/").content.decode()
    letters()
    drawn = "\n".join(f"{LAT + y:.4f} {FAR + x:.4f}" for x, y in ((-0.0009, 0), (0, 0.0009), (0.0009, 0)))
    act(client, sent.number, "alerter", **ALERT, **NEAR, zone=drawn)
    assert set(letters()) == {far, elsewhere}
    act(client, sent.number, "alerter", **ALERT, **NEAR, district="ailleurs")
    assert set(letters()) == {far, elsewhere}
    assert act(client, sent.number, "alerter", **ALERT, **NEAR, zone="45 3").status_code == 400


def test_one_who_left_or_an_alert_that_is_over_is_not_written_to(town: str) -> None:
    follow(town, "zone", zone=square())
    client, _ = sign_in_agent("proprete")
    sent = send("pollution", details={"milieu": "eau"})
    act(client, sent.number, "alerter", **ALERT, **NEAR)
    (one,) = alerting.concerned(sent.number, shapely.from_geojson(square()))
    facts = {"title": "T", "text": "C", "severity": "minor", "until": now().isoformat()}
    letters()
    mail.outbox.clear()
    alerting.write_alert_to(1, one.id, facts, at=now())
    operations.end_subscription(one.token, at=now())
    alerting.write_alert_to(1, one.id, facts | {"until": "2999-01-01T00:00:00+00:00"}, at=now())
    assert mail.outbox == []


def test_once_a_room_of_alerts_is_there_it_is_left_to_it(town: str, monkeypatch: pytest.MonkeyPatch) -> None:
    follow(town, "zone", zone=square())
    client, _ = sign_in_agent("proprete")
    sent = send("pollution", details={"milieu": "eau"})
    letters()
    alerts = replace(engine.engines()["alerts"], registered=True)
    monkeypatch.setattr(alerting, "engine", lambda _name: alerts)
    page = act(client, sent.number, "alerter", **ALERT, **NEAR).content.decode()
    assert "transmise aux alertes de la commune" in page
    assert letters() == {}


# --- From a subscription to the end of an alert: pages, a real SMTP server, a relay of notifications ------------------

ATOM = "{http://www.w3.org/2005/Atom}"


def heard() -> None:
    """Do what the journal and a worker do."""
    while deliver_pending(1000):
        pass
    for task in DBTaskResult.objects.filter(task_path__endswith="tasks.write_alert").order_by("enqueued_at"):
        alerting.write_alert_to(*task.args_kwargs["args"], at=now())
        task.delete()
    for key in PushMessage.objects.filter(sent_at=None).order_by("pk").values_list("pk", flat=True):
        telling.send(key, at=now())


def titles(client: Client, **query: str) -> list[str | None]:
    feed = ElementTree.fromstring(client.get("/feeds/alertes.atom", query).content)
    return [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]


def test_a_stranger_who_follows_a_place_is_told_everywhere_and_no_more_once_she_leaves(
    town: str, settings: Any, tmp_path: Any, client: Client
) -> None:
    settings.DEFAULT_COMMUNE, settings.WEBHOOK_PRIVATE, settings.PUSH_KEY = town, True, tmp_path / "push.key"
    with mail_server(settings) as box, relay() as there:
        asked = {"lat": str(LAT), "lon": str(LON), "around": "500", "email": "camille@exemple.fr", "rhythm": "day"}
        assert client.post("/signalements/abonnement/", asked)["Location"].endswith("?envoye")
        heard()
        (confirm,) = box.messages
        page = re.search(r"/abonnement/\S+", confirm.get_content())
        mine = client.post(page[0])["Location"] if page else ""
        token = mine.split("/")[2]
        assert f"/application/?abonne={token}" in client.get(mine).content.decode()
        assert "là où je suis abonné" in client.get("/application/", {"abonne": token}).content.decode()
        device = Device()
        told = device.subscription(f"{there.origin}/camille")
        wishes = client.post("/application/appareil/", {"endpoint": told["endpoint"], **told["keys"], "abonne": token})
        assert [one["label"] for one in wishes.json()["wishes"]] == ["Les alertes de vos abonnements"]

        agent, _me = sign_in_agent("proprete")
        number = send("pollution", details={"milieu": "eau"}).number
        act(agent, number, "alerter", **ALERT, **NEAR)
        box.messages.clear()
        heard()
        (letter,) = [one for one in box.messages if one["To"] == "camille@exemple.fr"]
        assert "/alertes/" in letter.get_content()
        (push,) = there.heard
        assert there.signer(push)
        words = said(device, push)
        assert (words["title"], words["body"]) == ("Alerte à Montpellier : Pollution du ruisseau", ALERT["text"])
        shown = client.get(words["path"]).content.decode()
        assert ALERT["title"] in shown
        assert ALERT["text"] in shown
        assert number not in shown
        near, off = (f"{lon - 0.001},{LAT - 0.001},{lon + 0.001},{LAT + 0.001}" for lon in (LON, FAR))
        assert titles(client) == titles(client, bbox=near) == [ALERT["title"]]
        assert titles(client, bbox=off) == []
        assert f">{ALERT['title']}</a>" in client.get("/").content.decode(), "whoever opens the home page knows of it"

        # She leaves as her mailbox does (RFC 8058): the next one reaches neither her address nor her device.
        leave = str(letter["List-Unsubscribe"])
        path = "/abonnements/" + leave.partition("/abonnements/")[2].strip("<>")
        assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        box.messages.clear()
        act(agent, number, "alerter", **ALERT | {"title": "Toujours polluée"}, **NEAR)
        heard()
        assert [one["To"] for one in box.messages if one["To"] == "camille@exemple.fr"] == []
        assert len(there.heard) == 1
        assert PushDevice.objects.count() == 0

        # Over before its hour, by the same agent: nobody reads it any more.
        assert titles(client) == ["Toujours polluée", ALERT["title"]]
        assert "Terminer l’alerte" in agent.get(f"{QUEUE}{number}/").content.decode()
        act(agent, number, "finir-l-alerte")
        assert titles(client) == []
        assert "Aucune alerte en cours" in client.get("/alertes/").content.decode()
        assert ALERT["title"] not in client.get("/").content.decode()
        assert "Terminer l’alerte" not in agent.get(f"{QUEUE}{number}/").content.decode()
        assert act(agent, number, "finir-l-alerte").status_code == 404


def test_letters_still_waiting_when_an_alert_is_ended_are_not_sent(town: str) -> None:
    follow(town, "zone", zone=square())
    client, _ = sign_in_agent("proprete")
    letters()
    first, second = (send("pollution", details={"milieu": "eau"}).number for _ in range(2))
    act(client, first, "alerter", **ALERT, **NEAR)
    act(client, second, "alerter", **ALERT | {"title": "Toujours polluée"}, **NEAR)
    act(client, first, "finir-l-alerte")
    (letter,) = letters().values()
    assert "Toujours polluée" in letter.subject


def test_an_alert_ends_by_itself_at_its_hour(town: str) -> None:
    client, _ = sign_in_agent("proprete")
    act(client, send("pollution", details={"milieu": "eau"}).number, "alerter", **ALERT, **NEAR)
    for hours, many in ((23, 1), (25, 0)):
        assert len(zone_alerts.alerts_in_force(town, at=now() + timedelta(hours=hours))) == many
