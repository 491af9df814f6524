"""Change territories, people, roles and keys; each change publishes its event in the same transaction.

`by` is who asks: an administrator of the territory, or None for the command line and the installation itself.
`at` is the moment of the change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import engine, events
from beffroi.base.territory.models import ApiKey, Person, RoleGrant, ServiceUnit
from beffroi.base.territory.queries import UnknownPerson
from beffroi.base.territory.queries import territory as territory_info
from beffroi.base.territory.sandbox import register_sandbox_part, reset_sandbox
from beffroi.base.territory.territories import (
    actor_of,
    add_commune,
    add_grouping,
    add_host,
    add_service,
    add_zone,
    set_arms,
    set_look,
)
from beffroi.base.territory.viewer import Role, Viewer

__all__ = [
    "AlreadyThere",
    "BadApiKey",
    "BadGrant",
    "BadPerson",
    "add_commune",
    "add_grouping",
    "add_host",
    "add_service",
    "add_zone",
    "close_sessions",
    "create_api_key",
    "create_person",
    "deactivate_person",
    "grant_role",
    "invite_person",
    "register_person",
    "register_sandbox_part",
    "rename_person",
    "reset_sandbox",
    "reset_second_factor",
    "revoke_api_key",
    "revoke_role",
    "set_arms",
    "set_look",
]


class AlreadyThere(BeffroiError):
    """What was to be created exists."""

    http_status = 409


class BadGrant(BeffroiError):
    """A role cannot be given as asked."""


class BadPerson(BeffroiError):
    """A person cannot be created as asked."""


class BadApiKey(BeffroiError):
    """An API key cannot be created as asked."""


# --- People ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_person(
    *, email: str, at: datetime, name: str = "", password: str | None = None, actor: int | None = None
) -> int:
    """Create an account and return its number; without `password`, the person chooses one by e-mail.

    Raises:
        BadPerson: the address is not one.
        AlreadyThere: an account has that address.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise BadPerson(
            "adresse électronique « {email} » illisible",
            where="email",
            remedy="donnez une adresse comme prenom.nom@exemple.fr",
            email=email[:80],
        ) from None
    try:
        with transaction.atomic():
            person = Person.objects.create_user(email, password, name=name.strip(), created_at=at)
    except IntegrityError:
        raise AlreadyThere("un compte a déjà cette adresse", where="email", remedy="donnez-lui un rôle") from None
    events.publish(events.PersonCreated(at=at, actor=actor, person=person.pk))
    return int(person.pk)


@transaction.atomic
def register_person(*, person_id: int, resident_of: str, at: datetime) -> None:
    """Welcome an account that its owner has just created, as a resident of `resident_of` (empty: no role at all)."""
    events.publish(events.PersonCreated(at=at, actor=person_id, person=person_id))
    if resident_of:
        grant_role(person_id=person_id, territory=resident_of, role=Role.RESIDENT, by=None, at=at)


@transaction.atomic
def rename_person(*, person_id: int, name: str, at: datetime) -> None:
    """Change the name a person goes by; asked by that person."""
    Person.objects.filter(pk=person_id).update(name=name.strip()[:200])
    events.publish(events.PersonRenamed(at=at, actor=person_id, person=person_id))


def close_sessions(*, person_id: int) -> int:
    """End every session of a person; return the new epoch, for the one session to keep open."""
    Person.objects.filter(pk=person_id).update(session_epoch=F("session_epoch") + 1)
    return Person.objects.values_list("session_epoch", flat=True).get(pk=person_id)


@transaction.atomic
def invite_person(
    *, email: str, name: str, territory: str, role: Role, by: Viewer | None, at: datetime, services: Iterable[str] = ()
) -> int:
    """Give a role to whoever has that address, with a new account when there is none; return the person's number.

    Raises:
        Refused: `by` does not administer the territory.
        BadPerson: the territory is a sandbox: a message would leave it.
        BadPerson, BadGrant: as `create_person` and `grant_role` say.
    """
    actor = actor_of(by, territory)
    if engine.is_sandbox(territory):
        raise BadPerson("dans le bac à sable, on n’invite personne", where=territory, remedy="quittez-le d’abord")
    known = Person.objects.filter(email=email.strip().lower()).values_list("pk", flat=True).first()
    person_id = known or create_person(email=email, name=name, at=at, actor=actor)
    grant_role(person_id=person_id, territory=territory, role=role, services=services, by=by, at=at)
    events.publish(events.PersonInvited(at=at, actor=actor, territory=territory, person=person_id))
    return person_id


@transaction.atomic
def reset_second_factor(*, person_id: int, territory: str, by: Viewer | None, at: datetime) -> None:
    """End the sessions of someone whose second factors a face removes, in its transaction, and tell it.

    Raises:
        Refused: `by` does not administer the territory.
        UnknownPerson, BadGrant: as `deactivate_person` says.
    """
    actor = actor_of(by, territory)
    _own_person(person_id, territory)
    close_sessions(person_id=person_id)
    events.publish(events.SecondFactorReset(at=at, actor=actor, territory=territory, person=person_id))


@transaction.atomic
def deactivate_person(*, person_id: int, territory: str, by: Viewer | None, at: datetime) -> None:
    """Close the account of someone who holds a role of `territory`: it signs in no more, and what it did stays.

    Raises:
        Refused: `by` does not administer the territory.
        UnknownPerson: the person holds no role there.
        BadGrant: the person works for another territory too, which has a say.
    """
    actor = actor_of(by, territory)
    person = _own_person(person_id, territory)
    person.is_active = False
    person.save(update_fields=["is_active"])
    events.publish(events.PersonDeactivated(at=at, actor=actor, territory=territory, person=person_id))


def _own_person(person_id: int, territory: str) -> Person:
    """Return someone whose account this territory alone has a say about."""
    person = _locked_person(person_id)
    if not RoleGrant.objects.filter(person=person, territory=territory).exists():
        raise UnknownPerson("personne « {id} » inconnue", where="personne", id=person_id)
    elsewhere = RoleGrant.objects.filter(person=person).exclude(territory=territory).exclude(role=Role.RESIDENT)
    if elsewhere.exists():
        raise BadGrant("cette personne a un rôle ailleurs", where="personne", remedy="retirez ses rôles ici seulement")
    return person


def _locked_person(person_id: int) -> Person:
    person = Person.objects.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise UnknownPerson("personne « {id} » inconnue", where="personne", id=person_id)
    return person


@transaction.atomic
def grant_role(
    *,
    person_id: int,
    territory: str,
    role: Role,
    by: Viewer | None,
    at: datetime,
    services: Iterable[str] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> None:
    """Give a role to a person in a territory, or change its services and dates.

    Raises:
        Refused: `by` does not administer the territory.
        UnknownPerson, UnknownTerritory: no such person, no such territory.
        BadGrant: services for a role that has none, an unknown service, or an end before the start.
    """
    actor = actor_of(by, territory)
    territory_info(territory)
    _locked_person(person_id)
    slugs = sorted(set(services))
    units = _units(territory, role, slugs)
    start = valid_from or at
    if valid_until is not None and valid_until <= start:
        raise BadGrant("la fin du rôle précède son début", where="valid_until", remedy="donnez une date plus tardive")
    grant, _ = RoleGrant.objects.update_or_create(
        person_id=person_id,
        territory_id=territory,
        role=role.value,
        defaults={"valid_until": valid_until, **({"valid_from": valid_from} if valid_from else {})},
        create_defaults={"valid_from": start, "valid_until": valid_until},
    )
    grant.services.set(units)
    events.publish(
        events.RoleGranted(
            at=at,
            actor=actor,
            territory=territory,
            person=person_id,
            role=role.value,
            services=tuple(slugs),
            valid_until=valid_until,
        )
    )


def _units(territory: str, role: Role, slugs: list[str]) -> list[ServiceUnit]:
    if slugs and role not in (Role.AGENT, Role.ADMINISTRATOR):
        raise BadGrant("seul un agent appartient à un service", where="services", remedy="retirez les services")
    units = list(ServiceUnit.objects.filter(territory=territory, slug__in=slugs))
    unknown = set(slugs) - {unit.slug for unit in units}
    if unknown:
        raise BadGrant(
            "service inconnu : {slugs}",
            where="services",
            remedy="créez d'abord ce service",
            slugs=", ".join(sorted(unknown)),
        )
    return units


@transaction.atomic
def revoke_role(*, person_id: int, territory: str, role: Role, by: Viewer | None, at: datetime) -> None:
    """Take a role back; nothing happens when it is not held.

    Raises:
        Refused: `by` does not administer the territory.
        BadGrant: it is the last administrator's, and nobody could give rights any more.
    """
    actor = actor_of(by, territory)
    # Locked together: two administrators who revoke each other at once must not both succeed.
    held = list(RoleGrant.objects.select_for_update().filter(territory=territory, role=role.value).order_by("pk"))
    mine = [grant for grant in held if grant.person_id == person_id]
    if not mine:
        return
    if role is Role.ADMINISTRATOR and len(held) == 1:
        raise BadGrant("c'est le dernier administrateur", where=territory, remedy="nommez-en un autre d'abord")
    mine[0].delete()
    events.publish(events.RoleRevoked(at=at, actor=actor, territory=territory, person=person_id, role=role.value))


# --- API keys --------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_api_key(
    *, territory: str, name: str, scopes: Iterable[str], expires_at: datetime, by: Viewer | None, at: datetime
) -> str:
    """Create an API key and return it whole: it is shown once, only its hash is kept.

    Raises:
        Refused: `by` does not administer the territory.
        BadApiKey: an unknown scope, no name, or an expiry already past.
    """
    actor = actor_of(by, territory)
    territory_info(territory)
    asked = sorted(set(scopes))
    unknown = [scope for scope in asked if not engine.scope_is_known(scope)]
    if unknown:
        raise BadApiKey(
            "droit inconnu : {unknown}",
            where="scopes",
            remedy="choisissez parmi {known}",
            unknown=", ".join(unknown),
            known=", ".join(engine.SCOPES),
        )
    if (engine.STOCK in asked) != (sum(scope.startswith(engine.STOCK_OF) for scope in asked) == 1):
        raise BadApiKey("le patrimoine d'un seul bailleur va avec son SIREN", where="siren",
                        remedy="donnez le SIREN du bailleur, neuf chiffres")  # fmt: skip
    if not name.strip():
        raise BadApiKey("la clé n'a pas de nom", where="name", remedy="nommez le logiciel qui s'en servira")
    if expires_at <= at:
        raise BadApiKey("la clé serait déjà expirée", where="expires_at", remedy="donnez une date à venir")
    key, prefix, kept = engine.new_secret()
    row = ApiKey.objects.create(
        territory_id=territory,
        name=name.strip()[:100],
        prefix=prefix,
        secret_hash=kept,
        scopes=asked,
        created_by_id=actor,
        created_at=at,
        expires_at=expires_at,
    )
    events.publish(
        events.ApiKeyCreated(
            at=at,
            actor=actor,
            territory=territory,
            key=row.pk,
            name=row.name,
            scopes=tuple(asked),
            expires_at=expires_at,
        )
    )
    return key


@transaction.atomic
def revoke_api_key(*, key_id: int, territory: str, by: Viewer | None, at: datetime) -> None:
    """Close an API key of `territory` at once; nothing happens when there is none such or it is closed already.

    Raises:
        Refused: `by` does not administer the territory.
    """
    actor = actor_of(by, territory)
    changed = ApiKey.objects.filter(pk=key_id, territory=territory, revoked_at__isnull=True).update(revoked_at=at)
    if changed:
        events.publish(events.ApiKeyRevoked(at=at, actor=actor, territory=territory, key=key_id))
