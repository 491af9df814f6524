"""A person's own account: its page, the second factor that some roles need, and what sign-up does."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.signals import password_reset
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.territory import operations, queries
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import SIGNED_IN, Request, open_to
from beffroi.faces.shell.middleware import SECOND_FACTOR_KEY

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
ONWARD_KEY = "beffroi_onward"
ROLE_NAMES = {
    Role.RESIDENT: gettext_lazy("Habitant"),
    Role.AGENT: gettext_lazy("Agent"),
    Role.ELECTED: gettext_lazy("Élu"),
    Role.ADMINISTRATOR: gettext_lazy("Administrateur"),
}


class AccountAdapter(DefaultAccountAdapter):
    """What sign-up does here: the account and its role of resident appear together, or not at all."""

    @transaction.atomic
    def save_user(self, request: Any, user: Any, form: Any, commit: bool = True) -> Any:
        user = super().save_user(request, user, form, commit=commit)
        # Accounts made by an identity provider are registered by its own adapter.
        if commit and not hasattr(form, "sociallogin"):
            commune = request.commune.code if request.commune else ""
            operations.register_person(person_id=user.pk, resident_of=commune, at=timezone.now())
        return user


class PasskeyForm(AddWebAuthnForm):
    """The library's form, in French, and set for a key that does without a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Nom de la clé")
        self.fields["name"].help_text = _("Pour la reconnaître, par exemple : téléphone de Camille.")
        self.fields["passwordless"].label = _("Me connecter avec elle sans mot de passe")
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].help_text = _("Demande l’empreinte, le visage ou le code de l’appareil.")


class NameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Nom affiché"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


@open_to(SIGNED_IN, without_second_factor=True)
def home(request: Request) -> HttpResponseBase:
    """Show a person's account: name, address, roles, how it is protected."""
    person = queries.person(request.viewer.person_id or 0, territory=request.commune.code if request.commune else "")
    form = NameForm(request.POST or None, initial={"name": person.name})
    if request.method == "POST" and form.is_valid():
        operations.rename_person(person_id=person.id, name=form.cleaned_data["name"], at=timezone.now())
        messages.success(request, _("Votre nom est enregistré."))
        return redirect("account_home")
    context = {
        "person": person,
        "form": form,
        "roles": [(ROLE_NAMES[grant.role], grant.services) for grant in person.grants],
        "email_verified": EmailAddress.objects.filter(user=person.id, email=person.email, verified=True).exists(),
        "second_factors": Authenticator.objects.filter(user=person.id, type__in=SECOND_FACTORS).count(),
        "is_elected": any(grant.role is Role.ELECTED for grant in person.grants),
        "needs_second_factor": request.needs_second_factor,
    }
    return render(request, "account/home.html", context)


@open_to(SIGNED_IN, without_second_factor=True)
def second_factor(request: Request) -> HttpResponseBase:
    """Tell an agent why a second factor is asked for, and lead to setting one up."""
    onward = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(
        onward, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        onward = "/"
    if not request.needs_second_factor:
        return redirect(onward)
    # Codes of recovery are shown first; their page leads on from there.
    request.session[ONWARD_KEY] = onward
    owned = Authenticator.objects.filter(user=request.viewer.person_id, type__in=SECOND_FACTORS).exists()
    verified = EmailAddress.objects.filter(user=request.viewer.person_id, verified=True).exists()
    return render(request, "account/second_factor.html", {"onward": onward, "owned": owned, "email_verified": verified})


@receiver(authenticator_added)
def _second_factor_added(request: Any, user: Any, authenticator: Authenticator, **_others: Any) -> None:
    """Count the second factor as proved in the session that set it up, and end every other session.

    A session opened with the password alone, perhaps by someone else, must not outlive the first second factor.
    """
    if authenticator.type not in SECOND_FACTORS:
        return
    if Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exclude(pk=authenticator.pk).exists():
        return
    user.session_epoch = operations.close_sessions(person_id=user.pk)
    update_session_auth_hash(request, user)
    request.session[SECOND_FACTOR_KEY] = True


@receiver(authenticator_removed)
def _second_factor_removed(request: Any, user: Any, **_others: Any) -> None:
    """Forget the proof when nothing is left to prove."""
    if not Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists():
        request.session.pop(SECOND_FACTOR_KEY, None)
        records = request.session.get("account_authentication_methods", [])
        request.session["account_authentication_methods"] = [one for one in records if one.get("method") != "mfa"]


@receiver(password_reset)
def _mailbox_proved(user: Any, **_others: Any) -> None:
    """Hold an address verified once its owner followed a link sent there: a reset, or an invitation."""
    address, _created = EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    if not address.verified:
        address.verified = True
        address.save(update_fields=["verified"])
