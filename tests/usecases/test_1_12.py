"""1-12, of « alert on a drawn zone reaches subscribers of that zone by push, e-mail, feed and screens »: raised from a
report in one action, by e-mail, as long as no room of alerts is there to do the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import shapely
from django.core import mail
from django_tasks_db.models import DBTaskResult

from beffroi.base.catalogue import engine
from beffroi.base.journal import queries as journal
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.kernel.time import now
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.cases.definition import Requester
from beffroi.serve.reports import alerting, operations
from beffroi.serve.reports.events import ALERT_RAISED
from desk_makers import QUEUE, act, sign_in_agent
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
