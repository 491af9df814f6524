"""Who made, filed or follows a request; asked through `queries`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import Sight
from beffroi.serve.cases.models import Case, Party
from beffroi.serve.cases.numbers import number_of, party_of, token_of
from beffroi.serve.cases.rights import seen_case


@dataclass(frozen=True, slots=True)
class PartyInfo:
    """One who made or follows a request. Contacts are for the service; `filed_by` is a person's number."""

    id: int
    person: int | None
    made_it: bool
    name: str
    email: str
    phone: str
    language: str
    told: bool
    mandate: str
    mandate_reference: str
    filed_by: int | None
    since: datetime
    number: str = ""
    token: str = field(default="", repr=False)


def parties(viewer: Viewer, number: str) -> list[PartyInfo]:
    """Return who made and follows a request and those joined to it, with contacts, to its service.

    Anyone else gets an empty list. Mandates are told with who filed.
    """
    row, sight, _ = seen_case(viewer, number)
    if sight is not Sight.WORKER:
        return []
    rows = Party.objects.filter(Q(case=row) | Q(case__lead=row)).order_by("pk")
    return [party_info(one) for one in rows]


def party_count(number_or_id: int) -> int:
    """Return how many made or follow a request, those of the joined ones included."""
    return Party.objects.filter(Q(case=number_or_id) | Q(case__lead=number_or_id)).count()


def party_counts(case_ids: Iterable[int]) -> dict[int, int]:
    """Return how many made or follow each request, those of the joined ones included; two queries."""
    keys = list(case_ids)
    if not keys:
        return {}
    # Two plain look-ups: asked in one question, with an OR, the database reads every request.
    leads = {key: key for key in keys}
    # In the order of the index: by key alone, SQLite would read every request there is.
    leads |= dict(Case.objects.filter(lead__in=keys).order_by("lead", "pk").values_list("pk", "lead_id"))
    counted = Party.objects.filter(case__in=leads).order_by().values_list("case_id").annotate(Count("pk"))
    found: dict[int, int] = {}
    for case_id, count in counted:
        found[leads[case_id]] = found.get(leads[case_id], 0) + count
    return found


def is_maker(viewer: Viewer, case_id: int, *, token: str = "") -> bool:
    """Tell whether the viewer, by her account or her token, made this request."""
    rows = Party.objects.filter(case=case_id, made_it=True)
    if token:
        return rows.filter(pk=party_of(token)).exists()
    return viewer.person_id is not None and rows.filter(person=viewer.person_id).exists()


def told_parties(case_id: int) -> list[PartyInfo]:
    """Return those to tell of what happens to a request: hers and its joined ones', each with her token and number.

    For the rooms that send messages; never shown.
    """
    rows = Party.objects.filter(Q(case=case_id) | Q(case__lead=case_id), told=True).order_by("pk")
    return [party_info(one) for one in rows]


def made_by(person_id: int, *, alone: bool = False) -> list[int]:
    """Return the keys of the requests a person made; with `alone`, only those that nobody else made too."""
    made = Party.objects.filter(person=person_id, made_it=True).values("case")
    rows = Case.objects.filter(pk__in=made)
    if alone:
        others = Party.objects.filter(case=OuterRef("pk"), made_it=True)
        rows = rows.exclude(Exists(others.filter(Q(person=None) | ~Q(person=person_id))))
    return list(rows.order_by("pk").values_list("pk", flat=True))


def makers_of(case_id: int) -> list[int]:
    """Return the numbers of the people who made a request, those without an account left out."""
    made = Party.objects.filter(case=case_id, made_it=True).exclude(person=None).order_by("pk")
    return list(made.values_list("person_id", flat=True))


def party_info(row: Party) -> PartyInfo:
    """Return what is told of a place in a request."""
    return PartyInfo(
        id=int(row.pk),
        person=row.person_id,
        made_it=row.made_it,
        name=row.name,
        email=row.email,
        phone=row.phone,
        language=row.language,
        told=row.told,
        mandate=row.mandate,
        mandate_reference=row.mandate_reference,
        filed_by=row.filed_by_id,
        since=row.since,
        number=number_of(row.case_id),
        token=token_of(int(row.pk)),
    )
