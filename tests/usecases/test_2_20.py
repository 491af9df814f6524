"""2-20, the report's part of « anonymous or named report by place, line and type, quick exit, helplines and
associations at once, opted-in helpers nearby notified, moderated exchange, encrypted and published only through 2-01 ».
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from beffroi.base.territory.viewer import ANONYMOUS, Role, Viewer
from beffroi.lake.operations import import_source
from beffroi.sense.mobility.transit.operations import build_timetables
from beffroi.serve.cases.definition import CaseNotFound
from beffroi.serve.cases.queries import parties
from beffroi.serve.reports import queries
from faces.browser.conftest import PHONE, Site, Watched, until, until_seen
from faces.portal.reports.test_filing import HERE, SEND, fields_of, shown
from faces.portal.small_town import SOUTH, WEST
from sense.mobility.transit_feeds import NETWORK, archive
from serve_makers import agent_of

PAGE = "/signaler/2-20/"
SAID = {"d_role": "temoin", "d_nature": "suivi", "description": "Un homme suit les lycéennes."}


def sent_by(client: Client, *steps: dict[str, Any]) -> str:
    """Send a report from its own page, where nothing is left to choose; return where it is followed."""
    answer = client.get(PAGE)
    for step in (HERE, *steps, SEND):
        answer = client.post(PAGE, fields_of(answer.content.decode()) | step)
    return str(answer["Location"])


@pytest.mark.django_db
def test_help_and_the_way_out_come_before_any_question(reporting_town: str, client: Client) -> None:
    page = client.get(PAGE)
    html = page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert "X-Beffroi-Keep" not in page
    form = html.index('class="report"')
    for address in ("tel:17", "sms:114", "tel:3919", "tel:116006", 'href="/" data-exit'):
        assert html.index(address) < form, address
    # Among everything else that is reported, they come once it is chosen, before its questions.
    there = client.post("/signaler/", fields_of(client.get("/signaler/").content.decode()) | HERE).content.decode()
    there = client.post("/signaler/", fields_of(there) | {"category": "agression"}).content.decode()
    assert there.index("tel:3919") < there.index("d_nature")
    assert "tel:3919" not in client.get("/signaler/1-01/").content.decode().split("<template")[0]


@pytest.mark.django_db
def test_one_is_anonymous_unless_one_gives_ones_name(reporting_town: str, signed_in: Callable[..., Client]) -> None:
    reader, police = signed_in(Role.RESIDENT), agent_of("police-municipale", town=reporting_town)
    person = int(reader.session["_auth_user_id"])
    followed = reader.get(sent_by(reader, SAID | {"name": "Lucie Morel", "named": "non"}))
    (silent,) = parties(police, followed.context["info"].number)
    assert (silent.person, silent.name, silent.email, silent.phone) == (None, "", "", "")
    assert "data-exit" in followed.content.decode()
    assert "no-store" in followed["Cache-Control"]
    assert queries.own_reports(Viewer(person)) == []
    followed = reader.get(sent_by(reader, SAID | {"named": "oui", "name": "Lucie Morel", "phone": "06 12 34 56 78"}))
    (named,) = parties(police, followed.context["info"].number)
    assert (named.person, named.name, named.phone) == (person, "Lucie Morel", "06 12 34 56 78")


@pytest.mark.django_db
def test_nobody_but_its_service_knows_of_it(
    reporting_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    number = client.get(sent_by(client, SAID)).context["info"].number
    assert (
        queries.report(agent_of("police-municipale", town=reporting_town), number).private_details["role"] == "temoin"
    )
    for viewer in (ANONYMOUS, agent_of("voirie", town=reporting_town)):
        with pytest.raises(CaseNotFound):
            queries.report(viewer, number)
    assert signed_in(Role.ADMINISTRATOR).get(f"/signalements/{number}/").status_code == 404
    assert Client().get("/signalements/").context["page"].total == 0


@pytest.mark.django_db
def test_the_line_is_chosen_among_those_that_run(
    reporting_town: str, client: Client, tmp_path: Path, settings: Any
) -> None:
    answer = client.get(PAGE)
    words = client.post(PAGE, fields_of(answer.content.decode()) | HERE)
    assert '<input type="text" name="d_ligne"' in words.content.decode()
    settings.LAKE_DIR, at = tmp_path / "lake", timezone.now()
    source = archive(tmp_path, NETWORK, "bus.zip")
    import_source(source, territory=reporting_town, at=at, lake=settings.LAKE_DIR, announce=False)
    build_timetables(reporting_town, at=at)
    words = client.post(PAGE, fields_of(answer.content.decode()) | HERE)
    assert '<option value="1">1 – ' in words.content.decode()
    followed = client.get(sent_by(client, SAID | {"d_ligne": "1"}))
    assert "Dans les transports, sur quelle ligne ? 1" in shown(followed)


# --- On a phone ------------------------------------------------------------------------------------------------------


def started(visit: Callable[..., Watched]) -> Page:
    page = visit("/signalements/", size=PHONE, maps=False).page
    page.goto(page.url.replace("/signalements/", PAGE))
    until(page, "document.querySelector('form[data-ready]') !== null")
    page.fill("input[name=lat]", f"{SOUTH + 0.0096:.5f}")
    page.fill("input[name=lon]", f"{WEST + 0.009:.5f}")
    page.locator("section[data-step=where] button[value=next]").click()
    return page


@pytest.mark.chromium
@pytest.mark.slow
def test_it_is_left_at_once_and_leaves_nothing_on_the_phone(visit: Callable[..., Watched], site: Site) -> None:
    page = started(visit)
    page.get_by_label("Témoin").check()
    depth = page.evaluate("history.length")

    def press_thrice() -> None:
        for _ in range(3):
            page.keyboard.press("Shift")

    # Within two seconds: who was slower presses again.
    until_seen(page, lambda: page.url == f"{site.url}/", "the home page", after=press_thrice)
    page.wait_for_load_state()
    assert page.evaluate("history.length") == depth
    page.go_back()
    expect(page).to_have_url(f"{site.url}/signalements/")
    # Sent, it is followed by its link alone: neither the history of the tab nor the phone keeps the form.
    page = started(visit)
    page.get_by_label("Témoin").check()
    page.get_by_label("Filature, intimidation").check()
    page.locator("section[data-step=details] button[value=next]").click()
    page.locator("button[value=send]").click()
    page.wait_for_url("**/suivi/**")
    page.locator("[data-exit]").first.click()
    page.wait_for_url(f"{site.url}/")
    page.go_back()
    expect(page).to_have_url(f"{site.url}/signalements/")
    page.goto(f"{site.url}/signaler/envois/")
    expect(page.locator("[data-outbox-list] li")).to_have_count(0)
    kept = page.evaluate(
        """async () => {
            const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
            const all = await Promise.all(caches_.map((one) => one.keys()));
            return all.flat().map((one) => one.url).filter((url) => /2-20|suivi/.test(url));
        }"""
    )
    assert kept == []
