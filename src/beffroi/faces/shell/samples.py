"""`/composants/`: every component in all its states, with what fills them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.kernel.time import PARIS
from beffroi.faces.shell import drawing
from beffroi.faces.shell.access import EVERYONE, open_to
from beffroi.faces.shell.addresses import AddressField
from beffroi.faces.shell.charts import Point, line_of
from beffroi.faces.shell.icons import ICONS

COLOURS = ["paper", "surface", "sunken", "ink", "brand", "bronze", "good", "bad"]


class SampleForm(forms.Form):
    """A form of `/composants/`, shown empty, filled and refused."""

    where = AddressField(label=gettext_lazy("Adresse"), help_text=gettext_lazy("Par exemple : 12 rue des Tanneurs."))
    email = forms.EmailField(label=gettext_lazy("Adresse électronique"), required=False)
    theme = forms.ChoiceField(
        label=gettext_lazy("Thème"), choices=[("1", gettext_lazy("Voirie")), ("2", gettext_lazy("Arbres"))]
    )
    day = forms.DateField(label=gettext_lazy("Jour"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    when = forms.ChoiceField(
        label=gettext_lazy("Moment"),
        widget=forms.RadioSelect,
        choices=[("m", gettext_lazy("Le matin")), ("s", gettext_lazy("Le soir"))],
    )
    photo = forms.FileField(
        label=gettext_lazy("Photographie"),
        help_text=gettext_lazy("JPEG ou PNG. Le lieu et l’heure cachés dans le fichier sont effacés."),
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )
    details = forms.CharField(
        label=gettext_lazy("Précisions"), widget=forms.Textarea(attrs={"rows": 4}), required=False
    )
    agree = forms.BooleanField(label=gettext_lazy("J’accepte d’être recontacté"))


class SampleCards(forms.Form):
    """A choice whose options each carry a word of explanation."""

    category = forms.ChoiceField(
        label=gettext_lazy("Que voyez-vous ?"),
        widget=forms.RadioSelect,
        choices=[
            ("depot", gettext_lazy("Un dépôt sauvage")),
            ("lampe", gettext_lazy("Un éclairage en panne")),
            ("arbre", gettext_lazy("Un arbre dangereux")),
        ],
    )


class SampleFilters(forms.Form):
    """What one filters a list by."""

    q = forms.CharField(label=gettext_lazy("Mot"), required=False)
    state = forms.ChoiceField(
        label=gettext_lazy("État"),
        required=False,
        choices=[("", gettext_lazy("Tous")), ("open", gettext_lazy("Ouvert"))],
    )


def _context() -> dict[str, Any]:
    at = datetime(2026, 6, 3, 9, 40, tzinfo=PARIS)
    return {
        "icons": sorted(ICONS),
        "colours": COLOURS,
        "form": SampleForm(prefix="vide"),
        "refused": SampleForm({"refus-email": "lucie@", "refus-theme": "1"}, prefix="refus"),
        "cards": SampleCards(prefix="choix", initial={"category": "lampe"}),
        "refused_cards": SampleCards({}, prefix="refuse"),
        "hints": {"depot": _("Encombrants, gravats, sacs."), "lampe": _("Une lampe éteinte, ou qui clignote.")},
        "symbols": {"depot": "empty", "lampe": "energy", "arbre": "tree"},
        "filters": SampleFilters(prefix="filtre"),
        "chips": [(_("État : ouvert"), "#filtres"), (_("Mot : banc"), "#filtres")],
        "steps": [_("Où"), _("Quoi"), _("Vérifier")],
        "tabs": [
            {"title": _("Carte"), "url": "#onglets", "symbol": "map", "current": True},
            {"title": _("Tableau"), "url": "#onglets", "symbol": "table", "current": False},
        ],
        "columns": [_("Essence"), _("Hauteur (m)"), _("Planté en")],
        "rows": [[_("Micocoulier"), 12, 1987], [_("Platane"), 18, None]],
        "requests": [_("Banc cassé, place Neuve"), _("Lampe éteinte, rue des Tanneurs")],
        "bulk_actions": [("assign", _("Confier à un service"), "secondary"), ("close", _("Clore"), "primary")],
        "lacking": [{"title": _("Arbres"), "slug": "arbres"}],
        "conflicts": [(_("Banc cassé, place Neuve"), _("Une équipe passe."), {})],
        "line": line_of([Point(_("mars 2026"), 310), Point(_("avril 2026"), 330), Point(_("mai 2026"), 400)]),
        "drawing": _sample_drawing(),
        "events": [
            {"title": _("Résolu"), "at": at.replace(day=5), "by": _("Service voirie"), "kind": "good"},
            {"title": _("Pris en charge"), "at": at.replace(day=4), "text": _("Une équipe passe."), "kind": "warn"},
            {"title": _("Reçu"), "at": at},
        ],
    }  # fmt: skip


@open_to(EVERYONE)
@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Show every component in all its states."""
    return render(request, "shell/components.html", _context())


def _sample_drawing() -> drawing.Drawing:
    """Return two rounds of a van over a few streets."""
    corners = [(3.0, 45.0), (3.004, 45.0), (3.004, 45.002), (3.0, 45.002), (3.0, 45.0)]
    return drawing.drawn(
        drawing.box_of(corners),
        ground=[corners, [(3.002, 44.999), (3.002, 45.003)]],
        lines=[drawing.Line(corners[:3], "way n1"), drawing.Line(corners[2:], "way n2")],
        points=[drawing.Point(*corners[0], "D", "site"), drawing.Point(*corners[2], "1", "n1")],
    )
