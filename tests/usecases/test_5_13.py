"""5-13: « one message written once reaches followers of a district or project (cost, works, investment, participatory
budget) by push/e-mail/feed, engine of 1-12 ».
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core import mail
from django.test import Client

from alert_makers import PAGE, agent, alert_values, follow, heard, sent_alert
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.alerts import following, operations
from beffroi.serve.cases.push.devices import Subscription
from push_relay import Device, relay, said
from serve_makers import square

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
COST = {"topic": "cout-operation", "title": "La cour d’école coûtera 1,84 M€", "text": "L’État paie 40 %.",
        "instruction": ""}  # fmt: skip


def test_one_message_reaches_those_who_follow_the_district_or_the_project(
    alert_town: str, settings: Any, tmp_path: Any, client: Client
) -> None:
    settings.WEBHOOK_PRIVATE, settings.PUSH_KEY = True, tmp_path / "push.key"
    author, _me = agent()
    answer = author.post(f"{PAGE}projets/", {"title": "Cour du Lavoir", "text": "Ombre et eau.", "cost": "1840000"})
    assert answer.status_code == 302
    assert "Suivre ce projet" in client.get("/alertes/projet/cour-du-lavoir/").content.decode()
    assert "1 840 000" in client.get("/alertes/projet/cour-du-lavoir/").content.decode().replace("\xa0", " ").replace(
        "\u202f", " "
    )
    project = following.Wanted("project", "cour-du-lavoir", "Cour du Lavoir")
    told = [
        follow(alert_town, "quartier", district="ici"),
        follow(alert_town, "zone", zone=square()),
        follow(alert_town, "projet", wanted=project),
        follow(alert_town, "cout", wanted=project, topics=["cout-operation"]),
    ]
    follow(alert_town, "ailleurs", district="ailleurs")
    follow(alert_town, "autre-sujet", wanted=project, topics=["budget-participatif"])
    device = Device()
    with relay() as there:
        # With neither account nor address: a device is enough.
        made = operations.follow(territory=alert_town, wanted=project, viewer=ANONYMOUS, at=now())
        keys = device.subscription(f"{there.origin}/sans-adresse")
        operations.device_for_warnings(
            token=made.token, device=Subscription(keys["endpoint"], **keys["keys"]), viewer=ANONYMOUS, at=now()
        )
        heard()
        mail.outbox.clear()
        shown = author.get(f"{PAGE}nouvelle/").content.decode()
        assert "Informations, sans gravité" in shown
        sent_alert(author, **alert_values(**COST, project="cour-du-lavoir"))
        heard(at=now() + timedelta(seconds=31))
        (push,) = there.heard
        assert said(device, push)["title"] == f"Montpellier : {COST['title']}"
    assert sorted(one.to[0] for one in mail.outbox) == sorted(told)
    # A message is no danger: it has neither severity nor a CAP document.
    assert all("Gravité" not in one.body for one in mail.outbox)
    page = client.get("/alertes/projet/cour-du-lavoir/").content.decode()
    assert COST["title"] in page
    feed = ElementTree.fromstring(client.get("/feeds/alertes.atom", {"projet": "cour-du-lavoir"}).content)
    assert [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")] == [COST["title"]]
    assert b"<entry>" not in client.get("/cap/").content


def test_a_project_no_longer_offered_keeps_its_page(alert_town: str, client: Client) -> None:
    author, _me = agent()
    author.post(f"{PAGE}projets/", {"title": "Cour du Lavoir"})
    author.post(f"{PAGE}projets/cour-du-lavoir/fin/")
    assert "Suivre ce projet" not in client.get("/alertes/projet/cour-du-lavoir/").content.decode()
    assert "Un projet" not in client.get("/alertes/abonnement/").content.decode()
    assert author.post(f"{PAGE}projets/", {"title": "Cour du Lavoir"}).status_code == 400
