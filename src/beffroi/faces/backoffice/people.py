"""People and rights of a commune, for its administrators: who works here, with which role; services; API keys."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import operations, queries
from beffroi.base.territory.engine import SCOPES, STOCK, STOCK_OF, BadCode, checked_siren
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said

# A resident's role is not given here: people take it themselves by signing up.
STAFF_ROLES: dict[Role, Any] = {
    Role.AGENT: gettext_lazy("Agent"),
    Role.ELECTED: gettext_lazy("Élu"),
    Role.ADMINISTRATOR: gettext_lazy("Administrateur"),
}
LONGEST_KEY_DAYS = 730
USUAL_KEY_DAYS = 365


def _services(request: Request) -> list[tuple[str, str]]:
    return [(service.slug, service.name) for service in queries.services(_code(request))]


def _code(request: Request) -> str:
    return request.commune.code if request.commune else ""


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("Adresse électronique"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(label=gettext_lazy("Prénom et nom"), max_length=200, required=False)
    role = forms.ChoiceField(
        label=gettext_lazy("Rôle"),
        choices=[(role.value, name) for role, name in STAFF_ROLES.items()],
        widget=forms.RadioSelect,
        initial=Role.AGENT.value,
    )
    services = forms.MultipleChoiceField(
        label=gettext_lazy("Services"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Un agent lit les données réservées à ses services."),
    )

    def __init__(self, *args: Any, services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, services)


class RightsForm(forms.Form):
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Rôles"),
        required=False,
        choices=[(role.value, name) for role, name in STAFF_ROLES.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    services = forms.MultipleChoiceField(
        label=gettext_lazy("Services"), required=False, widget=forms.CheckboxSelectMultiple
    )
    last_day = forms.DateField(
        label=gettext_lazy("Dernier jour"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Pour un contrat ou un mandat qui se termine ; vide : sans terme."),
    )

    def __init__(self, *args: Any, services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, services)


class ServiceForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Nom du service"), max_length=200)


class KeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Logiciel"), max_length=100, help_text=gettext_lazy("Celui qui se servira de la clé.")
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Ce qu’elle permet"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Rien de coché : ce que tout le monde peut lire."),
    )
    siren = forms.CharField(
        label=gettext_lazy("SIREN du bailleur"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("Pour échanger son patrimoine seulement : neuf chiffres."),
    )
    last_day = forms.DateField(
        label=gettext_lazy("Dernier jour"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(scope, said(name)) for scope, name in SCOPES.items()]  # type: ignore[attr-defined]

    def clean_siren(self) -> str:
        asked, wanted = self.cleaned_data["siren"], STOCK in self.cleaned_data.get("scopes", ())
        if not wanted:
            return ""
        try:
            return checked_siren(asked)
        except BadCode as error:
            raise forms.ValidationError(_("Donnez le SIREN du bailleur : neuf chiffres, dont une clé.")) from error

    @property
    def asked_scopes(self) -> list[str]:
        owner = self.cleaned_data["siren"]
        return [*self.cleaned_data["scopes"], *([STOCK_OF + owner] if owner else [])]

    def clean_last_day(self) -> Any:
        day = self.cleaned_data["last_day"]
        latest = timezone.localdate() + timedelta(days=LONGEST_KEY_DAYS)
        if not timezone.localdate() <= day <= latest:
            raise forms.ValidationError(_("Choisissez un jour entre aujourd’hui et deux ans."))
        return day


def _offer(form: forms.Form, services: list[tuple[str, str]]) -> None:
    if services:
        form.fields["services"].choices = services  # type: ignore[attr-defined]
    else:
        del form.fields["services"]


def _end_of(day: Any) -> datetime | None:
    """Return the moment a last day ends, in the time of the town hall."""
    return None if day is None else timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


@open_to(Role.ADMINISTRATOR)
@require_safe
def people(request: Request) -> HttpResponseBase:
    """List those who work for the commune, its services and its API keys."""
    code = _code(request)
    staff = queries.people(request.viewer, code)
    protected = set(
        Authenticator.objects.filter(
            user__in=[person.id for person in staff], type__in=(Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
        ).values_list("user", flat=True)
    )
    names = dict(_services(request))
    rows = [
        {
            "person": person,
            "roles": [
                (STAFF_ROLES[grant.role], [names.get(slug, slug) for slug in grant.services], grant.valid_until)
                for grant in person.grants
                if grant.role in STAFF_ROLES
            ],
            "protected": person.id in protected,
        }
        for person in staff
    ]
    context = {"rows": rows, "services": sorted(names.values()), "keys": queries.api_keys(request.viewer, code)}
    return render(request, "backoffice/people/people.html", context)


@open_to(Role.ADMINISTRATOR)
def invite(request: Request) -> HttpResponseBase:
    """Open an account for someone who works here, and send the link to choose a password."""
    form = InvitationForm(request.POST or None, services=_services(request))
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        role = Role(asked["role"])
        services = asked.get("services", []) if role is not Role.ELECTED else []
        try:
            person_id = operations.invite_person(
                email=asked["email"],
                name=asked["name"],
                territory=_code(request),
                role=role,
                services=services,
                by=request.viewer,
                at=timezone.now(),
            )
        except BeffroiError as error:
            form.add_error(None, said(error.what))
        else:
            _send_invitation(request, person_id, str(STAFF_ROLES[role]))
            messages.success(request, _("L’invitation est partie à %(email)s.") % {"email": asked["email"]})
            return redirect("backoffice:people")
    return render(request, "backoffice/people/invite.html", {"form": form}, status=_status(form))


def _status(form: forms.Form) -> int:
    return 400 if form.errors else 200


def _send_invitation(request: Request, person_id: int, role: str) -> None:
    person = get_user_model()._default_manager.get(pk=person_id)
    EmailAddress.objects.get_or_create(user=person, email=person.email, defaults={"primary": True})
    token = account_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    adapter = get_adapter(request)
    context = {
        "request": request,
        "commune": request.commune.name if request.commune else "Beffroi",
        "role": role,
        "url": adapter.get_reset_password_from_key_url(f"{user_pk_to_url_str(person)}-{token}"),
        "reset_url": request.build_absolute_uri(reverse("account_reset_password")),
    }
    adapter.send_mail("account/email/invitation", person.email, context)


def _member(request: Request, person_id: int) -> queries.PersonInfo:
    """Return someone who holds a role here: an administrator does not browse through everyone's account."""
    person = queries.person(person_id, territory=_code(request))
    if not any(grant.role in STAFF_ROLES for grant in person.grants):
        raise queries.UnknownPerson("personne « {id} » inconnue", where="personne", id=person_id)
    return person


@open_to(Role.ADMINISTRATOR)
def rights(request: Request, person_id: int) -> HttpResponseBase:
    """Show and change the roles of someone who works here."""
    person = _member(request, person_id)
    held = {grant.role: grant for grant in person.grants if grant.role in STAFF_ROLES}
    agent = held.get(Role.AGENT)
    ends = [grant.valid_until for grant in held.values() if grant.valid_until]
    initial = {
        "roles": [role.value for role in held],
        "services": list(agent.services) if agent else [],
        "last_day": timezone.localdate(min(ends)) - timedelta(days=1) if ends else None,
    }
    form = RightsForm(request.POST or None, initial=initial, services=_services(request))
    if request.method == "POST" and form.is_valid():
        try:
            _change_rights(request, person_id, form.cleaned_data, set(held))
        except BeffroiError as error:
            form.add_error(None, said(error.what))
        else:
            messages.success(request, _("Les droits sont changés."))
            return redirect("backoffice:people")
    return render(request, "backoffice/people/rights.html", {"form": form, "person": person}, status=_status(form))


@transaction.atomic
def _change_rights(request: Request, person_id: int, asked: dict[str, Any], held: set[Role]) -> None:
    at, wanted = timezone.now(), {Role(value) for value in asked["roles"]}
    common: dict[str, Any] = {"person_id": person_id, "territory": _code(request), "by": request.viewer, "at": at}
    for role in STAFF_ROLES:
        if role in wanted:
            services = asked.get("services", []) if role is Role.AGENT else []
            operations.grant_role(**common, role=role, services=services, valid_until=_end_of(asked["last_day"]))
        elif role in held:
            operations.revoke_role(**common, role=role)


@open_to(Role.ADMINISTRATOR)
@require_POST
def close_account(request: Request, person_id: int) -> HttpResponseBase:
    """Close the account of someone who left."""
    _member(request, person_id)
    if person_id == request.viewer.person_id:
        messages.error(request, _("On ne ferme pas son propre compte ici."))
        return redirect("backoffice:person", person_id=person_id)
    code, at = _code(request), timezone.now()
    operations.deactivate_person(person_id=person_id, territory=code, by=request.viewer, at=at)
    messages.success(request, _("Le compte est fermé."))
    return redirect("backoffice:people")


@open_to(Role.ADMINISTRATOR)
@require_POST
@transaction.atomic
def reset_second_factor(request: Request, person_id: int) -> HttpResponseBase:
    """Remove the second factors of someone who lost them; the next sign-in asks for new ones."""
    _member(request, person_id)
    code, at = _code(request), timezone.now()
    operations.reset_second_factor(person_id=person_id, territory=code, by=request.viewer, at=at)
    Authenticator.objects.filter(user=person_id).delete()
    messages.success(request, _("Son second facteur est retiré ; il en faudra un nouveau à la prochaine connexion."))
    return redirect("backoffice:people")


@open_to(Role.ADMINISTRATOR)
def add_service(request: Request) -> HttpResponseBase:
    """Name a service of the town hall."""
    form = ServiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        operations.add_service(
            territory=_code(request), name=form.cleaned_data["name"], by=request.viewer, at=timezone.now()
        )
        messages.success(request, _("Le service est ajouté."))
        return redirect("backoffice:people")
    return render(request, "backoffice/people/service.html", {"form": form}, status=_status(form))


@open_to(Role.ADMINISTRATOR)
def add_key(request: Request) -> HttpResponseBase:
    """Create an API key and show it, this once."""
    initial = {"last_day": timezone.localdate() + timedelta(days=USUAL_KEY_DAYS)}
    form = KeyForm(request.POST or None, initial=initial)
    if request.method != "POST" or not form.is_valid():
        return render(request, "backoffice/people/key.html", {"form": form}, status=_status(form))
    asked = form.cleaned_data
    key = operations.create_api_key(
        territory=_code(request),
        name=asked["name"],
        scopes=form.asked_scopes,
        expires_at=_end_of(asked["last_day"]) or timezone.now(),
        by=request.viewer,
        at=timezone.now(),
    )
    response: HttpResponse = render(request, "backoffice/people/key_once.html", {"key": key, "name": asked["name"]})
    response.headers["Cache-Control"] = "no-store"
    return response


@open_to(Role.ADMINISTRATOR)
@require_POST
def revoke_key(request: Request, key_id: int) -> HttpResponseBase:
    """Close an API key at once."""
    operations.revoke_api_key(key_id=key_id, territory=_code(request), by=request.viewer, at=timezone.now())
    messages.success(request, _("La clé est fermée."))
    return redirect("backoffice:people")
