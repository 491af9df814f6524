"""The audit page: who did what and when, what could not be delivered, and whether a worker lives."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.journal import operations, queries
from beffroi.base.journal.events import RecordedEvent
from beffroi.base.journal.queries import EventFilter
from beffroi.base.kernel.numbers import row_key
from beffroi.base.kernel.time import now
from beffroi.base.territory import queries as territory
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.event_words import kind_said
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.paging import rows_asked
from beffroi.faces.shell.sheets import harmless

PRINTED = 1000


class FilterForm(forms.Form):
    """What to keep of the journal; everything is optional."""

    kind = forms.ChoiceField(label=gettext_lazy("Genre d’événement"), required=False)
    subject = forms.CharField(
        label=gettext_lazy("Objet"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Comme « dataset:34172/arbres »."),
    )
    person = forms.CharField(
        label=gettext_lazy("Personne"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("Son numéro ou son adresse électronique."),
    )
    since = forms.DateField(
        label=gettext_lazy("Depuis le"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=gettext_lazy("Jusqu’au"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, kinds: Iterable[str], **options: Any) -> None:
        super().__init__(*args, **options)
        # By their words: those of one subject stand together.
        choices = [("", _("Tous")), *sorted(((kind, kind_said(kind)) for kind in kinds), key=lambda one: one[1])]
        cast(forms.ChoiceField, self.fields["kind"]).choices = choices

    def clean_person(self) -> int | None:
        """Return the number of the person named."""
        text: str = self.cleaned_data["person"].strip()
        if not text:
            return None
        # Fifteen digits hold every number of a person; longer ones overflow the database's integers.
        if text.lstrip("-").isdecimal() and text.isascii() and len(text) <= 15:
            return int(text)
        found = territory.person_by_email(text)
        if found is None:
            raise forms.ValidationError(_("Personne n’a cette adresse. Vérifiez-la, ou donnez un numéro."))
        return found.id

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("La fin précède le début."))
        return cleaned

    def chosen(self) -> EventFilter:
        """Return the filter of a valid form; days are those of the town hall."""
        asked = self.cleaned_data
        since = _midnight(asked["since"]) if asked["since"] else None
        until = _midnight(asked["until"]) + timedelta(days=1) if asked["until"] else None
        return EventFilter(
            subject=asked["subject"], kind=asked["kind"], person=asked["person"], since=since, until=until
        )


def _midnight(day: date) -> datetime:
    # Beyond these no event exists, and instants near the ends of the calendar overflow when converted.
    within = min(max(day, date(1900, 1, 1)), date(2999, 12, 31))
    return datetime.combine(within, time(), timezone.get_current_timezone())


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event as the page shows it: `who` is a name when the reader may know it, else a number."""

    event: RecordedEvent
    said: str
    who: str
    for_whom: str
    details: list[tuple[str, str]]


@open_to(Role.ADMINISTRATOR)
@require_safe
def journal(request: HttpRequest) -> HttpResponse:
    """Show a page of the events the reader may audit, filtered, the newest first."""
    request = cast(Request, request)
    form = _form(request)
    chosen = form.chosen() if form.is_valid() else EventFilter()
    printed = request.GET.get("impression") == "1"
    limit = PRINTED if printed else rows_asked(request.GET)
    page = queries.events(request.viewer, chosen, before=_cursor(request), limit=limit)
    context = {
        "form": form,
        "lines": _lines(request, page.events),
        "next": _address(request, avant=page.before) if page.before else "",
        "first": _address(request, avant=None) if _cursor(request) else "",
        "export": _address(request, route="backoffice:journal-export", avant=None),
        "print": _address(request, avant=None, impression=1),
        "printed": printed,
        "made_at": now(),
        "waiting": queries.waiting_deliveries(request.viewer),
        "health": queries.worker_health(at=now()),
    }
    return render(request, "backoffice/journal/journal.html", context, status=200 if form.is_valid() else 400)


@open_to(Role.ADMINISTRATOR)
@require_safe
def journal_export(request: HttpRequest) -> HttpResponseBase:
    """Stream the events chosen as CSV: UTF-8 with BOM and semicolons, as spreadsheets expect in French."""
    request = cast(Request, request)
    form = _form(request)
    if not form.is_valid():
        return journal(request)
    events = queries.all_events(request.viewer, form.chosen())
    response = StreamingHttpResponse(_csv(events), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="journal.csv"'
    return response


@open_to(Role.ADMINISTRATOR)
@require_POST
def retry(request: HttpRequest, delivery: int) -> HttpResponse:
    """Try a delivery again at once."""
    request = cast(Request, request)
    number = queries.delivery_of(request.viewer, delivery)
    operations.retry_delivery(number, by=request.viewer.person_id, at=now())
    messages.success(request, _("La livraison sera tentée de nouveau dans un instant."))
    return redirect("backoffice:journal")


@open_to(Role.ADMINISTRATOR)
def skip(request: HttpRequest, delivery: int) -> HttpResponse:
    """Ask, then give a delivery up so that what follows it goes on."""
    request = cast(Request, request)
    number = queries.delivery_of(request.viewer, delivery)
    if request.method == "POST":
        operations.skip_delivery(number, by=request.viewer.person_id, at=now())
        messages.success(request, _("La livraison est abandonnée ; la suite reprend."))
        return redirect("backoffice:journal")
    waiting = [one for one in queries.waiting_deliveries(request.viewer) if one.id == number]
    return render(request, "backoffice/journal/skip.html", {"waiting": waiting, "number": number})


def _form(request: Request) -> FilterForm:
    # Binding even an empty query gives a form that is valid and whose fields are all there.
    return FilterForm(request.GET, kinds=queries.event_kinds(request.viewer))


def _cursor(request: Request) -> int | None:
    return row_key(request.GET.get("avant", "")) or None


def _address(request: Request, *, route: str = "backoffice:journal", **changes: object) -> str:
    asked = request.GET.copy()
    for name, value in changes.items():
        asked.pop(name, None)
        if value is not None:
            asked[name] = str(value)
    return f"{reverse(route)}?{asked.urlencode()}" if asked else reverse(route)


def _lines(request: Request, events: Iterable[RecordedEvent]) -> list[EventLine]:
    code = request.commune.code if request.commune else ""
    administers = bool(code) and request.viewer.has(Role.ADMINISTRATOR, code)
    # Names of those who hold a function here; a resident stays a number unless looked for by her address.
    names = {one.id: one.name or one.email for one in territory.people(request.viewer, code)} if administers else {}
    return [
        EventLine(
            one,
            kind_said(one.kind),
            _who(one.actor, names),
            _who(one.on_behalf_of, names, nobody=""),
            [(key.replace("_", " "), _plain(value)) for key, value in one.payload.items() if value not in (None, "")],
        )
        for one in events
    ]


def _who(person: int | None, names: dict[int, str], *, nobody: str | None = None) -> str:
    if person is None:
        return _("le système") if nobody is None else nobody
    if person < 0:
        return _("personne effacée n° {number}").format(number=-person)
    return names.get(person) or _("personne n° {number}").format(number=person)


def _plain(value: Any) -> str:
    """Write a value of an event as one reads it; what is made of several stays JSON, exact."""
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _details(event: RecordedEvent) -> str:
    return json.dumps(event.payload, ensure_ascii=False) if event.payload else ""


class _Echo:
    """A file whose `write` gives back what it is given: how csv writes into a stream."""

    def write(self, text: str) -> str:
        return text


def _csv(events: Iterable[RecordedEvent]) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=";")
    columns = ("numero", "date", "genre", "objet", "territoire", "auteur", "pour", "details")
    yield "\ufeff" + writer.writerow(columns)
    for one in events:
        moment = timezone.localtime(one.at).isoformat(timespec="seconds")
        row = (one.id, moment, one.kind, one.subject, one.territory, one.actor, one.on_behalf_of, _details(one))
        yield writer.writerow([harmless(value) for value in row])


urlpatterns = [
    path("journal/", journal, name="journal"),
    path("journal/export.csv", journal_export, name="journal-export"),
    path("journal/livraisons/<int:delivery>/reessayer/", retry, name="journal-retry"),
    path("journal/livraisons/<int:delivery>/abandonner/", skip, name="journal-skip"),
]
