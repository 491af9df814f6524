"""`/verifier/`: whether a document is the town's, whether it still stands, and what that proves."""

from __future__ import annotations

from typing import cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.procedures.filing import MOST_FILE_BYTES
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.serve.procedures import queries


class CodeForm(forms.Form):
    """The code printed under a document."""

    code = forms.CharField(
        label=gettext_lazy("Code de vérification"),
        help_text=gettext_lazy("Vingt lettres et chiffres, imprimés sous le document. Les tirets sont facultatifs."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    def clean_code(self) -> str:
        """Return the code as it is printed."""
        code = queries.read_code(self.cleaned_data["code"])
        if not code:
            raise forms.ValidationError(_("Ce n’est pas un code de vérification : il en faut les vingt signes."))
        return code


class FileForm(forms.Form):
    """The file to compare."""

    file = forms.FileField(
        label=gettext_lazy("Le fichier PDF reçu"),
        help_text=gettext_lazy("Il est comparé, puis oublié : rien n’en est gardé."),
        widget=forms.FileInput(attrs={"accept": "application/pdf"}),
    )

    def clean_file(self) -> bytes:
        """Return the content, if it is of a weight that may be ours."""
        sent = self.cleaned_data["file"]
        if sent.size > MOST_FILE_BYTES:
            raise forms.ValidationError(_("Ce fichier est trop lourd pour être un document de la commune."))
        return cast(bytes, sent.read())


@open_to(EVERYONE)
@require_safe
def ask_code(request: HttpRequest) -> HttpResponse:
    """Ask for a code, and go to its page."""
    form = CodeForm(request.GET if "code" in request.GET else None)
    if form.is_bound and form.is_valid():
        return redirect("portal:verify", form.cleaned_data["code"])
    return render(request, "portal/procedures/ask_code.html", {"form": form}, status=400 if form.errors else 200)


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """Tell of a document by its code; a file sent is compared with the one handed out."""
    request = cast(Request, request)
    territory = territory_of(request)
    try:
        info = queries.certificate(code, territory=territory)
    except queries.UnknownCertificate:
        form = CodeForm({"code": code[:40]})
        context = {"form": form, "unknown": code[:40]}
        return _private(render(request, "portal/procedures/ask_code.html", context, status=404))
    form_file = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    same = None
    if request.method == "POST" and form_file.is_valid():
        same = queries.is_same_file(info, form_file.cleaned_data["file"])
    today = timezone.localdate()
    context = {
        "info": info,
        "holds": queries.seal_holds(info),
        "is_valid": info.is_valid(today),
        "has_ended": info.withdrawn_at is None and not info.is_valid(today),
        "form": form_file,
        "same": same,
        "at": timezone.now(),
    }
    return _private(render(request, "portal/procedures/verify.html", context, status=400 if form_file.errors else 200))


@open_to(EVERYONE)
@require_safe
def public_key(request: HttpRequest) -> HttpResponse:
    """Give the public key of the seal, by which anyone checks it alone."""
    response = HttpResponse(queries.public_key(), content_type="application/x-pem-file")
    response.headers["Content-Disposition"] = 'attachment; filename="sceau.pem"'
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
