"""What use cases there are, in what state a commune keeps them, how much they are used."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Sum
from django.urls import NoReverseMatch, reverse

from beffroi.base.catalogue import engine
from beffroi.base.catalogue.definition import OPEN_STATES, Audience, BrokenUseCase, Catalogue, State, Theme, UseCase
from beffroi.base.catalogue.loader import load_catalogue, stamp
from beffroi.base.catalogue.models import Remark, UseCaseState, UseCaseUsage
from beffroi.base.catalogue.models import Span as Span
from beffroi.base.catalogue.presence import SpanCount as SpanCount
from beffroi.base.catalogue.presence import presence as presence
from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.registry.statements import Question
from beffroi.base.territory.viewer import Role, Viewer

STAFF = (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class UseCaseView:
    """A use case as one territory keeps it; `url` is where it is used, None when it is not open to people."""

    use_case: UseCase
    state: State
    url: str | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether residents find it (pilot or live)."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class Decision:
    """One change of state: who (person number, None for the installation), when, why."""

    number: int
    state: State
    since: datetime
    by: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class DayUsage:
    """Uses of one day, by class of public."""

    day: date
    by_audience: Mapping[Audience, int]

    @property
    def total(self) -> int:
        """Return the uses of the day, all publics together."""
        return sum(self.by_audience.values())


@dataclass(frozen=True, slots=True)
class OwnRemark:
    """A remark as its author reads it again."""

    use_case: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RemarkInfo:
    """A remark on a pilot; `person` is a number, None for someone who was not signed in."""

    id: int
    text: str
    created_at: datetime
    person: int | None


# --- The catalogue ---------------------------------------------------------------------------------------------------

_lock = threading.Lock()
_kept: tuple[tuple[int, int], Catalogue] | None = None


def folders() -> list[tuple[Path, bool]]:
    """Return where use cases are read: what ships with Beffroi, then the town's own folder."""
    return [(shipped_folder("usecases"), False), (settings.DATA_DIR / "usecases", True)]


def catalogue() -> Catalogue:
    """Return every use case, read once per process; read again when a file changes if BEFFROI_DEBUG is on."""
    global _kept
    key = (engine.generation(), stamp(folders()) if settings.DEBUG else 0)
    kept = _kept
    if kept is not None and kept[0] == key:
        return kept[1]
    with _lock:
        if _kept is None or _kept[0] != key:
            _kept = (key, load_catalogue(folders()))
        return _kept[1]


def forget_catalogue() -> None:
    """Have the files read again at the next question, as after a file was added."""
    global _kept
    with _lock:
        _kept = None


def problems() -> tuple[BrokenUseCase, ...]:
    """Return why each file that was left out was."""
    return catalogue().problems


def themes() -> list[Theme]:
    """Return the themes residents browse by, in the order of the workshops."""
    return sorted(catalogue().themes.values(), key=lambda theme: (theme.workshop, theme.slug))


# --- States ----------------------------------------------------------------------------------------------------------


def use_cases(
    *,
    territory: str = "",
    audience: Audience | None = None,
    workshop: int | None = None,
    theme: str | None = None,
    engine_name: str | None = None,
    states: Iterable[State] | None = None,
) -> list[UseCaseView]:
    """Return the use cases of a territory that meet every criterion given; one query."""
    wanted = None if states is None else frozenset(states)
    decided = _decided(territory)
    views = (_view(one, decided.get(one.id, one.state)) for one in catalogue().use_cases.values())
    return [
        view
        for view in views
        if (audience is None or audience in view.use_case.audience)
        and (workshop is None or view.use_case.workshop == workshop)
        and (theme is None or theme in view.use_case.themes)
        and (engine_name is None or engine_name in view.use_case.engines)
        and (wanted is None or view.state in wanted)
    ]


def lacking(one: UseCase, territory: str) -> tuple[str, ...]:
    """Return the data any of which would give an open use case something to show there; empty when it has some.

    Whoever may read them: what is reserved is not lacking. Nothing is kept: it comes on when the data comes.
    """
    known = engine.engine(one.engine)
    if known is None or known.lacking is None or not territory:
        return ()
    others = (engine.engine(name) for name in one.also)
    if any(other is not None and other.filled_by_people for other in others):
        return ()
    return known.lacking(one, territory)


def with_data(views: Iterable[UseCaseView], territory: str) -> list[UseCaseView]:
    """Return the use cases that have something to show in a territory: those a resident is led to."""
    return [one for one in views if not lacking(one.use_case, territory)]


def use_case(use_case_id: str, *, territory: str = "") -> UseCaseView:
    """Return one use case as a territory keeps it.

    Raises:
        UseCaseNotFound: no valid file has this id.
    """
    found = catalogue().use_case(use_case_id)
    return _view(found, state_of(use_case_id, territory))


def state_of(use_case_id: str, territory: str) -> State:
    """Return the state of a use case in a territory: its last decision, else the file's own.

    A use case whose engine is not installed, or not set, is in draft whatever was decided before.

    Raises:
        UseCaseNotFound: no valid file has this id.
    """
    found = catalogue().use_case(use_case_id)
    last = UseCaseState.objects.filter(territory=territory, use_case=use_case_id).order_by("-number").first()
    return _effective(found, State(last.state) if last else found.state)


def decisions(use_case_id: str, territory: str) -> list[Decision]:
    """Return the decisions taken on a use case, the last first."""
    rows = UseCaseState.objects.filter(territory=territory, use_case=use_case_id).order_by("-number")
    return [Decision(row.number, State(row.state), row.since, row.by_id, row.reason) for row in rows]


def states_stamp() -> int:
    """Return a number that changes with every decision of any territory; one cheap query, for caches."""
    last = _LAST_DECISION.first()
    return 0 if last is None else int(last[0])


_LAST_DECISION = Question(lambda: UseCaseState.objects.order_by("-pk").values_list("pk"))


def _decided(territory: str) -> dict[str, State]:
    rows = UseCaseState.objects.filter(territory=territory).order_by("number").values_list("use_case", "state")
    # The last number of each use case wins.
    return {use_case_id: State(state) for use_case_id, state in rows}


def _effective(one: UseCase, decided: State) -> State:
    known = engine.engine(one.engine)
    return decided if known is not None and known.registered and not one.unset else State.DRAFT


def _view(one: UseCase, decided: State) -> UseCaseView:
    state = _effective(one, decided)
    return UseCaseView(one, state, address_of(one) if state in OPEN_STATES else None)


def address_of(one: UseCase) -> str:
    """Return where the use case is used: its engine's own page, else its public page ``/services/<id>/``."""
    known = engine.engine(one.engine)
    if known is not None and known.url_name:
        name = known.url_name if isinstance(known.url_name, str) else known.url_name(one)
        for arguments in ({"use_case": one.id}, {}):
            try:
                return reverse(name, kwargs=arguments)
            except NoReverseMatch:
                continue
    return f"/services/{one.id}/"


# --- Usage -----------------------------------------------------------------------------------------------------------


def audience_of(viewer: Viewer, territory: str) -> Audience:
    """Return the class of public a viewer counts in; nothing else about her is kept."""
    if viewer.has(Role.ELECTED, territory):
        return Audience.ELECTED
    if viewer.has(Role.AGENT, territory) or viewer.has(Role.ADMINISTRATOR, territory):
        return Audience.AGENT
    return Audience.RESIDENT


def usage(use_case_id: str, *, territory: str, first: date, last: date) -> list[DayUsage]:
    """Return the uses of each day from `first` to `last` included, days without use too."""
    rows = UseCaseUsage.objects.filter(
        territory=territory, use_case=use_case_id, day__gte=first, day__lte=last
    ).values_list("day", "audience", "count")
    counted: dict[date, dict[Audience, int]] = {}
    for day, audience, count in rows:
        counted.setdefault(day, {})[Audience(audience)] = count
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return [DayUsage(day, counted.get(day, {})) for day in days]


def usage_by_day(territory: str, *, first: date, last: date) -> dict[date, int]:
    """Return the uses of all use cases together on each day from `first` to `last`, days without use left out."""
    rows = (
        UseCaseUsage.objects.filter(territory=territory, day__gte=first, day__lte=last)
        .order_by("day")
        .values_list("day")
        .annotate(total=Sum("count"))
    )
    return {day: int(total) for day, total in rows}


def usage_totals(territory: str, *, since: date) -> dict[str, int]:
    """Return the uses of each use case since a day, those nobody used left out."""
    rows = (
        UseCaseUsage.objects.filter(territory=territory, day__gte=since)
        .order_by()
        .values_list("use_case")
        .annotate(total=Sum("count"))
    )
    return {use_case_id: int(total) for use_case_id, total in rows}


# --- Remarks ---------------------------------------------------------------------------------------------------------


def remarks(viewer: Viewer, use_case_id: str, territory: str, *, limit: int = 200) -> list[RemarkInfo]:
    """Return the remarks on a pilot, the last first, to those who run it.

    Raises:
        Refused: the viewer is neither agent, elected nor administrator there.
    """
    require_staff(viewer, territory)
    rows = Remark.objects.filter(territory=territory, use_case=use_case_id)[:limit]
    return [RemarkInfo(row.pk, row.text, row.created_at, row.person_id) for row in rows]


def own_remarks(viewer: Viewer, *, limit: int = 100) -> list[OwnRemark]:
    """Return the remarks this person left while signed in, in any territory, the last first."""
    if viewer.person_id is None:
        return []
    rows = Remark.objects.filter(person=viewer.person_id).order_by("-created_at", "-pk")[:limit]
    return [OwnRemark(row.use_case, row.text, row.created_at) for row in rows]


def remark_counts(territory: str) -> dict[str, int]:
    """Return how many remarks each use case received."""
    rows = Remark.objects.filter(territory=territory).order_by().values_list("use_case").annotate(total=Count("pk"))
    return {use_case_id: int(total) for use_case_id, total in rows}


def require_staff(viewer: Viewer, territory: str) -> None:
    """Let agents, elected officials and administrators of `territory` pass.

    Raises:
        Refused: anyone else, API keys included.
    """
    if viewer.scopes is None and any(viewer.has(role, territory) for role in STAFF):
        return
    raise Refused(
        "le suivi des services est réservé aux agents et aux élus de la commune",
        where=territory,
        remedy="connectez-vous avec votre compte d’agent",
    )
