"""Who sees which request, and how much of it: cut in the query, then in what is handed out."""

from __future__ import annotations

from django.db.models import Q

from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import AGENTS, SERVICE_PREFIX, Viewer
from beffroi.serve.cases.definition import Access, Outcome, Sight, Status, case_not_found
from beffroi.serve.cases.models import Case, Party
from beffroi.serve.cases.numbers import case_id_of, party_of

# Neither what waits for a look nor what was found abusive is anybody's business but the service's.
_ASIDE = Q(status=Status.HELD) | Q(outcome=Outcome.ABUSE)


def services_of(viewer: Viewer, territory: str) -> frozenset[str]:
    """Return the slugs of the services of `territory` in which the viewer works."""
    classes = viewer.clearances(territory)
    return frozenset(name.removeprefix(SERVICE_PREFIX) for name in classes if name.startswith(SERVICE_PREFIX))


def readable(viewer: Viewer, territory: str, *, prefix: str = "") -> Q:
    """Return the condition that keeps the requests of `territory` the viewer may know of, her own left aside.

    `prefix` leads to the case from the model that is filtered: ``"case__"``.
    """
    found = Q(access=Access.PUBLIC) & ~_ASIDE
    if AGENTS in viewer.clearances(territory):
        found |= Q(access=Access.AGENTS) & ~_ASIDE
    if services := services_of(viewer, territory):
        found |= Q(service__in=services)
    return _prefixed(Q(territory=territory) & found, prefix)


def public(territory: str, *, prefix: str = "") -> Q:
    """Return the condition that keeps what everybody may know of."""
    return _prefixed(Q(territory=territory, access=Access.PUBLIC) & ~_ASIDE, prefix)


def _prefixed(condition: Q, prefix: str) -> Q:
    """Return the condition with `prefix` before the name of every field it reads."""
    if not prefix:
        return condition
    moved = Q(_connector=condition.connector, _negated=condition.negated)
    for child in condition.children:
        if isinstance(child, Q):
            moved.children.append(_prefixed(child, prefix))
        elif isinstance(child, tuple):
            moved.children.append((prefix + child[0], child[1]))
    return moved


def sight_of(viewer: Viewer, case: Case, *, party: Party | None = None) -> Sight:
    """Return how much of a case the viewer sees; `party` is hers when she has one."""
    if case.service in services_of(viewer, case.territory):
        return Sight.WORKER
    if party is not None:
        return Sight.PARTY
    if case.status == Status.HELD or case.outcome == Outcome.ABUSE or case.access == Access.SERVICE:
        return Sight.NOTHING
    if AGENTS in viewer.clearances(case.territory):
        return Sight.AGENT
    return Sight.PUBLIC if case.access == Access.PUBLIC else Sight.NOTHING


def party_in(viewer: Viewer, case: Case, token: str = "") -> Party | None:
    """Return the viewer's own place in a case: by her account, or by the token of that case."""
    if token:
        return Party.objects.filter(pk=party_of(token), case=case).first()
    if viewer.person_id is None:
        return None
    return Party.objects.filter(case=case, person=viewer.person_id).order_by("pk").first()


def seen_case(viewer: Viewer, number: str, *, token: str = "", lock: bool = False) -> tuple[Case, Sight, Party | None]:
    """Return a case with how much of it the viewer sees, and her own place in it.

    Raises:
        CaseNotFound: there is none, or she may not know.
    """
    rows = Case.objects.select_for_update(of=("self",)) if lock else Case.objects
    case = rows.filter(pk=case_id_of(number)).first()
    if case is None:
        raise case_not_found()
    party = party_in(viewer, case, token)
    sight = sight_of(viewer, case, party=party)
    if sight is Sight.NOTHING:
        raise case_not_found()
    return case, sight, party


def worked_case(viewer: Viewer | None, number: str) -> Case:
    """Return a case, locked, to one who works in its service; None is the house itself.

    Raises:
        CaseNotFound: the viewer may not know of it.
        Refused: she may know of it, and is not of its service.
    """
    if viewer is None:
        case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id_of(number)).first()
        if case is None:
            raise case_not_found()
        return case
    case, sight, _ = seen_case(viewer, number, lock=True)
    if sight is not Sight.WORKER:
        raise Refused(
            "cette demande est suivie par le service « {service} », dont vous n’êtes pas",
            where=number,
            remedy="demandez à ce service, ou à un administrateur de vous y rattacher",
            service=case.service,
        )
    return case
