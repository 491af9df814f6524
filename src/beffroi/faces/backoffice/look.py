"""The colours and the arms of the commune: chosen by its administrators, made readable before they are worn."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.time import now
from beffroi.base.territory import operations
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.colours import (
    DEFAULT_ACCENT,
    DEFAULT_COLOUR,
    LIGHT_PAPERS,
    contrast,
    on_dark,
    on_light,
)
from beffroi.faces.shell.sentences import said

_PICKER = {"type": "color"}


class LookForm(forms.Form):
    """Two colours and a picture; a box takes each back."""

    # HTML knows no `required` on a colour: it always has one.
    use_required_attribute = False

    colour = forms.CharField(
        label=gettext_lazy("Couleur principale"),
        widget=forms.TextInput(attrs=_PICKER),
        help_text=gettext_lazy("Le bandeau, les boutons, les liens."),
    )
    accent = forms.CharField(
        label=gettext_lazy("Seconde couleur"),
        widget=forms.TextInput(attrs=_PICKER),
        help_text=gettext_lazy("Ce qui est choisi, les filets des chiffres."),
    )
    arms = forms.FileField(
        label=gettext_lazy("Armes ou logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".svg,.png,image/svg+xml,image/png"}),
        help_text=gettext_lazy("SVG ou PNG, 200 ko au plus. Ce qui n’est pas du dessin est retiré."),
    )
    no_arms = forms.BooleanField(label=gettext_lazy("Retirer les armes"), required=False)
    house = forms.BooleanField(label=gettext_lazy("Revenir aux couleurs de Beffroi"), required=False)


@open_to(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def look(request: HttpRequest) -> HttpResponse:
    """Show what the commune wears and change it; a colour too pale for words is darkened, and the page says so."""
    request = cast(Request, request)
    commune = request.commune
    if commune is None:
        raise NotFound("aucune commune n’est installée", remedy="lancez : beffroi territory add CODE_INSEE")
    worn = {"colour": commune.colour or DEFAULT_COLOUR, "accent": commune.accent or DEFAULT_ACCENT}
    form = LookForm(request.POST or None, request.FILES or None, initial=worn)
    if request.method == "POST" and form.is_valid():
        try:
            _wear(request, commune, form.cleaned_data)
        except BeffroiError as error:
            form.add_error(None, f"{said(error.what)} ; {said(error.remedy)}")
        else:
            return redirect("backoffice:look")
    if not commune.arms:
        del form.fields["no_arms"]
    context = {"form": form, "worn": [_told(value) for value in worn.values()], "commune": commune}
    return render(request, "backoffice/look.html", context, status=400 if form.errors else 200)


def _wear(request: Request, commune: CommuneInfo, asked: dict[str, Any]) -> None:
    at = now()
    colour, accent = ("", "") if asked["house"] else (asked["colour"], asked["accent"])
    common: dict[str, Any] = {"territory": commune.code, "at": at, "by": request.viewer}
    if asked["arms"] is not None:
        operations.set_arms(content=asked["arms"].read(), **common)
    elif asked.get("no_arms"):
        operations.set_arms(content=None, **common)
    operations.set_look(colour=colour, accent=accent, **common)
    messages.success(request, _("Les pages portent ces couleurs."))
    for chosen in (colour, accent):
        if chosen and (told := adjustment(chosen.lower())):
            messages.warning(request, told)


def adjustment(colour: str) -> str:
    """Return the sentence that says how a colour was changed to be read, empty when it was not."""
    worn, before = on_light(colour).ink, min(contrast(colour, paper) for paper in LIGHT_PAPERS)
    if worn == colour:
        return ""
    return _(
        "La couleur {colour} se lirait mal en clair (contraste {before} pour 1 ; il faut 4,5) : les mots et les boutons"
        " portent {worn}, de la même teinte. Le bandeau garde {colour}."
    ).format(colour=colour, worn=worn, before=formats.number_format(round(before, 1), 1))


def _told(colour: str) -> dict[str, str]:
    """Return a colour as it is worn, in light and in dark, for the table of the page."""
    light, dark = on_light(colour).ink, on_dark(colour).ink
    ratio = formats.number_format(round(min(contrast(light, paper) for paper in LIGHT_PAPERS), 1), 1)
    return {"chosen": colour, "light": light, "dark": dark, "ratio": ratio}
