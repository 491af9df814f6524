"""The page where a use case lives: who may switch it, what is told when she may not, and what stays when it retires."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import counting, operations, queries
from beffroi.base.catalogue.definition import Audience, State
from beffroi.base.catalogue.engine import engines
from beffroi.base.territory.models import Person
from beffroi.base.territory.viewer import Role
from pilots import g_03_is_a_pilot as g_03_is_a_pilot
from territory_makers import TOWN, make_person, make_town

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE = "/agent/usages/G-03/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def town(db: None, settings: Any) -> None:
    settings.ROOT_URLCONF = "faces.backoffice.usecases_addresses"
    settings.STRONG_AUTH = False
    settings.DEFAULT_COMMUNE = TOWN
    make_town()
    counting.BUFFER._counts.clear()


def _signed_in(*roles: Role) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=make_person(*roles)), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _switch(client: Client, state: str, reason: str = "") -> Any:
    return client.post(f"{PAGE}etat/", {"state": state, "reason": reason}, follow=True)


def test_an_administrator_switches_then_takes_it_back() -> None:
    client = _signed_in(Role.ADMINISTRATOR)
    answer = _switch(client, "live")
    assert queries.state_of("G-03", TOWN) is State.LIVE
    assert "En service" in answer.content.decode()
    undone = client.post(f"{PAGE}annuler/1/", follow=True)
    assert queries.state_of("G-03", TOWN) is State.PILOT
    assert "La décision est annulée." in undone.content.decode()
    again = client.post(f"{PAGE}annuler/1/", follow=True)
    assert "n’est plus la dernière" in again.content.decode()


def test_a_missing_reason_is_told_beside_the_form() -> None:
    answer = _switch(_signed_in(Role.ADMINISTRATOR), "retired")
    assert answer.status_code == 422
    assert "il manque le motif" in answer.content.decode()
    assert queries.state_of("G-03", TOWN) is State.PILOT


def test_what_was_typed_is_kept_when_the_form_is_wrong() -> None:
    answer = _switch(_signed_in(Role.ADMINISTRATOR), "nowhere", "Un long motif soigné")
    assert answer.status_code == 422
    assert "Un long motif soigné" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.AGENT, Role.ELECTED])
def test_agents_and_elected_look_and_do_not_switch(role: Role) -> None:
    client = _signed_in(role)
    page = client.get(PAGE).content.decode()
    assert "Seuls les administrateurs" in page
    assert "<textarea" not in page
    assert _switch(client, "live").status_code == 403
    assert client.post(f"{PAGE}annuler/1/").status_code == 403
    assert queries.state_of("G-03", TOWN) is State.PILOT


@pytest.mark.parametrize("path", ["/agent/usages/", PAGE, f"{PAGE}export.zip"])
def test_residents_stay_outside(path: str) -> None:
    assert _signed_in(Role.RESIDENT).get(path).status_code == 403
    assert Client().get(path).status_code == 302


def test_a_use_case_without_engine_says_why_it_stays_in_draft() -> None:
    # Whichever engine is still to come: this one moves as rooms open.
    waiting = next(one.id for one in queries.catalogue().use_cases.values() if not engines()[one.engine].registered)
    page = _signed_in(Role.ADMINISTRATOR).get(f"/agent/usages/{waiting}/").content.decode()
    assert "n’est pas encore installé, ou pas encore réglé" in page
    assert "<textarea" not in page


def test_an_unknown_use_case_is_not_found() -> None:
    assert _signed_in(Role.AGENT).get("/agent/usages/9-99/").status_code == 404


def test_the_curve_says_in_a_table_what_it_draws() -> None:
    client = _signed_in(Role.AGENT)
    today = datetime.now(UTC)
    operations.count_use("G-03", TOWN, today, count=6)
    operations.count_use("G-03", TOWN, today - timedelta(days=3), audience=Audience.AGENT, count=3)
    operations.flush_usage()
    page = client.get(PAGE).content.decode()
    heights = [float(height) for height in re.findall(r'<rect [^>]*height="([\d.]+)"', page)]
    assert heights == [80.0, 160.0]
    assert re.search(r'<svg [^>]*role="img" aria-labelledby="courbe-titre courbe-texte"', page)
    assert "9 utilisations, 6 au plus en un jour" in page
    cells = re.findall(r"<td>([^<]*)</td>", page)
    assert cells[1:4] == ["6", "0", "0"]
    assert cells[5:8] == ["0", "3", "0"]
    assert " style=" not in page


def test_the_list_is_cut_by_state_and_counts_its_own_use() -> None:
    client = _signed_in(Role.AGENT)
    page = client.get("/agent/usages/").content.decode()
    assert page.count('<th scope="row">') == len(queries.use_cases(territory=TOWN, states=[State.PILOT, State.LIVE]))
    assert client.get("/agent/usages/?etat=tous").content.decode().count('<th scope="row">') == 227
    assert client.get("/agent/usages/?etat=n-importe").status_code == 200
    operations.flush_usage()
    assert queries.usage_totals(TOWN, since=AT.date()) == {"G-03": 3}


def test_a_live_use_case_nobody_uses_is_pointed_out() -> None:
    operations.set_state("G-03", State.LIVE, territory=TOWN, by=None, at=AT)
    assert "personne ne s’en sert" in _signed_in(Role.ELECTED).get("/agent/usages/").content.decode()


def test_the_export_is_whole_and_outlives_retirement() -> None:
    client = _signed_in(Role.ADMINISTRATOR)
    operations.count_use("G-03", TOWN, AT)
    _switch(client, "retired", "Plus utilisé")
    answer = client.get(f"{PAGE}export.zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert "Plus utilisé" in archive.read("decisions.csv").decode("utf-8-sig")
    assert "2026-03-02;citoyen;1" in archive.read("frequentation.csv").decode("utf-8-sig")
