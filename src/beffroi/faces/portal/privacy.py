"""« Mes données » : see, take away, erase; and the public register of what the town keeps about people."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, cast

from django import forms
from django.contrib.auth import logout
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue import queries as queries_of_use
from beffroi.base.kernel.time import now
from beffroi.base.privacy import operations, queries
from beffroi.base.privacy.queries import PersonalExport
from beffroi.faces.shell.access import EVERYONE, SIGNED_IN, Request, open_to

USE_CASE = "G-07"
# What the fields most met are called on screen; the others keep their name.
FIELD_LABELS = {
    "id": gettext_noop("Numéro"),
    "at": gettext_noop("Date"),
    "kind": gettext_noop("Genre"),
    "subject": gettext_noop("Objet"),
    "payload": gettext_noop("Détails"),
    "email": gettext_noop("Adresse électronique"),
    "name": gettext_noop("Nom"),
    "is_active": gettext_noop("Compte ouvert"),
    "created_at": gettext_noop("Créé le"),
    "last_login": gettext_noop("Dernière connexion"),
    "territory": gettext_noop("Commune"),
    "role": gettext_noop("Rôle"),
    "valid_from": gettext_noop("Depuis le"),
    "valid_until": gettext_noop("Jusqu’au"),
    "verified": gettext_noop("Adresse vérifiée"),
    "primary": gettext_noop("Adresse principale"),
    "text": gettext_noop("Texte"),
    "use_case": gettext_noop("Service"),
    "person": gettext_noop("Personne n°"),
    "user": gettext_noop("Personne n°"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """One processing as a table of texts; `more` rows are only in the file to take away."""

    purpose: str
    columns: list[str]
    rows: list[list[str]]
    more: int


class ErasureForm(forms.Form):
    """The confirmation: her address, typed again, and her password when she has one."""

    email = forms.CharField(
        label=gettext_lazy("Votre adresse électronique"),
        max_length=254,
        help_text=gettext_lazy("Écrivez-la pour confirmer que vous voulez effacer ce compte."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Votre mot de passe"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user
        if not user.has_usable_password():
            del self.fields["password"]

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        if email != self.user.email:
            raise forms.ValidationError(_("Ce n’est pas l’adresse de ce compte."))
        return email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("Ce mot de passe n’est pas le bon."))
        return password


@open_to(SIGNED_IN)
@never_cache
@require_safe
def my_data(request: HttpRequest) -> HttpResponse:
    """Show what the town holds about the reader."""
    request = cast(Request, request)
    export = queries.personal_export(_reader(request), at=now())
    insee = request.commune.code if request.commune else ""
    limit = queries.answer_limit(timezone.localdate(), insee=insee)
    catalogue.count_use(USE_CASE, insee, now(), audience=queries_of_use.audience_of(request.viewer, insee))
    context = {"tables": tables(export, shown=_shown_rows()), "answer_by": limit.last_day}
    return render(request, "portal/privacy/my-data.html", context)


@open_to(SIGNED_IN)
@never_cache
@require_safe
def my_data_archive(request: HttpRequest) -> HttpResponse:
    """Give the reader everything in a ZIP: a page to read and a JSON file for another software."""
    request = cast(Request, request)
    export = queries.personal_export(_reader(request), at=now())
    response = HttpResponse(archive(export), content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="mes-donnees.zip"'
    return response


@open_to(SIGNED_IN)
@never_cache
def erase_my_data(request: HttpRequest) -> HttpResponse:
    """Ask, then erase the reader's account and what hangs on it."""
    request = cast(Request, request)
    person_id = _reader(request)
    form = ErasureForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        operations.erase_person(person_id, by=person_id, at=now())
        logout(request)
        return redirect("portal:my-data-erased")
    kept = [entry for entry in queries.register() if entry.kept_because]
    status = 400 if request.method == "POST" else 200
    return render(request, "portal/privacy/erase.html", {"form": form, "kept": kept}, status=status)


@open_to(EVERYONE)
@require_safe
def data_erased(request: HttpRequest) -> HttpResponse:
    """Say that it is done."""
    return render(request, "portal/privacy/erased.html")


@open_to(EVERYONE)
@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """Show the register of processings, made from what the models declare."""
    entries = queries.register()
    groups = [(purpose, list(found)) for purpose, found in groupby(entries, key=lambda entry: entry.purpose)]
    return render(request, "portal/privacy/register.html", {"groups": groups})


def _shown_rows() -> int:
    """Return how many rows of each processing the page shows, as the use case's file sets it."""
    one = queries_of_use.catalogue().use_cases.get(USE_CASE)
    return int(getattr(one.settings.get("privacy") if one else None, "shown_rows", 20))


def _reader(request: Request) -> int:
    if request.viewer.person_id is None:
        raise operations.PersonNotFound("aucun compte n’est ouvert", remedy="connectez-vous")
    return request.viewer.person_id


def tables(export: PersonalExport, *, shown: int | None = None) -> list[Table]:
    """Return an export as tables of texts, `shown` rows of each at most."""
    return [
        Table(
            purpose=_(part.purpose),
            columns=[_(FIELD_LABELS[name]) if name in FIELD_LABELS else name for name in part.fields],
            rows=[[_text(row.get(name)) for name in part.fields] for row in part.rows[:shown]],
            more=max(0, len(part.rows) - shown) if shown is not None else 0,
        )
        for part in export.parts
    ]


def _text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "SHORT_DATE_FORMAT")
    if isinstance(value, (dict, list)):
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False) if value else "–"
    return str(value)


def archive(export: PersonalExport) -> bytes:
    """Return the ZIP of an export: `mes-donnees.html` to read and `mes-donnees.json` to reuse."""
    page = render_to_string("portal/privacy/archive.html", {"tables": tables(export), "made_at": export.made_at})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in (("mes-donnees.html", page), ("mes-donnees.json", export.as_json())):
            info = zipfile.ZipInfo(name, timezone.localtime(export.made_at).timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(info, content)
    return packed.getvalue()


urlpatterns = [
    path("mes-donnees/", my_data, name="my-data"),
    path("mes-donnees/mes-donnees.zip", my_data_archive, name="my-data-archive"),
    path("mes-donnees/effacer/", erase_my_data, name="my-data-erase"),
    path("mes-donnees/efface/", data_erased, name="my-data-erased"),
    path("registre-des-traitements/", register, name="register"),
]
