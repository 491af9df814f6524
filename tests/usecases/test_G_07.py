"""G-07, sovereignty and personal data: export, erasure, retention, register; hosts are in `test_G_07_hosts.py`."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from beffroi.base.catalogue import counting, operations, queries
from beffroi.base.catalogue.definition import State
from beffroi.base.catalogue.examples import ExampleFailed, run_example
from beffroi.base.catalogue.models import Remark
from beffroi.base.journal import tasks
from beffroi.base.journal.models import Event
from beffroi.base.privacy import engine
from beffroi.base.privacy.registry import declarations, undeclared_models
from beffroi.base.territory.models import Person
from beffroi.base.territory.viewer import Role
from territory_makers import PASSWORD, make_person

pytestmark = pytest.mark.django_db

EMAIL = "claude.personne@exemple.fr"
NOW = datetime.now(UTC)


@pytest.fixture
def reader(small_town: str, settings: object) -> Client:
    """A resident, signed in as anyone does: by the form, with her password."""
    settings.STRONG_AUTH = False  # type: ignore[attr-defined]
    make_person(Role.RESIDENT, territory=small_town, email=EMAIL, password=PASSWORD)
    client = Client()
    assert client.post("/compte/login/", {"login": EMAIL, "password": PASSWORD}).status_code == 302
    return client


def remark_of(person: int | None, at: datetime) -> Remark:
    return Remark.objects.create(use_case="1-23", territory="00001", text="bien", person_id=person, created_at=at)


def test_residents_find_it_from_the_home_page_down_to_their_own_data(reader: Client) -> None:
    assert 'href="/services/"' in reader.get("/").content.decode()
    assert 'href="/services/G-07/"' in reader.get("/services/").content.decode()
    assert 'href="/mes-donnees/"' in reader.get("/services/G-07/").content.decode()
    assert 'href="/mes-donnees/"' in reader.get("/compte/").content.decode()
    assert EMAIL in reader.get("/mes-donnees/").content.decode()


def test_a_person_exports_her_data(reader: Client) -> None:
    person = Person.objects.get(email=EMAIL)
    remark_of(person.pk, NOW)
    bundle = zipfile.ZipFile(io.BytesIO(reader.get("/mes-donnees/mes-donnees.zip").content))
    data = json.loads(bundle.read("mes-donnees.json"))["data"]
    assert data["territory.Person"]["rows"][0]["email"] == EMAIL
    assert data["catalogue.Remark"]["rows"][0]["text"] == "bien"
    assert EMAIL in bundle.read("mes-donnees.html").decode()


def test_a_person_erases_her_data(reader: Client) -> None:
    person = Person.objects.get(email=EMAIL)
    remark_of(person.pk, NOW)
    done = reader.post("/mes-donnees/effacer/", {"email": EMAIL, "password": PASSWORD}, follow=True)
    assert "Votre compte est effacé" in done.content.decode()
    assert not Person.objects.filter(email=EMAIL).exists()
    assert not Remark.objects.filter(person=person.pk).exists()
    assert not Event.objects.filter(actor=person.pk).exists()
    refused = Client().post("/compte/login/", {"login": EMAIL, "password": PASSWORD})
    assert refused.status_code == 200


def test_the_worker_runs_the_retention_of_each_night(small_town: str) -> None:
    old, recent = remark_of(None, NOW - timedelta(days=800)), remark_of(None, NOW)
    assert "privacy.retention" in tasks.run_daily_jobs(NOW)
    assert list(Remark.objects.values_list("pk", flat=True)) == [recent.pk]
    assert Event.objects.get(kind="retention.applied", subject="processing:catalogue.Remark").payload["rows"] == 1
    assert old.pk != recent.pk


def test_the_register_is_published_and_whole(small_town: str, client: Client) -> None:
    answer = client.get("/registre-des-traitements/")
    assert answer.status_code == 200
    shown = {entry.label for _purpose, entries in answer.context["groups"] for entry in entries}
    assert shown == {declaration.label for declaration in declarations()}
    # Nothing personal is kept that the register does not tell.
    assert undeclared_models() == {}
    for address in ("/", "/services/G-07/"):
        assert '<a href="/registre-des-traitements/">' in client.get(address).content.decode()


def test_no_page_names_another_host_and_the_policy_forbids_it(reader: Client) -> None:
    for address in (
        "/",
        "/services/",
        "/donnees/",
        "/carte/",
        "/compte/",
        "/mes-donnees/",
        "/registre-des-traitements/",
    ):
        answer = reader.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert re.findall(r'(?:src|srcset|action)="(?:https?:)?//[^"]*"', answer.content.decode()) == []


def test_its_file_sets_how_many_rows_the_page_shows(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person.objects.get(email=EMAIL)
    for _ in range(23):
        remark_of(person.pk, NOW)
    tables = {table.purpose: table for table in reader.get("/mes-donnees/").context["tables"]}
    assert sorted((len(table.rows), table.more) for table in tables.values())[-1] == (20, 3)


def test_its_use_is_counted_without_anyone(reader: Client, small_town: str) -> None:
    counting.BUFFER._counts.clear()
    reader.get("/mes-donnees/")
    operations.flush_usage()
    assert queries.usage_totals(small_town, since=NOW.date() - timedelta(days=2)) == {"G-07": 1}


def test_its_examples_run_for_real_and_leave_nothing() -> None:
    one = queries.catalogue().use_cases["G-07"]
    assert one.state is State.LIVE
    before = (Person.objects.count(), Remark.objects.count(), Event.objects.count())
    outcomes = [run_example(one, example) for example in one.examples]
    assert [example.when["does"] for example in one.examples] == ["export", "erase", "retention", "retention"]
    assert outcomes[1]["erased"]
    assert (Person.objects.count(), Remark.objects.count(), Event.objects.count()) == before


def test_an_example_that_lies_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    one = queries.catalogue().use_cases["G-07"]
    monkeypatch.setitem(engine._ACTS, "erase", lambda *_: engine._remains(0))
    with pytest.raises(ExampleFailed, match="exemple 2"):
        run_example(one, one.examples[1])
