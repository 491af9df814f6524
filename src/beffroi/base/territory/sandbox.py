"""A commune of its own to try things in: nothing real is there, and it starts again at will.

Its code begins with 99, which INSEE keeps for foreign countries: no French commune bears one. Every row of the registry
that bears its code goes at each reset, whichever room wrote it; a room that holds more (files, a number that others
remember), or that has samples to put back, says so with `register_sandbox_part`, from its ``AppConfig.ready``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet

from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.territory import events
from beffroi.base.territory.engine import SANDBOX_PREFIX, is_sandbox
from beffroi.base.territory.models import ApiKey, Commune, RoleGrant, ServiceUnit, Zone
from beffroi.base.territory.queries import CommuneInfo, commune, services
from beffroi.base.territory.queries import territory as territory_info
from beffroi.base.territory.territories import add_commune, add_service
from beffroi.base.territory.viewer import Role, Viewer

MOST = 1000
# The commune itself begins again otherwise (`_begin_again`), and nobody takes a line out of the journal.
_NOT_DONE_THERE = frozenset({"territory", "journal"})

Clear = Callable[[str], None]
Fill = Callable[[CommuneInfo, datetime], None]


class NoSandbox(BeffroiError):
    """There can be no sandbox here: it is one already, or every code is taken."""

    http_status = 409


@dataclass(frozen=True, slots=True)
class Part:
    """What one room has in a sandbox beside its rows: `clear` removes it by the code, `fill` puts the samples back."""

    clear: Clear | None
    fill: Fill | None = None


_parts: dict[str, Part] = {}


def register_sandbox_part(name: str, *, clear: Clear | None = None, fill: Fill | None = None) -> None:
    """Have a room take part in every reset. The same `name` replaces the former one.

    `clear` receives the sandbox's code and must refuse any other; `fill` its `CommuneInfo` and the moment.
    """
    _parts[name] = Part(clear, fill)


def reset_sandbox(*, of: str, by: Viewer | None, at: datetime) -> str:
    """Empty the sandbox of a commune, created at need, put its samples back, and return its code.

    Interrupted between two parts, it is finished by the next reset: nothing real is ever in it.

    Raises:
        UnknownTerritory: no commune has the code `of`.
        NoSandbox: `of` is a sandbox itself, or the thousand codes are taken.
        Refused: `by` works neither in the commune nor in its sandbox.
    """
    real = commune(of)
    if is_sandbox(of):
        raise NoSandbox("un bac à sable n’en a pas un autre", where=of, remedy="revenez d’abord à la commune")
    with transaction.atomic():
        code = _opened(real, at)
        actor = _staff(by, real.code, code)
        for part in _parts.values():
            if part.clear is not None:
                part.clear(code)
        for model in models_by_territory():
            _forget(model._default_manager.filter(territory=code))
        _begin_again(real.code, code, at)
        events.publish(events.SandboxReset(at=at, actor=actor, territory=code, of=real.code))
    info = territory_info(code)
    for part in _parts.values():
        if part.fill is not None:
            part.fill(info, at)
    return code


def _staff(by: Viewer | None, real: str, code: str) -> int | None:
    if by is None:
        return None
    if by.scopes is None and any(
        by.has(role, one) for role in (Role.AGENT, Role.ADMINISTRATOR) for one in (real, code)
    ):
        return by.person_id
    raise Refused("le bac à sable est réservé aux agents de la commune", where=real, remedy="demandez-leur")


def _opened(real: CommuneInfo, at: datetime) -> str:
    known = Commune.objects.filter(sandbox_of=real.code).values_list("code", flat=True).first()
    if known:
        return known
    taken = set(Commune.objects.filter(code__startswith=SANDBOX_PREFIX).values_list("code", flat=True))
    free = next((code for number in range(MOST) if (code := f"{SANDBOX_PREFIX}{number:03d}") not in taken), None)
    if free is None:
        raise NoSandbox("il n’y a plus de place pour un bac à sable", where=real.code, remedy="retirez-en un autre")
    add_commune(
        code=free, name=f"{real.name} (bac à sable)", at=at, bbox=real.bbox, centre=real.centre,
        timezone=real.timezone, fictional=True,
    )  # fmt: skip
    Commune.objects.filter(code=free).update(sandbox_of=real.code)
    return free


def models_by_territory() -> list[type[Model]]:
    """Return what rooms write down in a territory, but for this room and the journal.

    What has the code for its key (the number of a revision) says something of the territory itself, and stays.
    """
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label not in _NOT_DONE_THERE
        and any(
            field.name == "territory" and not field.is_relation and not field.primary_key
            for field in model._meta.concrete_fields
        )
    ]


def _forget(rows: QuerySet[Model]) -> None:
    """Delete rows and, before them, whatever protects them: a sandbox holds nothing that must be kept."""
    while True:
        try:
            rows.delete()
        except ProtectedError as held:
            by_model: dict[type[Model], list[object]] = {}
            for one in held.protected_objects:
                by_model.setdefault(type(one), []).append(one.pk)
            for model, keys in by_model.items():
                _forget(model._default_manager.filter(pk__in=keys))
        else:
            return


def _begin_again(real: str, code: str, at: datetime) -> None:
    """Give the sandbox the services of the commune, and nobody of its own: its staff come with their rights."""
    for model in (ApiKey, RoleGrant, Zone, ServiceUnit):
        model._default_manager.filter(territory=code).delete()
    for service in services(real):
        add_service(territory=code, slug=service.slug, name=service.name, at=at)
