"""What a source is connected with: where it is, the key it asks for, then what its data are."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.words import folded
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.backoffice.uploads import readers
from beffroi.faces.shell.themes import THEMES
from beffroi.lake.connected.addresses import Address, Credential
from beffroi.lake.connected.operations import DROPPED, Description
from beffroi.lake.connected.queries import SourceInfo
from beffroi.lake.rhythms import RHYTHMS
from beffroi.lake.services.reading import KINDS

KEPT = "kept"


class AddressForm(forms.Form):
    """Where a source is, how it is read, and the key it asks for; `known` is the source that is read elsewhere."""

    url = forms.CharField(
        label=gettext_lazy("Adresse"), max_length=2_000,
        help_text=gettext_lazy(
            "Celle d’un fichier (CSV, GeoJSON, ZIP…), de la page d’un jeu sur un portail, ou d’un service. "
            "{commune} et {department} y sont remplacés par les codes de la commune."
        ),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    kind = forms.ChoiceField(label=gettext_lazy("Type de source"), required=False)
    layer = forms.CharField(
        label=gettext_lazy("Couche ou ressource"), required=False, max_length=200,
        help_text=gettext_lazy("Vide : celle de l’adresse, ou la seule. S’il y en a plusieurs, l’essai les liste."),
    )  # fmt: skip
    credential = forms.ChoiceField(
        label=gettext_lazy("Clé d’accès"), required=False,
        help_text=gettext_lazy("Chiffrée, jamais remontrée, jamais envoyée à un autre site que celui de l’adresse."),
    )  # fmt: skip
    credential_name = forms.CharField(
        label=gettext_lazy("Nom de l’utilisateur, de l’en-tête ou du paramètre"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    secret = forms.CharField(
        label=gettext_lazy("La clé, ou le mot de passe"), required=False, max_length=4_000, strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def __init__(self, *arguments: Any, known: SourceInfo | None = None, **options: Any) -> None:
        if known is not None:
            told = {"url": known.address.url, "kind": known.address.kind, "layer": known.address.layer}
            options["initial"] = told | {"credential": KEPT if known.credential else ""}
        super().__init__(*arguments, **options)
        kinds = [(name, _(one.label)) for name, one in KINDS.items()]
        cast(forms.ChoiceField, self.fields["kind"]).choices = [("", _("Reconnue d’après l’adresse")), *kinds]
        layers = known.trial.layers if known is not None and known.trial else ()
        if layers:
            field = forms.ChoiceField(
                label=_("Couche ou ressource"), required=False, help_text=_("Ce que donne ce service."),
                choices=[("", _("À choisir")), *((name, title) for name, title in layers)],
            )  # fmt: skip
            # A layer typed by hand is none of a list: it is chosen again.
            self.fields["layer"] = field
        cast(forms.ChoiceField, self.fields["credential"]).choices = [
            *([(KEPT, _("Garder la clé donnée"))] if known is not None and known.credential else []),
            ("", _("Aucune : tout le monde lit cette source")),
            ("bearer", _("Jeton (Authorization: Bearer)")),
            ("basic", _("Utilisateur et mot de passe")),
            ("header", _("Clé dans un en-tête (X-API-Key…)")),
            ("query", _("Clé dans un paramètre de l’adresse")),
        ]

    @property
    def address(self) -> Address:
        """Return where the source is."""
        told = self.cleaned_data
        return Address(told["url"], told["kind"], told["layer"])

    @property
    def given(self) -> Credential | None:
        """Return the key given, None when the one kept serves."""
        told = self.cleaned_data
        if told["credential"] == KEPT:
            return None
        return Credential(told["credential"], told["credential_name"], told["secret"])


class DescriptionForm(forms.Form):
    """What the data of a source are, and who may read what."""

    title = forms.CharField(label=gettext_lazy("Titre"), max_length=200)
    theme = forms.ChoiceField(label=gettext_lazy("Thème"), required=False)
    licence = forms.CharField(
        label=gettext_lazy("Licence"), required=False, max_length=120,
        help_text=gettext_lazy("Celle que dit qui publie la source, par exemple : Licence Ouverte 2.0."),
    )  # fmt: skip
    rhythm = forms.ChoiceField(
        label=gettext_lazy("À quel rythme elle change"), required=False,
        help_text=gettext_lazy(
            "Elle est demandée la nuit, plusieurs fois par période : chaque jour si elle est quotidienne, tous les "
            "deux jours si elle est hebdomadaire, chaque semaine si elle est mensuelle, sinon chaque mois."
        ),
    )  # fmt: skip
    owner = forms.ChoiceField(
        label=gettext_lazy("Service qui en répond"), required=False,
        help_text=gettext_lazy("Il est prévenu quand la source échoue, et quand elle répond de nouveau."),
    )  # fmt: skip
    access = forms.ChoiceField(label=gettext_lazy("Qui peut lire ce jeu de données"))

    def __init__(self, *arguments: Any, viewer: Viewer, source: SourceInfo, **options: Any) -> None:
        said, code = source.payload, source.ref.territory
        told = {name: said.get(name, "") for name in ("title", "theme", "licence", "rhythm", "owner")}
        told["title"] = told["title"] or (source.trial.title if source.trial else "")
        super().__init__(*arguments, **{"initial": told | {"access": source.access}, **options})
        # Several folders bear one title: the first stands for them.
        by_title = {_(title): slug for slug, (title, _icon, _colour) in reversed(THEMES.items())}
        themes = sorted(((slug, title) for title, slug in by_title.items()), key=lambda one: folded(one[1]))
        self._choices("theme", [("", _("Aucun")), *themes], told["theme"])
        self._choices("rhythm", [("", _("Non dit : chaque mois")), *((one, _(one)) for one in RHYTHMS)], told["rhythm"])
        services = [(one.slug, one.name) for one in territories.services(code)]
        self._choices("owner", [("", _("L’administration de la commune")), *services], told["owner"])
        choices = readers(viewer, code)
        self._choices("access", choices, source.access)
        columns = said.get("columns", {})
        for key, title, _kind in source.trial.columns if source.trial else ():
            column = columns.get(key, {})
            if column.get("access", "public") not in viewer.clearances(code):
                continue
            self.fields[f"column_{key}"] = forms.ChoiceField(
                label=_("Qui peut lire « %(column)s »") % {"column": title},
                choices=[*choices, (DROPPED, _("Personne : ne pas la garder"))],
                required=False,
                initial=DROPPED if column.get("drop") else column.get("access", "public"),
            )

    def _choices(self, name: str, choices: list[tuple[str, str]], now: str) -> None:
        # What the file says already stays a choice, even where the list has lost it.
        known = {value for value, _label in choices}
        cast(forms.ChoiceField, self.fields[name]).choices = choices + ([] if now in known else [(now, now)])

    @property
    def general(self) -> list[forms.BoundField]:
        """Return the fields of the dataset."""
        return [self[name] for name in ("title", "theme", "licence", "rhythm", "owner", "access")]

    @property
    def by_column(self) -> list[forms.BoundField]:
        """Return the fields of its columns."""
        return [self[name] for name in self.fields if name.startswith("column_")]

    @property
    def description(self) -> Description:
        """Return what was said."""
        told = self.cleaned_data
        columns = {
            name.removeprefix("column_"): value for name, value in told.items() if name.startswith("column_") and value
        }
        return Description(
            told["title"], told["theme"], told["licence"], told["rhythm"], told["owner"], told["access"],
            {key: value for key, value in columns.items() if value != "public" or key in self._said_of()},
        )  # fmt: skip

    def _said_of(self) -> set[str]:
        return {name.removeprefix("column_") for name in self.changed_data if name.startswith("column_")}
