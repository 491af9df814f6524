"""6-01, « installable PWA, offline pages, push, accessible, active users per inhabitant counted without tracker ».

That it installs, and opens without network, is in tests/faces/browser/test_offline.py; that its pages are accessible,
in test_accessible_pages.py. Here: a device that is told, from the press of the button to the page the notification
opens, and devices counted by a browser that keeps nothing but a date.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from beffroi.base.catalogue import counting, queries
from beffroi.base.catalogue.queries import Span
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.models import PushDevice, PushMessage
from beffroi.serve.cases.push import telling
from faces.browser.conftest import PHONE, Site, Watched, until, until_seen
from faces.portal.reports.test_filing import HERE, HOLE, SEND, walk
from push_relay import Device, Relay, packed, relay, said


@pytest.fixture
def there(settings: Any, tmp_path: Any) -> Iterator[Relay]:
    settings.WEBHOOK_PRIVATE, settings.PUSH_KEY = True, tmp_path / "push.key"
    with relay() as server:
        yield server


def _fields(device: Device, endpoint: str) -> dict[str, str]:
    return {"endpoint": endpoint, "p256dh": packed(device.public), "auth": packed(device.secret)}


def _news(number: str, town: str) -> None:
    """An agent takes a report in charge; the worker hears it and sends what is due."""
    agent = Viewer(None, (Grant(town, Role.AGENT, frozenset({"voirie"})),))
    cases.accept_case(number=number, by=agent, at=timezone.now())
    while deliver_pending(1000):
        pass
    for key in PushMessage.objects.order_by("pk").values_list("pk", flat=True):
        telling.send(key, at=timezone.now())


@pytest.mark.django_db
def test_it_is_a_service_with_its_page(reporting_town: str, client: Client) -> None:
    view = queries.use_case("6-01", territory=reporting_town)
    assert (view.state.value, view.url) == ("live", "/application/")
    assert client.get("/application/").status_code == 200


@pytest.mark.django_db
def test_a_device_without_account_is_told_of_the_request_it_follows(
    reporting_town: str, there: Relay, client: Client
) -> None:
    token = walk(client, HERE, HOLE, {"description": "Un trou."}, SEND)["Location"].split("/")[2]
    page = client.get(f"/application/?suivi={token}").content.decode()
    number = page.split('data-number="')[1].split('"')[0]
    assert f"Me prévenir de la demande {number}" in page
    device, endpoint = Device(), f"{there.origin}/jeton-secret"
    answer = client.post("/application/appareil/", _fields(device, endpoint) | {"token": token})
    (wish,) = answer.json()["wishes"]
    assert wish["label"] == f"La demande {number}"
    _news(number, reporting_town)
    (heard,) = there.heard
    told = said(device, heard)
    assert told["body"] == "Un agent l’a prise en charge."
    assert client.get(told["path"]).status_code == 200
    # Ended from the same page: the device is forgotten.
    assert client.post("/application/appareil/fin/", {"endpoint": endpoint, "wish": wish["id"]}).json() == {
        "wishes": []
    }
    assert not PushDevice.objects.exists()
    assert client.post("/application/appareil/etat/", {"endpoint": endpoint}).json() == {"wishes": []}


@pytest.mark.django_db
def test_who_signs_in_is_told_of_all_hers_and_nobody_subscribes_for_her(
    reporting_town: str, there: Relay, signed_in: Callable[..., Client]
) -> None:
    her = signed_in(Role.RESIDENT)
    assert "Me prévenir de toutes mes demandes" in her.get("/application/").content.decode()
    device = Device()
    fields = _fields(device, f"{there.origin}/a")
    assert [one["label"] for one in her.post("/application/appareil/", fields).json()["wishes"]] == [
        "Toutes vos demandes"
    ]
    # Another site's page carries no mark; a stranger has nothing to be told of.
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = her.cookies
    assert strict.post("/application/appareil/", fields).status_code == 403
    assert Client().post("/application/appareil/", fields).status_code == 403
    # The browser renews its address by itself.
    renewed = _fields(device, f"{there.origin}/b") | {"old": fields["endpoint"]}
    assert Client().post("/application/appareil/suite/", renewed).status_code == 200
    assert Client().post("/application/appareil/suite/", renewed).status_code == 404
    assert PushDevice.objects.get().endpoint.endswith("/b")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["", "suite/"])
def test_what_is_no_subscription_is_told(address: str, reporting_town: str, client: Client) -> None:
    answer = client.post(f"/application/appareil/{address}", {"endpoint": "javascript:alert(1)", "token": "x"})
    assert answer.status_code in (400, 404)
    assert answer.json()["remedy"]


@pytest.mark.django_db
def test_devices_are_counted_by_day_and_month_beside_the_population(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    counting.DEVICES._counts.clear()
    today = timezone.localdate()
    first_of_month, later = {"first": ["day", "month"], "installed": "1"}, {"first": "day"}
    for said_ in (first_of_month, {"first": ["day", "month"]}, later):
        assert client.post("/presence/", said_).status_code == 204
    # An agent at work is not a resident; another site's page is nobody; what is not a span is told.
    signed_in(Role.AGENT).post("/presence/", later)
    client.post("/presence/", later, headers={"Sec-Fetch-Site": "cross-site"})
    assert client.post("/presence/", {"first": "year"}).status_code == 400
    assert client.post("/presence/").status_code == 400
    counting.flush_at_exit()
    (day,) = queries.presence(small_town, Span.DAY, first=today, last=today)
    (month,) = queries.presence(small_town, Span.MONTH, first=today.replace(day=1), last=today)
    assert (day.devices, day.installed) == (3, 1)
    assert (month.devices, month.installed) == (2, 1)
    page = signed_in(Role.ELECTED).get("/agent/frequentation/").content.decode()
    population = page.count("Pour 100 habitants")
    assert population == 2
    assert "Un appareil n’est pas une personne" in page
    cockpit = signed_in(Role.ELECTED).get("/elu/").content.decode()
    assert "Appareils qui ont ouvert le portail" in cockpit
    assert signed_in(Role.RESIDENT).get("/agent/frequentation/").status_code == 403


# --- In a real browser ------------------------------------------------------------------------------------------------

# Chromium without a screen has no relay: what its own would give is put in its place, keys and all.
RELAY = """
const keys = {p256dh: %(p256dh)s, auth: %(auth)s};
let made = null;
const subscription = endpoint => ({
    endpoint, options: {}, toJSON: () => ({endpoint, keys}),
    unsubscribe: async () => { made = null; localStorage.removeItem('essai'); return true; },
});
PushManager.prototype.subscribe = async options => {
    if (!options.userVisibleOnly || !options.applicationServerKey) throw new TypeError('bad options');
    localStorage.setItem('essai', '1');
    return made = subscription(%(endpoint)s);
};
PushManager.prototype.getSubscription = async () => localStorage.getItem('essai') ? subscription(%(endpoint)s) : null;
"""


@pytest.fixture
def page_with_relay(visit: Callable[..., Watched], site: Site) -> Page:
    fields = _fields(Device(), "https://relais.exemple/jeton")
    page = visit("/", size=PHONE, sign_in="elue@bourg.test", permissions=["notifications"]).page
    page.add_init_script(RELAY % {name: json.dumps(value) for name, value in fields.items()})
    page.goto(f"{site.url}/application/")
    until(page, "navigator.serviceWorker.controller !== null")
    return page


@pytest.mark.chromium
@pytest.mark.slow
def test_the_button_asks_and_the_same_page_ends_it(page_with_relay: Page) -> None:
    page = page_with_relay
    page.wait_for_selector("[data-push][data-ready]")
    page.get_by_role("button", name="Me prévenir de toutes mes demandes").click()
    page.get_by_text("C’est fait : cet appareil sera prévenu.").wait_for()
    page.reload()
    page.get_by_text("Toutes vos demandes", exact=True).wait_for()
    expect(page.get_by_role("button", name="Me prévenir")).to_have_count(0)
    page.get_by_role("button", name="Ne plus rien recevoir ici").click()
    page.get_by_text("C’est arrêté").wait_for()
    expect(page.get_by_role("button", name="Me prévenir")).to_be_visible()


@pytest.mark.chromium
@pytest.mark.slow
def test_what_arrives_is_shown_and_opens_its_page(page_with_relay: Page, site: Site) -> None:
    page, told = page_with_relay, {"title": "Votre demande ABC-1234", "body": "Un agent l’a prise en charge."}
    worker = page.context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    worker.on("ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"]))
    worker.send("ServiceWorker.enable")
    until(page, "navigator.serviceWorker.ready.then(() => true)")
    until_seen(page, lambda: bool(registrations), "the service worker, told by the browser")
    sent = told | {"path": "/urgences/", "tag": "ABC-1234", "lang": "fr"}
    shown = "navigator.serviceWorker.ready.then(one => one.getNotifications())"

    def deliver() -> None:
        registration = registrations[-1]["registrationId"]
        message = {"origin": site.url, "registrationId": registration, "data": json.dumps(sent)}
        worker.send("ServiceWorker.deliverPushMessage", message)
        page.wait_for_timeout(500)

    # A relay delivers again what nobody took: a worker that is only starting may not have.
    until_seen(page, lambda: page.evaluate(f"{shown}.then(all => all.length > 0)"), "a notification", after=deliver)
    deliver()
    notifications = page.evaluate(
        f"{shown}.then(all => all.map(one => [one.title, one.body, one.data.path, one.lang]))"
    )
    assert notifications == [[*told.values(), "/urgences/", "fr"]], "one request, one notification"


@pytest.mark.chromium
@pytest.mark.slow
def test_a_browser_says_once_a_day_and_once_a_month_and_nothing_when_it_refuses(
    visit: Callable[..., Watched], site: Site
) -> None:
    page = visit("/nulle-part/", size=PHONE).page
    # The same day all along, wherever midnight falls.
    page.clock.set_fixed_time(page.evaluate("Date.now()"))
    heard: list[str] = []
    page.on("request", lambda one: heard.append(one.post_data or "") if one.url.endswith("/presence/") else None)

    def after(kept: str | None) -> list[str]:
        heard.clear()
        page.evaluate("kept => kept === null ? localStorage.clear() : localStorage.setItem('beffroi-seen', kept)", kept)
        page.goto(f"{site.url}/urgences/")
        page.wait_for_load_state("load")
        return list(heard)

    today = page.evaluate("new Date().toLocaleDateString('sv-SE')")
    assert after(None) == ["first=day&first=month"]
    assert after(f"{today[:8]}00") == ["first=day"]
    assert after(today) == []
    assert after("2020-01-01") == ["first=day&first=month"]
    assert page.evaluate("Object.keys(localStorage).filter(one => one.startsWith('beffroi-'))") == ["beffroi-seen"]
    page.goto(f"{site.url}/application/")
    page.get_by_role("button", name="Ne plus compter cet appareil").click()
    assert after("2020-01-01") == []
