"""What is compiled once writes and reads what the ORM would."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from beffroi.base.journal.models import Event
from beffroi.base.registry.sqlite.base import DatabaseWrapper
from beffroi.base.registry.statements import Insertion, Question, cursor
from beffroi.base.territory.models import ApiKey
from beffroi.serve.cases.definition import Access, Status
from beffroi.serve.cases.models import Case
from beffroi.serve.reports.models import Report
from territory_makers import AT, TOWN, make_key, make_town

CASE = {
    "territory": TOWN, "kind": "report", "category": "depot-sauvage", "service": "proprete", "access": Access.AGENTS,
    "status": Status.RECEIVED, "opened_at": AT, "changed_at": AT,
}  # fmt: skip


def columns(row: models.Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}


@pytest.mark.django_db
def test_a_row_is_the_one_the_orm_would_write() -> None:
    by_orm = Case.objects.create(**CASE, idempotency_key="cle-d-envoi-1")
    key = Insertion(Case).one(**CASE, idempotency_key="cle-d-envoi-2")
    assert columns(Case.objects.get(pk=key)) == columns(by_orm) | {"idempotency_key": "cle-d-envoi-2"}


@pytest.mark.django_db
def test_json_bytes_and_nothing_are_written_as_the_orm_does() -> None:
    first, second = (Insertion(Case).one(**CASE) for _ in range(2))
    place = {"use_case": "1-01", "lon": 3.8767, "lat": 43.6108, "cell": 2**40, "details": {"é": [1, None]}}
    by_orm = Report.objects.create(case_id=first, zone_wkb=b"\x01\0", **place)
    Insertion(Report).all([{"case_id": second, "zone_wkb": b"\x01\0", **place}])
    found = Report.objects.get(pk=second)
    found.zone_wkb = bytes(found.zone_wkb)
    assert columns(found) == columns(by_orm)


@pytest.mark.django_db
def test_a_column_that_is_not_there_is_told_and_a_constraint_holds() -> None:
    insertion = Insertion(Case)
    with pytest.raises(TypeError, match="couleur"):
        insertion.one(**CASE, couleur="bleu")
    with pytest.raises(IntegrityError), transaction.atomic():
        insertion.one(**(CASE | {"status": "perdu"}))
    insertion.one(**CASE)


@pytest.mark.django_db
def test_a_question_is_answered_as_the_orm_does_whatever_it_was_compiled_for() -> None:
    make_town()
    known = [make_key(scope).split("_")[1] for scope in ("data:write", "reports:write")]
    fields = ("pk", "scopes", "expires_at", "revoked_at")
    asked = Question(lambda prefix: ApiKey.objects.filter(prefix=prefix).order_by("pk").values_list(*fields))
    for prefix in (*known, known[0]):
        assert asked.first(prefix=prefix) == ApiKey.objects.values_list(*fields).get(prefix=prefix)
    assert asked.first(prefix="0" * 12) is None


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL prepares statements")
def test_postgresql_prepares_what_is_asked_again() -> None:
    insertion = Insertion(Event)
    for _ in range(4):
        insertion.one(at=AT, kind="tree.planted", subject="tree:1", payload={})
    with cursor() as run:
        run.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO \"journal_event\"%%'"
        )
        assert run.fetchone() == (1,)


def test_a_kept_connection_is_left_once_its_file_is_another(tmp_path: Path, django_db_blocker: Any) -> None:
    """`beffroi restore` exchanges the file under a site that runs: what is acknowledged later is in the new one."""
    files = [tmp_path / name for name in ("registry.sqlite3", "restored.sqlite3")]
    for place, file in enumerate(files):
        with sqlite3.connect(file) as made:
            made.execute("CREATE TABLE which (number)")
            made.execute("INSERT INTO which VALUES (?)", [place])
        made.close()
    given = connection.settings_dict | {"NAME": files[0], "OPTIONS": {}, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    kept = DatabaseWrapper(given, alias="kept")

    def asked() -> int:
        kept.close_if_unusable_or_obsolete()
        with kept.cursor() as run:
            return int(run.execute("SELECT number FROM which").fetchone()[0])

    with django_db_blocker.unblock():
        assert asked() == 0
        opened = kept.connection
        assert asked() == 0
        assert kept.connection is opened
        files[1].replace(files[0])
        assert asked() == 1
        kept.close()
