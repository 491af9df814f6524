"""G-09, the agents' company: help on every screen, a sandbox that resets, a training path whose completion counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver

from beffroi.base.catalogue import counting, queries
from beffroi.base.catalogue.definition import State
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.kernel.time import now
from beffroi.base.territory import operations
from beffroi.base.territory import queries as territory
from beffroi.base.territory.sandbox import models_by_territory
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.config.demo.bills import add_bills
from beffroi.config.demo.procedures import add_procedures
from beffroi.faces.backoffice import help as helping
from beffroi.faces.backoffice.urls import urlpatterns
from beffroi.lake import queries as lake
from beffroi.lake import serving
from beffroi.serve.bookings import queries as bookings
from beffroi.serve.bookings.operations import Wish, book
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import webhooks
from beffroi.serve.cases.definition import Outcome, Requester
from beffroi.serve.cases.models import Case, Party, Webhook
from beffroi.serve.cases.queries import number_of
from beffroi.serve.payments.models import Entry
from beffroi.serve.reports.operations import close_report
from territory_makers import make_person

pytestmark = pytest.mark.django_db

# Addresses that answer no page of their own: an act that leads back to a page, or a file.
NO_PAGE = {
    "close-account", "reset-second-factor", "revoke-key", "upload-publish", "upload-discard", "usecase-state",
    "usecase-undo", "usecase-export", "journal-export", "journal-retry", "sandbox-enter", "sandbox-leave",
    "sandbox-reset", "course-step", "reports-next", "reports-at-once", "reports-filter", "reports-geojson",
    "sites-geojson", "report-act", "visit-prove", "visit-photo", "visit-receive", "order-receive", "round-act",
    "round-gpx", "rounds-geojson", "works-act", "held-release", "held-refuse", "booking-mark", "offer-moderate",
    "alert-act", "alert-project-close", "patrol-receive", "patrol-pass",
    "energy-decide", "energy-take-back", "outreach-note", "outreach-receive", "bills-issue", "bills-ledger",
    "procedure-act", "procedures-next", "landlord-forget",
    "source-act", "sensor-act", "source-definition", "source-elsewhere",
    "slot-act",
}  # fmt: skip
TREES = "nom,lon,lat\nTilleul du bac,3.01,45.01\n"


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from names(one.url_patterns)
        else:
            yield str(one.name)


@pytest.fixture
def agent(small_town: str, small_lake: Path, settings: Any, tmp_path: Path, signed_in: Callable[..., Client]) -> Any:
    """An agent of the small town, whose lake may be written without touching the other tests' own."""
    settings.LAKE_DIR, settings.UPLOAD_DIR = tmp_path / "lake", tmp_path / "uploads"
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / small_town).symlink_to(small_lake / small_town)
    counting.BUFFER._counts.clear()
    yield signed_in(Role.AGENT, Role.ADMINISTRATOR)
    serving.close_all()


def test_every_back_office_screen_has_its_help() -> None:
    screens = set(names(list(urlpatterns)))
    assert screens - NO_PAGE - helping.pages() == set(), "write it in faces/backoffice/data/help/"
    assert helping.pages() <= screens, "a help without a page"
    assert screens >= NO_PAGE, "remove these names: no address bears them"


@pytest.mark.parametrize(
    "address",
    [
        "/agent/", "/agent/depots/", "/agent/usages/", "/agent/usages/G-03/", "/agent/personnes/",
        "/agent/personnes/inviter/", "/agent/personnes/services/", "/agent/personnes/cles/", "/agent/journal/",
        "/agent/couleurs/", "/agent/bac-a-sable/", "/agent/formation/", "/agent/formation/donnees/",
        "/agent/raccourcis/",
    ],
)  # fmt: skip
def test_the_help_is_on_the_screen(address: str, agent: Client) -> None:
    answer = agent.get(address)
    shown = helping.help_of(answer.resolver_match.view_name)
    assert shown is not None
    page = answer.content.decode()
    assert "Aide sur cette page" in page
    assert all(point in page for point in (shown.description, *shown.points))


def test_the_sandbox_is_tried_then_reset_and_nothing_real_was_touched(agent: Client, small_town: str) -> None:
    before = [(one.ref.slug, one.version) for one in lake.datasets(_agent_of(small_town), territory=small_town)]
    agent.post("/agent/bac-a-sable/entrer/")
    sandbox = territory.sandbox_of(small_town)
    assert sandbox is not None
    home = agent.get("/agent/")
    assert "Rien de ce que vous faites ici n’est réel" in home.content.decode()
    assert home.context["request"].commune.code == sandbox.code
    samples = _slugs(sandbox.code)
    assert samples == {"arbres-exemple", "lieux-exemple", "marches-exemple"}
    # Deposit and publish, for everyone: what is tried reaches nobody outside all the same.
    sent = {"file": SimpleUploadedFile("essai.csv", TREES.encode()), "dataset": "", "name": "essai"}
    page = agent.post("/agent/depots/", sent, follow=True).redirect_chain[-1][0]
    agent.post(f"{page}publier/", {"title": "Essai", "access": "public"})
    assert _slugs(sandbox.code) == samples | {"essai"}
    assert lake.datasets(ANONYMOUS, territory=sandbox.code) == []
    # Retire a use case.
    agent.post("/agent/usages/G-03/etat/", {"state": "retired", "reason": "Pour voir"})
    assert queries.state_of("G-03", sandbox.code) is State.RETIRED
    assert queries.state_of("G-03", small_town) is State.LIVE
    # The real commune is out of reach by its own addresses.
    assert agent.get(f"/donnees/{small_town}/astreintes/").status_code == 404
    agent.post("/agent/bac-a-sable/remettre-a-zero/")
    assert _slugs(sandbox.code) == samples
    assert queries.state_of("G-03", sandbox.code) is State.LIVE
    agent.post("/agent/bac-a-sable/quitter/")
    home = agent.get("/agent/")
    assert home.context["request"].commune.code == small_town
    assert "n’est réel" not in home.content.decode()
    after = [(one.ref.slug, one.version) for one in lake.datasets(_agent_of(small_town), territory=small_town)]
    assert after == before


def test_what_is_asked_booked_and_billed_there_reaches_nobody_and_goes(
    agent: Client, small_town: str, mailoutbox: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report sorted, a bin ordered, a booking, bills paid: no letter, no webhook, and nothing left after a reset."""
    at = now()
    for slug in ("proprete", "voirie", "education"):
        operations.add_service(territory=small_town, slug=slug, name=slug.title(), at=at)
    for role, email in ((Role.RESIDENT, "habitante@bourg.test"), (Role.AGENT, "regie@bourg.test")):
        make_person(role, territory=small_town, email=email)
    agent.post("/agent/bac-a-sable/entrer/")
    found = territory.sandbox_of(small_town)
    assert found is not None
    code = found.code
    samples = Case.objects.filter(territory=code).count()
    assert samples > 2, "there is something to sort"
    asked: list[str] = []
    monkeypatch.setattr(webhooks, "_delivered", lambda row, event: asked.append(row.url) or True)
    Webhook.objects.create(territory=code, url="https://ailleurs.example/", secret="x" * 32, created_at=at)
    hole = Case.objects.filter(territory=code, category="nid-de-poule").earliest("pk")
    Party.objects.filter(case=hole).update(email="camille@ailleurs.example")
    roads = Viewer(None, (Grant(code, Role.AGENT, frozenset({"voirie"})),))
    cases.accept_case(number=number_of(hole.pk), by=roads, at=at)
    close_report(number=number_of(hole.pk), outcome=Outcome.DONE, reason="Rebouché.", by=roads, at=at)
    places = [(3.008, 45.0095, "12 Grande Rue")]
    assert add_procedures(code, places=places, at=at)
    thing = bookings.open_thing(code, "1-08")
    lane = bookings.lane_at(code, thing.rules, 3.008, 45.0095, at=at)[0]
    day = bookings.bookable_days(code, thing, lane, at=at)[0]
    wish = Wish("1-08", day, 3.008, 45.0095, "12 Grande Rue", {"matelas": 1}, {"depot": "cour"})
    book(territory=code, wish=wish, requester=Requester(name="Camille", email="camille@ailleurs.example"),
         viewer=ANONYMOUS, at=at)  # fmt: skip
    assert add_bills(code, resident_email="habitante@bourg.test", agent_email="regie@bourg.test", at=at)
    while deliver_pending(1000):
        pass
    assert (mailoutbox, asked) == ([], [])
    agent.post("/agent/bac-a-sable/remettre-a-zero/")
    left = {model._meta.label: model._default_manager.filter(territory=code).count() for model in models_by_territory()}
    assert {label: count for label, count in left.items() if count} == {"cases.Case": samples}
    assert not Entry.objects.exists()


def _agent_of(code: str) -> Viewer:
    return Viewer(1, (Grant(code, Role.AGENT),))


def _slugs(code: str) -> set[str]:
    return {one.ref.slug for one in lake.datasets(_agent_of(code), territory=code)}


def test_nobody_is_invited_from_the_sandbox(agent: Client, mailoutbox: list[object]) -> None:
    agent.post("/agent/bac-a-sable/entrer/")
    asked = {"email": "lucie@exemple.fr", "name": "Lucie", "role": "agent"}
    answer = agent.post("/agent/personnes/inviter/", asked)
    assert answer.status_code == 400
    assert "on n’invite personne" in answer.content.decode()
    assert territory.person_by_email("lucie@exemple.fr") is None
    assert mailoutbox == []


def test_the_cookie_alone_opens_nothing(agent: Client, small_town: str, signed_in: Callable[..., Client]) -> None:
    agent.post("/agent/bac-a-sable/entrer/")
    for reader in (Client(), signed_in(Role.RESIDENT)):
        reader.cookies["beffroi_bac_a_sable"] = "1"
        assert reader.get("/").context["request"].commune.code == small_town
        assert reader.get("/agent/").status_code in (302, 403)


def test_a_training_path_is_followed_and_its_completion_counted(
    agent: Client, signed_in: Callable[..., Client]
) -> None:
    colleague = signed_in(Role.AGENT)
    for step in ("lire", "essai"):
        colleague.post(f"/agent/formation/services/{step}/", {"fait": "1"})
    assert "2 étapes faites sur 3" in colleague.get("/agent/formation/services/").content.decode()
    assert "Formations commencées" in colleague.get("/agent/").content.decode()
    assert "Terminé par 0 agent" in agent.get("/agent/formation/").content.decode()
    done = colleague.post("/agent/formation/services/retirer/", {"fait": "1"}, follow=True).content.decode()
    assert "Parcours terminé" in done
    assert "Terminé par 1 agent" in agent.get("/agent/formation/").content.decode()
    assert "Terminé par" not in colleague.get("/agent/formation/").content.decode()
    colleague.post("/agent/formation/services/retirer/", {"fait": "0"})
    assert "Terminé par 0 agent" in agent.get("/agent/formation/").content.decode()


@pytest.mark.parametrize("address", ["/agent/formation/nulle/", "/agent/formation/services/nulle/"])
def test_an_unknown_path_or_step_is_told(address: str, agent: Client) -> None:
    answer = agent.get(address) if address.count("/") == 4 else agent.post(address, {"fait": "1"})
    assert answer.status_code == 404
