"""Makers of alerts: a town where they are open, agents, followers, and what the journal and a worker do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.kernel.time import now
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.serve.alerts import following, issuing, operations
from beffroi.serve.alerts.audience import WISH
from beffroi.serve.alerts.models import Issue, Wish
from beffroi.serve.cases.models import PushMessage
from beffroi.serve.cases.push import telling
from beffroi.serve.cases.tokens import token_of
from desk_makers import sign_in_agent
from serve_makers import LAT, LON, make_open_town
from territory_makers import AT, TOWN

PAGE = "/agent/alertes/"


@pytest.fixture
def alert_town(db: None, settings: Any, tmp_path: Any) -> str:
    """Return a town of two districts, « ici » and « ailleurs », where alerts and reports of pollution are open."""
    settings.STRONG_AUTH, settings.DATA_DIR, settings.DEFAULT_COMMUNE = False, tmp_path, TOWN
    code = make_open_town(use_cases=("1-01", "1-05"))
    for slug, west in (("ici", LON - 0.01), ("ailleurs", LON + 0.01)):
        shape = shapely.box(west, LAT - 0.01, west + 0.02, LAT + 0.01)
        territory.add_zone(territory=code, kind="quartier", name=slug.capitalize(), shape=shapely.to_wkb(shape), at=AT)
    return code


def agent() -> tuple[Client, Viewer]:
    """Return a client signed in as one more agent, and the viewer she is."""
    return sign_in_agent("proprete")


def follow(town: str, name: str, *, zone: str = "", district: str = "", sure: bool = True, **more: Any) -> str:
    """Have someone follow a place and return her address."""
    email = f"{name}@exemple.fr"
    wanted = following.Wanted("zone", zone) if zone else following.Wanted("district", district)
    wanted = more.pop("wanted", wanted)
    quiet = more.pop("quiet", None)
    made = operations.follow(territory=town, wanted=wanted, viewer=ANONYMOUS, at=now(), email=email, **more)
    if sure:
        wish = Wish.objects.filter(follower=made.id).latest("pk")
        operations.confirm_wish(token_of(WISH, int(wish.pk)), at=now())
    if quiet:
        operations.set_quiet(made.token, quiet, at=now())
    return email


def alert_values(**values: Any) -> dict[str, Any]:
    """Return what the form of an alert sends, in the district « ici » until tomorrow."""
    until = timezone.localtime(now() + timedelta(days=1))
    usual = {
        "topic": "deratisation", "title": "Dératisation", "text": "Des appâts sont posés sur le quai.",
        "instruction": "Tenez les chiens en laisse.", "severity": "Moderate", "urgency": "Expected",
        "certainty": "Likely", "until": f"{until:%Y-%m-%dT%H:%M}", "area": "district", "districts": ["ici"],
    }  # fmt: skip
    return usual | values


def written_alert(client: Client, **values: Any) -> int:
    """Write an alert by its page and return its number."""
    answer = client.post(f"{PAGE}nouvelle/", values)
    assert answer.status_code == 302, answer.context["form"].errors
    return int(answer["Location"].rstrip("/").rpartition("/")[2])


def sent_alert(client: Client, **values: Any) -> int:
    """Write an alert and ask for it to leave; return its number."""
    number = written_alert(client, **values)
    client.post(f"{PAGE}{number}/envoyer/")
    return number


def heard(*, at: datetime | None = None) -> None:
    """Do what the journal and a worker do at an instant: events, alerts whose time has come, letters, notifications."""
    at = at or now()
    while deliver_pending(1000):
        pass
    issuing.turn(at)
    for key in Issue.objects.order_by("pk").values_list("pk", flat=True):
        issuing.deliver_issue(key, at=at)
    for key in PushMessage.objects.filter(sent_at=None).order_by("pk").values_list("pk", flat=True):
        telling.send(key, at=at)
