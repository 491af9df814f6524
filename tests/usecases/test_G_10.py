"""G-10, the data platform: a source connected from the browser, refreshed, its failures told; joins; strong sign-in."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.models import Event
from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.privacy import sealing
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.faces.portal.crossing.pages import NAMED
from beffroi.lake import queries, serving, tasks
from beffroi.lake.connected import operations, running
from beffroi.lake.connected import queries as connected
from beffroi.lake.connected.addresses import Address, BadSource, Credential
from beffroi.lake.connected.operations import Description
from beffroi.lake.connected.rows import folder_of
from beffroi.lake.crossing.queries import KEYS, crossed, proposed_joins
from beffroi.lake.crossing.recipe import Recipe, recipe_of
from beffroi.lake.definitions import parsed_definition
from beffroi.lake.models import ConnectedSource, SourceRun
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from faces.portal.small_town import AT, CODE
from lake.fetching.protocols import Site, speaking
from territory_makers import make_person

pytestmark = pytest.mark.django_db

SECRET = "cle-tres-secrete-de-la-regie"
CSV = b"numero;essence;releve_par;lon;lat\n" + b"".join(
    f"{rank};Tilleul;L. Martin;3.0{rank};45.0{rank}\n".encode() for rank in range(1, 6)
)


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    with speaking() as site:
        yield site


@pytest.fixture
def site(served: Site, settings: Any, small_town: str, small_lake: Path, tmp_path: Path) -> Iterator[Site]:
    """A site that publishes a file, which this installation lets sources read; a lake that may be written to."""
    assert small_town == CODE
    settings.LAKE_DIR, settings.UPLOAD_DIR = tmp_path / "lake", tmp_path / "uploads"
    settings.NOTES_KEY, settings.MIRROR_DIR = tmp_path / "notes.key", None
    settings.INNER_HOSTS = [f"127.0.0.1:{served.port}"]
    shutil.copytree(small_lake / CODE, tmp_path / "lake" / CODE, copy_function=os.link)
    territory.add_service(territory=CODE, slug="eau", name="Service de l’eau", at=AT)
    served.asked.clear()
    served.faults.clear()
    served.files.clear()
    served.files["/tilleuls.csv"] = (200, {}, CSV)
    yield served
    serving.close_all()


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sources that a worker is asked to read now."""
    found: list[int] = []
    monkeypatch.setattr(type(tasks.refresh_connected), "enqueue", lambda _task, *said: found.extend(said))
    return found


def agent_of(*services: str) -> Viewer:
    return Viewer(None, (Grant(CODE, Role.AGENT, frozenset(services)),))


AGENT = agent_of()


def run(number: int, days: int = 0) -> SourceRun:
    found = running.run_source(number, at=timezone.now() + timedelta(days=days), wait=lambda _seconds: None)
    assert found is not None
    return found


def made(site: Site, *, path: str = "/tilleuls.csv", **said: Any) -> int:
    """Return a source in use, described as the form would, without the trial that costs a reading."""
    payload = {
        "slug": "tilleuls", "title": "Tilleuls", "rhythm": "mensuel", "owner": "eau", "access": "public",
        "territories": [CODE], "fetch": {"url": site.url + path, "name": "tilleuls.csv", "service": "file"},
    } | said  # fmt: skip
    now = timezone.now()
    row = ConnectedSource.objects.create(
        territory=CODE, slug=payload["slug"], state="active", payload=payload, token=f"{payload['slug']:x<32}"[:32],
        created_at=now, changed_at=now, next_at=now,
    )  # fmt: skip
    return int(row.pk)


def test_an_agent_connects_a_source_from_the_browser(
    site: Site, signed_in: Callable[..., Client], client: Client, queued: list[int]
) -> None:
    agent = signed_in(Role.AGENT)
    asked = {
        "url": f"{site.url}/tilleuls.csv", "credential": "header", "credential_name": "X-Api-Key", "secret": SECRET,
    }  # fmt: skip
    page = agent.post("/agent/sources/brancher/", asked, follow=True).content.decode()
    for told in ("Premières lignes de la source", "Tilleul", "releve_par", "5 lignes", "<svg", "Fichier à une adresse"):
        assert told in page, told
    assert SECRET not in page
    assert site.asked[-1][1]["X-Api-Key"] == SECRET
    assert queries.datasets(ANONYMOUS, territory=CODE)
    (row,) = ConnectedSource.objects.all()
    said = {
        "title": "Tilleuls de la ville", "theme": "espaces_verts", "licence": "Licence Ouverte 2.0",
        "rhythm": "hebdomadaire", "owner": "eau", "access": "public", "column_numero": "public",
        "column_essence": "public", "column_releve_par": "agents", "column_lon": "drop", "column_lat": "public",
    }  # fmt: skip
    agent.post(f"/agent/sources/{row.pk}/", said | {"column_lon": "public"}, follow=True)
    assert queued == [row.pk]
    assert (run(row.pk).outcome, SourceRun.objects.get().rows) == ("changed", 5)
    ref = DatasetRef(CODE, "tilleuls-de-la-ville")
    assert "releve_par" not in [one.key for one in queries.dataset(ANONYMOUS, ref).columns]
    assert queries.dataset(ANONYMOUS, ref).summary.licence == "Licence Ouverte 2.0"
    assert run(row.pk, 1).outcome == "unchanged"
    # Its page tells the turns; its file is that of the repository, without the secret.
    page = agent.get(f"/agent/sources/{row.pk}/").content.decode()
    for told in ("Changée", "Sans changement", "jamais montrée", "Suspendre", "Annuler"):
        assert told in page or told == "Annuler", told
    text = agent.get(f"/agent/sources/{row.pk}/fichier/").content.decode()
    payload = tomllib.loads(text)
    row.refresh_from_db()
    assert payload == row.payload
    assert parsed_definition(payload, where="x").fetch.url == f"{site.url}/tilleuls.csv"
    shown = page + text + agent.get("/agent/sources/").content.decode() + str(list(Event.objects.values()))
    assert SECRET not in shown + str(list(ConnectedSource.objects.values())) + str(list(SourceRun.objects.values()))
    assert sealing.unseal(row.sealed) == SECRET
    assert [one.kind for one in Event.objects.filter(kind__startswith="source.")] == ["source.connected"]
    # The public has no such page, nor has an agent of elsewhere a source of this town.
    assert client.get(f"/agent/sources/{row.pk}/").status_code in (302, 403)
    with pytest.raises(NotFound):
        connected.source_of(Viewer(None, (Grant("99999", Role.AGENT),)), row.pk, at=timezone.now())


def test_a_trial_that_fails_says_why_and_connects_nothing(site: Site, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    page = agent.post("/agent/sources/brancher/", {"url": f"{site.url}/rien.csv"}, follow=True).content.decode()
    assert "le site répond 404" in page
    assert "Ce que sont ces données" not in page
    several = {"url": f"{site.url}/wfs?service=WFS"}
    page = agent.post("/agent/sources/brancher/", several, follow=True).content.decode()
    assert 'value="ville:arbres"' in page, "the layers to choose among"
    for inside in ("http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://2130706433/"):
        page = agent.post("/agent/sources/brancher/", {"url": inside}, follow=True).content.decode()
        assert "ne mène pas à un site public" in page, inside
    refused = agent.post("/agent/sources/brancher/", {"url": "https://a.fr/x.csv?token=1"})
    assert refused.status_code == 400
    assert "Clé d’accès" in refused.content.decode()
    assert "https://a.fr/x.csv?token=1" in refused.content.decode(), "what was typed is not lost"
    row = ConnectedSource.objects.first()
    assert row is not None
    with pytest.raises(BadSource, match="essai"):
        operations.describe_source(Viewer(row.person_id, AGENT.grants), row.pk, Description("Rien"), at=timezone.now())


def test_a_failure_is_told_once_and_so_is_its_end(site: Site) -> None:
    make_person(Role.AGENT, territory=CODE, services=("eau",), email="eau@exemple.fr")
    number = made(site)
    assert run(number).outcome == "changed"
    site.files["/tilleuls.csv"] = (500, {}, b"")
    waits = []
    for days in (1, 2, 3):
        failed = run(number, days)
        source = connected.source_of(AGENT, number, at=timezone.now())
        assert source.next_at is not None
        assert "500" in str(source.fault)
        waits.append((source.next_at - failed.at).days)
    assert waits == [1, 2, 4], "more and more rarely"
    (letter,) = mail.outbox
    assert letter.to == ["eau@exemple.fr"]
    assert "« Tilleuls »" in letter.body
    assert "500" in letter.body
    assert f"/agent/sources/{number}/" in letter.body
    assert queries.dataset(ANONYMOUS, DatasetRef(CODE, "tilleuls")).summary.rows == 5, "what is in service stays"
    site.files["/tilleuls.csv"] = (200, {}, CSV)
    assert run(number, 4).outcome == "unchanged"
    assert "répond de nouveau" in mail.outbox[1].subject
    run(number, 5)
    site.files["/tilleuls.csv"] = (500, {}, b"")
    run(number, 6)
    assert len(mail.outbox) == 3, "a new spell is news"
    # What loses too many rows waits for an agent.
    site.files["/tilleuls.csv"] = (200, {}, CSV.splitlines(keepends=True)[0] + b"1;If;X;3;45\n")
    held = run(number, 7)
    assert held.outcome == "held"
    assert "de 5 à 1 lignes" in str(connected.runs_of(AGENT, number, at=timezone.now())[0].reason)
    assert queries.dataset(ANONYMOUS, DatasetRef(CODE, "tilleuls")).summary.rows == 5


def test_the_worker_asks_at_night_what_is_due_and_nothing_suspended(site: Site, queued: list[int]) -> None:
    now = timezone.now()
    first, second = made(site), made(site, slug="bancs", title="Bancs")
    operations.suspend_source(AGENT, second, at=now)
    tasks.nightly_sources(now)
    assert queued == [first]
    ConnectedSource.objects.filter(pk=first).update(next_at=now + timedelta(days=7))
    assert operations.due_connected(at=now) == []
    assert operations.due_connected(at=now + timedelta(days=7)) == [first]
    assert running.run_source(second, at=now) is None
    operations.resume_source(AGENT, second, at=now)
    assert operations.due_connected(at=now) == [second]
    with pytest.raises(Refused):
        operations.resume_source(AGENT, second, at=now)


def test_a_removal_and_a_change_are_taken_back_then_the_secret_goes(site: Site, queued: list[int]) -> None:
    now = timezone.now()
    number = made(site)
    operations.describe_source(AGENT, number, Description("Arbres", rhythm="annuel"), at=now)
    assert connected.source_of(AGENT, number, at=now).title == "Arbres"
    operations.undo_change(AGENT, number, at=now)
    again = connected.source_of(AGENT, number, at=now)
    assert (again.title, again.rhythm, again.undoable) == ("Tilleuls", "mensuel", False)
    operations.remove_source(AGENT, number, at=now)
    assert operations.due_connected(at=now) == []
    operations.resume_source(AGENT, number, at=now)
    assert connected.source_of(AGENT, number, at=now).state == "active"
    operations.remove_source(AGENT, number, at=now)
    folder = folder_of(ConnectedSource.objects.get(pk=number), "source")
    folder.mkdir(parents=True)
    assert operations.expire_connected(now + timedelta(days=29)) == 0
    assert operations.expire_connected(now + timedelta(days=31)) == 1
    assert not folder.exists()
    assert queued == [number]


def test_rights_given_and_kept(site: Site, queued: list[int]) -> None:
    now = timezone.now()
    number = made(site, access="service:eau")
    for act in (operations.suspend_source, operations.ask_now, operations.remove_source):
        with pytest.raises(NotFound):
            act(AGENT, number, at=now)
    water = agent_of("eau")
    with pytest.raises(Refused):
        operations.describe_source(water, number, Description("Eau", access="service:police"), at=now)
    # A column kept for a service is opened by nobody else.
    other = made(site, slug="bancs", columns={"releve_par": {"access": "service:eau"}})
    opened = Description("Bancs", access="public", columns={"releve_par": "public", "essence": "drop"})
    operations.describe_source(AGENT, other, opened, at=now)
    kept = ConnectedSource.objects.get(pk=other).payload["columns"]
    assert kept == {"releve_par": {"access": "service:eau"}, "essence": {"drop": True}}
    operations.describe_source(water, other, opened, at=now)
    assert ConnectedSource.objects.get(pk=other).payload["columns"]["releve_par"] == {"access": "public"}
    assert queued == [other, other]


def test_a_secret_kept_is_told_to_no_other_address(site: Site) -> None:
    now = timezone.now()
    number = made(site)
    ConnectedSource.objects.filter(pk=number).update(credential="bearer", sealed=sealing.seal(SECRET))
    for url in ("https://ailleurs.exemple/a.csv", site.url.replace("http:", "https:") + "/tilleuls.csv"):
        with pytest.raises(BadSource, match="autre site"):
            operations.change_address(AGENT, number, Address(url, "file"), None, at=now)
    with pytest.raises(BadSource, match="vide"):
        operations.change_address(AGENT, number, Address(site.url, "file"), Credential("bearer", "", ""), at=now)
    site.files["/tilleuls.csv"] = (403, {}, SECRET.encode())
    run(number)
    assert site.asked[-1][1]["Authorization"] == f"Bearer {SECRET}"
    assert sealing.turn_keys() >= 1, "turned with the others"
    assert sealing.unseal(ConnectedSource.objects.get(pk=number).sealed) == SECRET


# --- Joins on the usual keys -----------------------------------------------------------------------------------------

JOINS = {
    "siret": ("siret", "num_siret", ["12345678900012", "99999999900099"], ["123 456 789 00012"]),
    "parcelle": ("parcelle", "id_parcelle", ["341720000A0001", "341720000A0009"], ["34172 0000 A0001"]),
    "batiment": ("rnb_id", "batiment_rnb", ["XPM52WAPZQ4K", "AAAA1111BBBB"], ["XPM5-2WAP-ZQ4K"]),
    "adresse": ("adresse", "adresse_bien", ["12 rue de l'Église", "9 rue Foch"], ["12 RUE DE L’EGLISE"]),
}


@pytest.mark.parametrize("family", JOINS)
def test_datasets_are_joined_on_each_usual_key(
    site: Site, signed_in: Callable[..., Client], tmp_path: Path, family: str
) -> None:
    ours, theirs, here, there = JOINS[family]
    for slug, column, values in (("gauche", ours, here), ("droite", theirs, there)):
        path = tmp_path / f"{slug}.csv"
        lines = "".join(f"{value};{rank}\n" for rank, value in enumerate(values, 1))
        path.write_text(f"{column};rang_{slug}\n{lines}", encoding="utf-8")
        import_source(path, territory=CODE, at=AT, announce=False)
    (found,) = proposed_joins(AGENT, CODE, Recipe("gauche"), ["droite"])
    assert (found.on, found.to, found.matched, found.tried) == (ours, theirs, 1, 2)
    assert (found.family, set(NAMED)) == (family, set(KEYS))
    page = signed_in(Role.AGENT).get("/croiser/?e=jeu|gauche&avec=droite&proposer=1").content.decode()
    assert f"<strong>{NAMED[family]}</strong>" in page, "offered by its name in the workbench"
    answer = crossed(AGENT, CODE, recipe_of(["jeu|gauche", f"lier|droite|{ours}|{theirs}"]))
    assert [row[-1] for row in answer.rows] == [1, None]


# --- From outside ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/agent/sources/", "/agent/sources/brancher/", "/agent/donnees-a-surveiller/", "/agent/depots/"]
)
def test_an_agent_without_a_second_factor_reaches_none_of_it(site: Site, settings: Any, address: str) -> None:
    settings.STRONG_AUTH = True
    person = get_user_model().objects.get(pk=make_person(Role.AGENT, territory=CODE))
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(address)
    assert answer.status_code == 302
    assert "second-facteur" in answer["Location"] or "second_factor" in answer["Location"], answer["Location"]
    assert client.post("/agent/sources/brancher/", {"url": site.url}).status_code in (302, 403)
    assert not ConnectedSource.objects.exists()
    assert site.asked == []
    session = client.session
    session["beffroi_second_factor"] = True
    session.save()
    assert client.get(address).status_code == 200


def test_a_dataset_file_of_a_service_is_planned_as_any_other() -> None:
    payload = {"fetch": {"url": "https://a.fr/wfs", "name": "a.geojson", "service": "wfs", "layer": "a"}}
    assert parsed_definition(payload, where="x", slug="a").fetch.service == "wfs"
    with pytest.raises(Exception, match=r"fetch\.service"):
        parsed_definition({"fetch": payload["fetch"] | {"service": "soap"}}, where="x", slug="a")
