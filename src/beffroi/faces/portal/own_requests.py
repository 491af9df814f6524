"""My requests: everything a person has asked of the town, on one page, kind by kind.

Whatever is made a request of (`serve/cases`) comes here by itself. A room gives its kind a name, and its requests a
title and a page, in a module that the addresses of the portal import; the page is left as it is:

    @request_kind("procedure", title=gettext_lazy("Mes démarches"), rank=5, new=("portal:procedures", …))
    def told_procedures(mine: Sequence[OwnCase]) -> Mapping[int, Told]:
        known = queries.headings(one.case for one in mine)
        return {one.case.id: Told(known[one.case.id], reverse("portal:procedure", args=[…])) for one in mine}

What is no request (a remark, a subscription) adds a section of lines instead: `request_section`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.faces.shell.access import SIGNED_IN, Request, open_to
from beffroi.faces.shell.requests import last_moment, state_kind, state_of
from beffroi.faces.shell.sheets import sheet_response
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import Sight, Status
from beffroi.serve.cases.queries import CaseInfo, PartyInfo

WORDS = 14
MOST_SHOWN, MOST_EXPORTED = 200, 5000
STATES = (("", gettext_lazy("Toutes")), ("open", gettext_lazy("En cours")), ("closed", gettext_lazy("Closes")))
HEADS = (
    "genre", "numero", "objet", "lieu", "deposee_le", "etat", "attendu_de_vous", "echeance", "close_le", "reponse",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request: what, its page, when it was made, where it stands (`kind` is that of `status.html`), a word more.

    `awaited` is what the person may or must do now, "" when nothing is.
    """

    title: str
    url: str
    at: datetime
    status: str
    kind: str = "wait"
    detail: str = ""
    awaited: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """The requests of one kind, and where a new one is made; without `new_url` none can be made here."""

    title: str
    lines: Sequence[RequestLine]
    new_url: str = ""
    new_label: str = ""


@dataclass(frozen=True, slots=True)
class OwnCase:
    """A request with the person's place in it; `for_other` when she filed it for somebody else."""

    case: CaseInfo
    party: PartyInfo
    for_other: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a request is about, the page where it is followed ("": none), and where or what it concerns.

    `state` and its `kind` (that of `status.html`) are the room's own words, "" for those of every request.
    """

    title: str
    url: str
    detail: str = ""
    state: str = ""
    kind: str = ""


Teller = Callable[[Sequence[OwnCase]], Mapping[int, Told]]


@dataclass(frozen=True, slots=True)
class RequestKind:
    """How the requests of one kind are told, and where a new one is made in the towns that offer it."""

    title: Any
    rank: int
    tell: Teller
    new: tuple[str, Any] | None = None
    is_offered: Callable[[Request], bool] = lambda _request: True


Source = Callable[[Request], Section]
_sources: dict[str, tuple[int, Source]] = {}
_kinds: dict[str, RequestKind] = {}


def request_kind(
    name: str,
    *,
    title: Any,
    rank: int,
    new: tuple[str, Any] | None = None,
    is_offered: Callable[[Request], bool] = lambda _request: True,
) -> Callable[[Teller], Teller]:
    """Register how the requests of one kind of case are told; the lowest `rank` is shown first.

    Args:
        name: the `kind` its room opens its cases under.
        new: the name of the address where one is made, and the words of its button.
        is_offered: whether the town of the page takes such requests; asked only when `new` is given.
    """

    def register(tell: Teller) -> Teller:
        _kinds[name] = RequestKind(title, rank, tell, new, is_offered)
        return tell

    return register


def request_section(name: str, *, rank: int) -> Callable[[Source], Source]:
    """Register a section of what is followed without being a request; the lowest `rank` is shown first."""

    def register(source: Source) -> Source:
        _sources[name] = (rank, source)
        return source

    return register


# --- Requests --------------------------------------------------------------------------------------------------------


def known_sections() -> list[str]:
    """Return the names of what joins the page, requests before the rest, each in the order it is shown."""
    kinds = sorted(_kinds, key=_rank)
    return [*kinds, *sorted(_sources, key=lambda name: _sources[name][0])]


def own_requests(request: Request, *, kind: str, standing: cases.Standing, most: int) -> dict[str, list[OwnCase]]:
    """Return the requests of this person kind by kind, in the order of their ranks; kinds nobody named come last."""
    person = request.viewer.person_id
    found: dict[int, OwnCase] = {}
    for case, party in cases.own_cases(request.viewer, kind=kind, standing=standing, limit=most):
        found.setdefault(case.id, OwnCase(case, party, party.person != person))
    ordered = sorted(found.values(), key=lambda one: (_rank(one.case.kind), one.case.kind))
    return {name: list(ones) for name, ones in groupby(ordered, key=lambda one: one.case.kind)}


def _rank(name: str) -> int:
    return _kinds[name].rank if name in _kinds else 1000


def _title(name: str) -> str:
    return str(_kinds[name].title) if name in _kinds else _("Autres demandes")


def _told(name: str, mine: Sequence[OwnCase]) -> Mapping[int, Told]:
    """Return how each is told; of a kind whose room has no page, its number and its state say what there is to say."""
    known = _kinds[name].tell(mine) if name in _kinds else {}
    return {one.case.id: known.get(one.case.id) or Told(one.case.category, "") for one in mine}


def _line(one: OwnCase, told: Told, at: datetime) -> RequestLine:
    case = one.case
    words = [case.number, told.detail]
    if one.for_other:
        words.append(_("pour {name}").format(name=one.party.name) if one.party.name else _("pour quelqu’un d’autre"))
    if case.is_open and case.due_at is not None:
        late = _("réponse attendue depuis le {day}") if case.is_late(at) else _("réponse d’ici le {day}")
        words.append(late.format(day=last_moment(case.due_at)))
    if case.is_open and case.planned_on is not None:
        words.append(_("prévu le {day}").format(day=date_format(case.planned_on, "j F Y")))
    return RequestLine(
        told.title,
        told.url,
        case.opened_at,
        told.state or state_of(case),
        told.kind or state_kind(case),
        " · ".join(word for word in words if word),
        _awaited(case, at),
    )


def _awaited(case: CaseInfo, at: datetime) -> str:
    """Return what the person may or must do now: answer, or open again while it is time."""
    if case.sight is not Sight.PARTY:
        return ""
    if case.status is Status.WAITING:
        return _("Le service vous a posé une question : répondez-lui.")
    if case.reopen_until is not None and case.may_reopen(at):
        day = date_format(timezone.localtime(case.reopen_until), "j F Y")
        return _("Si ce n’est pas réglé, vous pouvez rouvrir jusqu’au {day}.").format(day=day)
    return ""


# --- The page --------------------------------------------------------------------------------------------------------


class FilterForm(forms.Form):
    """What the page may be narrowed to."""

    etat = forms.ChoiceField(label=gettext_lazy("État"), choices=STATES, required=False)
    genre = forms.ChoiceField(label=gettext_lazy("Genre"), required=False)

    def __init__(self, *args: Any, kinds: Sequence[str], **kwargs: Any) -> None:
        kwargs["auto_id"] = "filtre_%s"
        super().__init__(*args, **kwargs)
        genre = cast(forms.ChoiceField, self.fields["genre"])
        genre.choices = [("", _("Tous")), *((name, _title(name)) for name in kinds)]
        if len(kinds) < 2:
            del self.fields["genre"]


@open_to(SIGNED_IN)
@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """Show everything this person has asked of the town, by kind, the last changed first; `?csv` gives it as a file."""
    request, at = cast(Request, request), timezone.now()
    everything = own_requests(request, kind="", standing="", most=MOST_EXPORTED if "csv" in request.GET else MOST_SHOWN)
    form = FilterForm(request.GET, kinds=tuple(everything))
    values = form.cleaned_data if form.is_valid() else {}
    kind, standing = values.get("genre", ""), values.get("etat", "")
    shown = everything
    if kind or standing:
        shown = own_requests(request, kind=kind, standing=standing, most=MOST_EXPORTED)
    if "csv" in request.GET:
        return _file(shown, at)
    sections = [_section(request, name, mine, at) for name, mine in shown.items()]
    if not (kind or standing):
        sections += _offers(request, shown) + _others(request)
    awaited = [line for section in sections for line in section.lines if line.awaited and line.kind == "warn"]
    context = {
        "form": form,
        "sections": sections,
        "awaited": awaited,
        "any": bool(everything),
        "nothing": not any(section.lines for section in sections),
        "narrowed": bool(kind or standing),
        "cut": sum(map(len, everything.values())) >= MOST_SHOWN,
        "most": MOST_SHOWN,
        "query": request.GET.urlencode(),
        "at": at,
    }
    response = render(request, "portal/own_requests.html", context, status=400 if form.errors else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


def _section(request: Request, name: str, mine: Sequence[OwnCase], at: datetime) -> Section:
    told = _told(name, mine)
    lines = [_line(one, told[one.case.id], at) for one in mine]
    known = _kinds.get(name)
    if known is None or known.new is None or not known.is_offered(request):
        return Section(_title(name), lines)
    return Section(_title(name), lines, reverse(known.new[0]), str(known.new[1]))


def _offers(request: Request, shown: Mapping[str, Sequence[OwnCase]]) -> list[Section]:
    """Return, for a person who asked nothing of a kind yet, where she would, in a town that takes such requests."""
    known = sorted(_kinds.items(), key=lambda item: item[1].rank)
    return [
        Section(str(one.title), (), reverse(one.new[0]), str(one.new[1]))
        for name, one in known
        if name not in shown and one.new is not None and one.is_offered(request)
    ]


def _others(request: Request) -> list[Section]:
    ordered = sorted(_sources.values(), key=lambda one: one[0])
    sections = [source(request) for _rank, source in ordered]
    return [section for section in sections if section.lines or section.new_url]


def _file(shown: Mapping[str, Sequence[OwnCase]], at: datetime) -> HttpResponse:
    rows = []
    for name, mine in shown.items():
        told = _told(name, mine)
        for one in mine:
            case, heading = one.case, told[one.case.id]
            rows.append((
                _title(name), case.number, heading.title, heading.detail, _day(case.opened_at),
                heading.state or state_of(case),
                _awaited(case, at), _day(case.due_at) if case.is_open else "", _day(case.closed_at), case.answer,
            ))  # fmt: skip
    return sheet_response(f"mes-demandes-{_day(at)}.csv", HEADS, rows)


def _day(at: datetime | None) -> str:
    return "" if at is None else timezone.localdate(at).isoformat()


# --- What is followed without being a request ------------------------------------------------------------------------


@request_section("remarks", rank=90)
def remarks(request: Request) -> Section:
    """Return the remarks this person left on services on trial."""
    known = catalogue.catalogue().use_cases
    lines = [
        RequestLine(
            Truncator(one.text).words(WORDS),
            reverse("portal:service", args=[one.use_case]),
            one.created_at,
            _("Enregistrée"),
            "done",
            known[one.use_case].title if one.use_case in known else one.use_case,
        )
        for one in catalogue.own_remarks(request.viewer)
    ]
    return Section(_("Mes remarques sur des services à l’essai"), lines)


urlpatterns = [path("mes-demandes/", requests, name="own-requests")]
