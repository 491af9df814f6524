"""Change the state of a use case, count its uses, take remarks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from beffroi.base.catalogue import counting, events, presence, queries
from beffroi.base.catalogue.definition import Audience, State, UseCase
from beffroi.base.catalogue.engine import engine
from beffroi.base.catalogue.models import DevicePresence, Remark, Span, UseCaseState, UseCaseUsage
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.kernel.time import PARIS
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import Role, Viewer

MAX_REMARK = 2000
MAX_REASON = 500
WRITE_SCOPE = "catalogue:write"

FORWARD: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.PILOT}),
    State.PILOT: frozenset({State.LIVE}),
    State.LIVE: frozenset(),
    State.RETIRED: frozenset(),
}
"""Changes that need no reason."""

WITH_REASON: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset(),
    State.PILOT: frozenset({State.DRAFT, State.RETIRED}),
    State.LIVE: frozenset({State.PILOT, State.RETIRED}),
    State.RETIRED: frozenset({State.PILOT, State.LIVE}),
}
"""Changes back, and retirement: those who relied on it are owed a reason."""


class StateRefused(BeffroiError):
    """The use case cannot go to this state: the path, the reason or the engine is missing."""

    http_status = 409


class BadRemark(BeffroiError):
    """The remark is empty or too long, or the use case takes none."""


def transitions(state: State) -> list[tuple[State, bool]]:
    """Return the states reachable from `state`, each with whether a reason is required."""
    return [(to, to in WITH_REASON[state]) for to in State if to in FORWARD[state] | WITH_REASON[state]]


def set_state(
    use_case_id: str, state: State, *, territory: str, by: Viewer | None, at: datetime, reason: str = ""
) -> int:
    """Take a use case of a territory to another state and return the decision's number; nothing is lost.

    `by` is None for the installation itself (command line, demonstration). Asking for the present state changes
    nothing and returns 0.

    Raises:
        UseCaseNotFound: no such use case.
        Refused: `by` does not administer the territory.
        StateRefused: no path leads there, the reason is missing, the engine is not installed, or someone has just
            decided otherwise.
    """
    actor = _actor(by, territory)
    one = queries.catalogue().use_case(use_case_id)
    present = queries.state_of(use_case_id, territory)
    if present is state:
        return 0
    _check_path(one, present, state, reason.strip())
    return _decide(one, present, state, territory=territory, actor=actor, at=at, reason=reason.strip())


def undo_state(use_case_id: str, *, number: int, territory: str, by: Viewer | None, at: datetime) -> int:
    """Take back decision `number`, if it still is the last one, and return the new decision's number.

    Raises:
        Refused: `by` does not administer the territory.
        StateRefused: another decision was taken since, or there is nothing to take back.
    """
    actor = _actor(by, territory)
    one = queries.catalogue().use_case(use_case_id)
    taken = queries.decisions(use_case_id, territory)
    if not taken or taken[0].number != number:
        raise StateRefused(
            "cette décision n’est plus la dernière : elle ne peut pas être annulée",
            where=use_case_id,
            remedy="rechargez la page et changez l’état vous-même",
        )
    before = taken[1].state if len(taken) > 1 else one.state
    if before is taken[0].state:
        raise StateRefused("il n’y a rien à annuler", where=use_case_id, remedy="rechargez la page")
    return _decide(
        one,
        taken[0].state,
        before,
        territory=territory,
        actor=actor,
        at=at,
        reason="Annulation de la décision précédente",
    )


def _actor(by: Viewer | None, territory: str) -> int | None:
    if by is None:
        return None
    by_key = by.scopes is not None and WRITE_SCOPE in by.scopes and by.has(Role.AGENT, territory)
    if by_key or (by.scopes is None and by.has(Role.ADMINISTRATOR, territory)):
        return by.person_id
    raise Refused(
        "changer l’état d’un service est réservé aux administrateurs de la commune",
        where=territory,
        remedy="demandez à un administrateur",
    )


def _check_path(one: UseCase, present: State, wanted: State, reason: str) -> None:
    known = engine(one.engine)
    if known is None or not known.registered:
        raise StateRefused(
            "le moteur « {engine} » n’est pas encore installé : ce service reste en préparation",
            where=one.id,
            remedy="mettez Beffroi à jour quand ce moteur paraîtra",
            engine=one.engine,
        )
    if one.unset:
        raise StateRefused(
            "le fichier de ce service ne règle pas encore son moteur (table [{table}])",
            where=one.source,
            remedy="complétez-le, ou posez une copie complétée dans le dossier usecases de votre installation",
            table=one.unset[0],
        )
    if wanted not in FORWARD[present] | WITH_REASON[present]:
        raise StateRefused(
            "on ne passe pas de « {present} » à « {wanted} »",
            where=one.id,
            remedy="états possibles : {allowed}",
            present=present.value,
            wanted=wanted.value,
            allowed=", ".join(to.value for to, _ in transitions(present)),
        )
    if wanted in WITH_REASON[present] and not reason:
        raise StateRefused(
            "il manque le motif", where=one.id, remedy="dites en une phrase pourquoi : ceux qui s’en servent le liront"
        )
    if len(reason) > MAX_REASON:
        raise StateRefused("motif de plus de {limit} caractères", where=one.id, remedy="abrégez-le", limit=MAX_REASON)


def _decide(
    one: UseCase, present: State, wanted: State, *, territory: str, actor: int | None, at: datetime, reason: str
) -> int:
    last = UseCaseState.objects.filter(territory=territory, use_case=one.id).order_by("-number").first()
    number = last.number + 1 if last else 1
    try:
        with transaction.atomic():
            UseCaseState.objects.create(
                territory=territory,
                use_case=one.id,
                number=number,
                state=wanted.value,
                since=at,
                by_id=actor,
                reason=reason,
            )
            record(
                kind=events.STATE_CHANGED,
                subject=events.subject_of(one.id, territory),
                payload={"use_case": one.id, "from": present.value, "to": wanted.value, "reason": reason},
                actor=actor,
                territory=territory,
                at=at,
            )
    except IntegrityError as error:
        raise StateRefused(
            "quelqu’un vient de changer l’état de ce service", where=one.id, remedy="rechargez la page et regardez"
        ) from error
    return number


def count_use(
    use_case_id: str, territory: str, at: datetime, *, audience: Audience = Audience.RESIDENT, count: int = 1
) -> None:
    """Count a use, on the day it is in Paris; kept in memory and written after the page is sent (see `counting`).

    An unknown id is not counted: addresses come from outside.
    """
    if use_case_id in queries.catalogue().use_cases:
        counting.hold((territory, use_case_id, at.astimezone(PARIS).date(), audience.value), count)


def count_device(
    territory: str,
    spans: Iterable[Span],
    at: datetime,
    *,
    audience: Audience = Audience.RESIDENT,
    installed: bool = False,
) -> None:
    """Count a device that says that it opens the portal for the first time in these spans (see `presence`)."""
    for key in presence.keys_of(territory, set(spans), at, audience, installed=installed):
        counting.hold_device(key)


def flush_usage() -> int:
    """Write the counts held by this process now and return how many uses that was."""
    counting.DEVICES.flush()
    return counting.BUFFER.flush()


def forget_sandbox(territory: str) -> None:
    """Take the use cases of a sandbox back to their files: decisions, counts and remarks go.

    Raises:
        Refused: the territory is a real one, where decisions are never unmade.
    """
    if not is_sandbox(territory):
        raise Refused("« {code} » n’est pas un bac à sable", where="catalogue", code=territory)
    for model in (UseCaseState, UseCaseUsage, DevicePresence, Remark):
        model._default_manager.filter(territory=territory).delete()


def add_remark(use_case_id: str, *, territory: str, text: str, person: int | None, at: datetime) -> int:
    """Keep a remark on a use case in pilot and return its number.

    Raises:
        UseCaseNotFound: no such use case.
        BadRemark: empty, over 2,000 characters, or the use case is not in pilot.
    """
    text = text.replace("\x00", "").strip()
    if queries.state_of(use_case_id, territory) is not State.PILOT:
        raise BadRemark(
            "ce service n’est pas en pilote : il ne recueille pas de remarques",
            where=use_case_id,
            remedy="écrivez à la mairie",
        )
    if not text or len(text) > MAX_REMARK:
        raise BadRemark(
            "une remarque compte de 1 à {limit} caractères (la vôtre : {length})",
            where="text",
            remedy="complétez-la ou abrégez-la",
            limit=MAX_REMARK,
            length=len(text),
        )
    with transaction.atomic():
        remark = Remark.objects.create(
            use_case=use_case_id, territory=territory, text=text, person_id=person, created_at=at
        )
        record(
            kind=events.REMARK_ADDED,
            subject=events.subject_of(use_case_id, territory),
            payload={"use_case": use_case_id, "remark": remark.pk},
            actor=person,
            territory=territory,
            at=at,
        )
    return int(remark.pk)
