"""Keep a lighting scenario, change it, withdraw it: agents write, officials read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.sense.twin.events import LIGHTING_KEPT, LIGHTING_WITHDRAWN
from beffroi.sense.twin.lighting.actions import MOST_ACTIONS, Action, BadAction, read_action
from beffroi.sense.twin.lighting.queries import LightingRefused, ScenarioNotFound
from beffroi.sense.twin.models import LightingScenario

DEAREST_EUR = Decimal(2)


def require_agent(viewer: Viewer, territory: str) -> None:
    """Let agents and administrators of a territory through.

    Raises:
        LightingRefused: anybody else.
    """
    if not any(viewer.has(role, territory) for role in (Role.AGENT, Role.ADMINISTRATOR)):
        raise LightingRefused("un scénario d’éclairage est écrit par un agent de la commune",
                              remedy="demandez-le à un agent")  # fmt: skip


@transaction.atomic
def keep_scenario(
    viewer: Viewer, territory: str, *, title: str, price_eur: Decimal, price_source: str, at: datetime,
    number: int | None = None,
) -> int:  # fmt: skip
    """Keep a new scenario, or the title and the price of one; return its number.

    Raises:
        LightingRefused: the viewer is neither agent nor administrator there.
        BadAction: no title, or a price that cannot be.
        ScenarioNotFound: `number` is unknown here.
    """
    require_agent(viewer, territory)
    if not title.strip():
        raise BadAction(gettext_noop("donnez un nom au scénario"), where="title")
    if not 0 < price_eur <= DEAREST_EUR:
        raise BadAction(
            gettext_noop("ce prix du kilowattheure n’est pas possible"), where="price_eur",
            remedy=gettext_noop("donnez des euros par kilowattheure, par exemple 0,22"),
        )  # fmt: skip
    told = {"title": title.strip()[:120], "price_eur_kwh": price_eur, "price_source": price_source.strip()[:200]}
    if number is None:
        row = LightingScenario.objects.create(
            territory=territory, author_id=viewer.person_id, actions=[], created_at=at, changed_at=at, **told
        )
    else:
        row = _locked(territory, number)
        for name, value in told.items():
            setattr(row, name, value)
        row.changed_at = at
        row.save()
    _record(LIGHTING_KEPT, viewer, row, at)
    return row.pk


@transaction.atomic
def add_action(viewer: Viewer, territory: str, number: int, action: Action, *, at: datetime) -> None:
    """Add an act to a scenario, after the others.

    Raises:
        LightingRefused, ScenarioNotFound: see `keep_scenario`.
        BadAction: it cannot be done, or the scenario holds too many.
    """
    require_agent(viewer, territory)
    row = _locked(territory, number)
    if len(row.actions) >= MOST_ACTIONS:
        raise BadAction(gettext_noop("un scénario tient {most} actions au plus"), where="kind", most=MOST_ACTIONS)
    _change(viewer, row, [*row.actions, read_action(action.written()).written()], at)


@transaction.atomic
def remove_action(viewer: Viewer, territory: str, number: int, rank: int, *, at: datetime) -> None:
    """Take an act out of a scenario, by its rank.

    Raises:
        LightingRefused, ScenarioNotFound: see `keep_scenario`; no act has this rank.
    """
    require_agent(viewer, territory)
    row = _locked(territory, number)
    if not 0 <= rank < len(row.actions):
        raise ScenarioNotFound("cette action n’est plus dans le scénario", where=str(rank), remedy="relisez la page")
    _change(viewer, row, [one for place, one in enumerate(row.actions) if place != rank], at)


@transaction.atomic
def withdraw_scenario(viewer: Viewer, territory: str, number: int, *, at: datetime) -> None:
    """Withdraw a scenario: it is kept, and no longer shown.

    Raises:
        LightingRefused, ScenarioNotFound: see `keep_scenario`.
    """
    require_agent(viewer, territory)
    row = _locked(territory, number)
    row.withdrawn_at = at
    row.save(update_fields=["withdrawn_at"])
    _record(LIGHTING_WITHDRAWN, viewer, row, at)


def _locked(territory: str, number: int) -> LightingScenario:
    row = LightingScenario.objects.select_for_update().filter(territory=territory, pk=number, withdrawn_at=None).first()
    if row is None:
        raise ScenarioNotFound("scénario d’éclairage introuvable", where=str(number),
                               remedy="il a peut-être été retiré")  # fmt: skip
    return row


def _change(viewer: Viewer, row: LightingScenario, actions: Sequence[object], at: datetime) -> None:
    row.actions, row.changed_at = list(actions), at
    row.save(update_fields=["actions", "changed_at"])
    _record(LIGHTING_KEPT, viewer, row, at)


def _record(kind: str, viewer: Viewer, row: LightingScenario, at: datetime) -> None:
    record(
        kind=kind, subject=f"lighting:{row.territory}/{row.pk}", payload={"number": row.pk, "acts": len(row.actions)},
        actor=viewer.person_id, territory=row.territory, at=at,
    )  # fmt: skip
