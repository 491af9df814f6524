"""Export and erasure follow the declarations: nothing about the person remains, and nothing of another goes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder

from beffroi.base.catalogue.models import Remark
from beffroi.base.journal import events
from beffroi.base.journal import operations as journal
from beffroi.base.journal.models import Event
from beffroi.base.privacy import operations, queries
from beffroi.base.privacy.registry import declarations
from beffroi.base.territory import operations as territory
from beffroi.base.territory.models import Person, RoleGrant
from beffroi.base.territory.viewer import Role
from territory_makers import AT, TOWN, make_person, make_town

LATER = AT + timedelta(days=10)


@pytest.fixture
def resident():
    """A resident who has left traces everywhere, beside another who has too."""
    make_town()
    events.declare_personal("tests.told", "phone")
    numbers = []
    for email in ("claude.personne@exemple.fr", "autre.voisine@exemple.fr"):
        number = make_person(Role.RESIDENT, email=email, password="le-beffroi-sonne-midi")
        EmailAddress.objects.create(user_id=number, email=email, verified=True, primary=True)
        Remark.objects.create(use_case="1-01", territory=TOWN, text=f"de {email}", person_id=number, created_at=AT)
        journal.record(
            kind="tests.told",
            subject=f"case:{number}",
            payload={"phone": f"06{number}", "tree": 3},
            actor=number,
            at=AT,
        )
        numbers.append(number)
    return numbers


def everything() -> str:
    """Every value of every table, as text."""
    models = apps.get_models(include_auto_created=True)
    rows = [list(model._default_manager.order_by("pk").values()) for model in models if model._meta.managed]
    return json.dumps(rows, cls=DjangoJSONEncoder, default=str)


@pytest.mark.django_db
def test_the_export_holds_what_is_declared_and_no_secret(resident):
    export = queries.personal_export(resident[0], at=LATER)
    content = json.loads(export.as_json())
    assert content["data"]["territory.Person"]["rows"][0]["email"] == "claude.personne@exemple.fr"
    assert content["data"]["catalogue.Remark"]["rows"][0]["text"] == "de claude.personne@exemple.fr"
    assert content["data"]["account.EmailAddress"]["rows"][0]["verified"] is True
    assert {row["kind"] for row in content["data"]["journal.Event"]["rows"]} >= {"person.created", "tests.told"}
    assert "argon2" not in export.as_json()
    assert "autre.voisine" not in export.as_json()


@pytest.mark.django_db
def test_every_declared_processing_can_be_exported(resident):
    exported = {part.label for part in queries.personal_export(resident[0], at=LATER).parts}
    assert exported <= {declaration.label for declaration in declarations()}
    assert {"territory.Person", "territory.RoleGrant", "account.EmailAddress", "journal.Event"} <= exported


@pytest.mark.django_db
def test_after_erasure_nothing_of_the_person_remains(resident):
    claude, neighbour = resident
    phone = f'"06{claude}"'
    before = everything()
    assert "claude.personne" in before
    assert phone in before

    erased = operations.erase_person(claude, by=claude, at=LATER)

    after = everything()
    assert "claude.personne" not in after
    assert phone not in after
    account = Person.objects.get(pk=claude)
    assert (account.email, account.name, account.is_active) == (f"efface-{claude}@compte.invalid", "", False)
    assert not account.has_usable_password()
    assert not RoleGrant.objects.filter(person=claude).exists()
    assert not Event.objects.filter(actor=claude).exists()
    assert Event.objects.filter(actor=erased.number).exists()
    told = Event.objects.get(kind="tests.told", subject=f"case:{claude}")
    assert told.payload == {"phone": None, "tree": 3}

    assert "autre.voisine" in after
    assert f'"06{neighbour}"' in after
    assert Remark.objects.filter(person=neighbour).count() == 1


@pytest.mark.django_db
def test_erasure_is_journaled_without_naming_anyone(resident):
    erased = operations.erase_person(resident[0], by=resident[0], at=LATER)
    told = Event.objects.get(kind="person.erased")
    assert told.actor == erased.number < 0
    assert told.payload["rows"]["catalogue.Remark delete"] == 1


@pytest.mark.django_db
def test_erasing_nobody_is_told():
    with pytest.raises(operations.PersonNotFound, match="aucun compte"):
        operations.erase_person(404, by=None, at=AT)
    with pytest.raises(queries.PersonNotFound):
        queries.personal_export(404, at=AT)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMINISTRATOR, Role.ELECTED])
def test_whoever_holds_a_function_is_not_erased_before_it_is_withdrawn(role):
    make_town()
    make_person(Role.ADMINISTRATOR)  # a town keeps one
    number = make_person(role)
    with pytest.raises(operations.StillInOffice):
        operations.erase_person(number, by=number, at=LATER)
    territory.revoke_role(person_id=number, territory=TOWN, role=role, by=None, at=LATER)
    assert operations.erase_person(number, by=number, at=LATER).rows


def test_the_answer_is_due_within_a_month_or_three():
    received = datetime(2026, 1, 31, tzinfo=UTC).date()
    assert queries.answer_limit(received).last_day.isoformat() == "2026-03-02"
    assert queries.answer_limit(received, extended=True).last_day.isoformat() == "2026-04-30"


def test_the_register_tells_each_processing_in_full_sentences():
    entries = {entry.label: entry for entry in queries.register()}
    assert set(entries) == {declaration.label for declaration in declarations()}
    account = entries["territory.Person"]
    assert str(account.retention) == "3 ans, puis elles sont rendues anonymes"
    assert str(account.legal_basis) == "mission d'intérêt public (RGPD, art. 6-1 e)"
    assert str(entries["sessions.Session"].retention) == "jusqu'à leur expiration, puis elles sont supprimées"
