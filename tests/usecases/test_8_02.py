"""8-02, « photo, type, expiry, confirmation by others, trust level »."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory.viewer import Role
from beffroi.serve.reports import operations as reports
from faces.portal.reports.test_filing import HERE, SEND, picture, shown, walk
from serve_makers import agent_of

pytestmark = pytest.mark.django_db
WORKS = {"category": "obstacle-chantier"}


def obstacle(client: Client, **answers: Any) -> Any:
    """Report works on the pavement with a photo; return the page of its author."""
    sent = walk(client, HERE, WORKS, {"photo": picture(), **answers}, SEND, address="/signaler/8-02/")
    return client.get(sent["Location"])


def speak(client: Client, number: str, there: str) -> Any:
    return client.get(client.post(f"/signalements/{number}/", {"do": "confirm", "still_there": there})["Location"])


def test_it_is_public_at_once_with_its_photo_and_the_day_it_ends(reporting_town: str, client: Client) -> None:
    end = timezone.localdate() + timedelta(days=3)
    page = obstacle(client, lasting="non", expires_on=end.isoformat())
    info = page.context["info"]
    public = Client().get(f"/signalements/{info.number}/")
    assert timezone.localtime(info.expires_at).date() == end
    assert "Temporaire, jusqu’au" in shown(public)
    assert len(public.context["photos"]) == 1
    lasting = obstacle(Client(), lasting="oui").context["info"]
    assert (lasting.lasting, lasting.expires_at) == (True, None)
    refused = walk(client, HERE, WORKS, {"lasting": "non", "expires_on": "2020-01-01"}, SEND, address="/signaler/8-02/")
    assert refused.status_code == 400
    assert "la fin prévue doit être à venir" in shown(refused).lower()


def test_others_confirm_it_once_each_and_end_it(reporting_town: str, client: Client) -> None:
    number = obstacle(client).context["info"].number
    first, second = Client(), Client()
    assert "il reste signalé jusqu’au" in shown(speak(first, number, "oui"))
    speak(first, number, "oui")
    assert Client().get(f"/signalements/{number}/").context["info"].still_there == 1
    speak(first, number, "non")
    assert Client().get(f"/signalements/{number}/").context["case"].is_open
    assert "l’obstacle est retiré de la carte" in shown(speak(second, number, "non"))
    over = Client().get(f"/signalements/{number}/")
    assert not over.context["case"].is_open
    late = Client().post(f"/signalements/{number}/", {"do": "confirm", "still_there": "oui"})
    assert late.status_code == 400
    assert "n’est pas un obstacle en cours" in shown(late)


def test_the_word_of_an_ambassador_counts_at_once_and_she_is_told_so(
    reporting_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    number = obstacle(client).context["info"].number
    ambassador = signed_in(Role.RESIDENT)
    assert "ambassadeur" not in shown(ambassador.get(f"/signalements/{number}/"))
    person = int(ambassador.session["_auth_user_id"])
    by = agent_of("voirie", town=reporting_town)
    reports.name_ambassador(territory=reporting_town, person_id=person, level=2, by=by, at=timezone.now())
    assert "ambassadeur, niveau 2 sur 3" in shown(ambassador.get(f"/signalements/{number}/"))
    assert "l’obstacle est retiré de la carte" in shown(speak(ambassador, number, "non"))
