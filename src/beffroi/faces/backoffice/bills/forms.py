"""What agents type about bills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from beffroi.serve.payments.definition import KINDS, OFFLINE, WAYS, RegisterInfo

GATEWAYS = (
    ("", _("Aucun paiement en ligne")),
    ("payfip", _("PayFiP (DGFiP)")),
    ("sandbox", _("Bac à sable (commune fictive)")),
)
MODES = (("T", _("Essai")), ("X", _("Activation")), ("W", _("Production")))


class DepositForm(forms.Form):
    """The file of a month."""

    file = forms.FileField(
        label=_("Fichier du mois (CSV)"),
        help_text=_(
            "Colonnes : mois, famille, enfant, service, unites. Séparées par des virgules ou des points-virgules."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )


class UnitsForm(forms.Form):
    """One line typed by hand."""

    family = forms.CharField(label=_("Référence de la famille"), max_length=20)
    month = forms.CharField(label=_("Mois"), max_length=7, help_text=_("Par exemple 2026-10."))
    child = forms.CharField(label=_("Enfant"), max_length=80)
    service = forms.ChoiceField(label=_("Service"))
    units = forms.IntegerField(
        label=_("Unités"), min_value=0, max_value=744, help_text=_("Le total du mois, 0 compris.")
    )

    def __init__(self, *args: Any, services: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        kwargs.setdefault("prefix", "ligne")
        super().__init__(*args, **kwargs)
        self.fields["service"].choices = services  # type: ignore[attr-defined]


class FamilyForm(forms.Form):
    """A family that is billed."""

    reference = forms.CharField(label=_("Référence"), max_length=20, help_text=_("Lettres, chiffres et tirets."))
    name = forms.CharField(label=_("Nom"), max_length=120)
    email = forms.EmailField(label=_("Courriel"), required=False, help_text=_("Il reçoit un lien, jamais la facture."))
    address = forms.CharField(
        label=_("Adresse postale"), required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 3})
    )
    quotient = forms.IntegerField(
        label=_("Quotient familial"), required=False, min_value=0, max_value=100_000,
        help_text=_("En euros entiers. Vide : le tarif le plus haut."),
    )  # fmt: skip
    is_outside = forms.BooleanField(label=_("Famille d’une autre commune"), required=False)


class LinkForm(forms.Form):
    """The account that will see the bills."""

    email = forms.EmailField(label=_("Courriel du compte"))


class PaymentForm(forms.Form):
    """Money that came otherwise than online. `once` lets the same form count once."""

    amount = forms.CharField(label=_("Montant"), max_length=14, help_text=_("Par exemple 28,80."))
    way = forms.ChoiceField(label=_("Moyen"), choices=[(one, _(WAYS[one])) for one in OFFLINE])
    day = forms.DateField(
        label=_("Jour du paiement"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reference = forms.CharField(label=_("Numéro du chèque, référence"), required=False, max_length=60)
    once = forms.CharField(widget=forms.HiddenInput, max_length=32)


class RefundForm(forms.Form):
    """What is to be given back, and why."""

    amount = forms.CharField(label=_("Montant"), max_length=14)
    reason = forms.CharField(label=_("Motif"), max_length=200)
    register = forms.ChoiceField(label=_("Régie"))

    def __init__(self, *args: Any, registers: Sequence[RegisterInfo], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["register"].choices = [(one.slug, one.title) for one in registers]  # type: ignore[attr-defined]


class StatementForm(forms.Form):
    """A file of the bank or of the DGFiP."""

    register = forms.ChoiceField(label=_("Régie"))
    file = forms.FileField(
        label=_("Relevé (CSV)"),
        help_text=_("Colonnes : date, reference, montant."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, *args: Any, registers: Sequence[RegisterInfo], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["register"].choices = [(one.slug, one.title) for one in registers]  # type: ignore[attr-defined]


class RegisterForm(forms.Form):
    """Who sends the bills, what they must say, how they are paid online."""

    title = forms.CharField(label=_("Nom de la régie"), max_length=120)
    kind = forms.ChoiceField(label=_("Ce qui est émis"), choices=[(name, _(title)) for name, title in KINDS.items()])
    issuer = forms.CharField(
        label=_("Prénom, nom et qualité de qui émet"), max_length=160, required=False,
        help_text=_("Obligatoire sur un avis des sommes à payer (CGCT, art. L1617-5, 4°)."),
    )  # fmt: skip
    address = forms.CharField(
        label=_("Adresse du service"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    ways = forms.CharField(
        label=_("Autres moyens de payer"), max_length=600, required=False, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Un par ligne : chèque (à quel ordre), espèces (où, quand), prélèvement (à qui le demander)…"),
    )  # fmt: skip
    court = forms.CharField(
        label=_("Tribunal compétent"), max_length=120, required=False,
        help_text=_("Par exemple : le tribunal administratif de Montpellier."),
    )  # fmt: skip
    gateway = forms.ChoiceField(label=_("Paiement en ligne"), choices=GATEWAYS, required=False)
    payfip_client = forms.CharField(
        label=_("Numéro de client PayFiP"),
        max_length=6,
        required=False,
        help_text=_("Six chiffres, donnés par la DGFiP."),
    )
    payfip_mode = forms.ChoiceField(label=_("Mode PayFiP"), choices=MODES, required=False)
