"""An agent sends a file, sees what it would become, then publishes it or lets it go."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.territory.viewer import AGENTS, PUBLIC, SERVICE_PREFIX, Role, Viewer
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.lake import operations, queries

SHOWN_COLUMNS = 12
NEW = ""


class SendForm(forms.Form):
    """A file and the dataset it feeds."""

    file = forms.FileField(label=gettext_lazy("Fichier"))
    dataset = forms.ChoiceField(label=gettext_lazy("Jeu de données"), required=False)
    name = forms.CharField(
        label=gettext_lazy("Nom du nouveau jeu de données"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("Par exemple : arbres d'alignement. Vide : le nom du fichier."),
    )

    def __init__(self, *arguments: Any, known: list[queries.DatasetSummary], **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = cast(forms.ChoiceField, self.fields["dataset"])
        field.choices = [(NEW, _("Nouveau jeu de données")), *((one.ref.slug, one.title) for one in known)]
        self.fields["file"].help_text = _(
            "CSV, XLSX, ODS, GeoJSON, Shapefile en ZIP, GeoPackage, KML… ; %(most)s Mo au plus."
        ) % {"most": settings.UPLOAD_MAX_MB}


class PublishForm(forms.Form):
    """What the file does not say, and who may read what."""

    title = forms.CharField(label=gettext_lazy("Titre"), max_length=200)
    theme = forms.SlugField(label=gettext_lazy("Thème"), max_length=60, required=False)
    licence = forms.CharField(label=gettext_lazy("Licence"), max_length=120, required=False)
    access = forms.ChoiceField(label=gettext_lazy("Qui peut lire ce jeu de données"))

    def __init__(self, *arguments: Any, viewer: Viewer, territory: str, preview: Any, **options: Any) -> None:
        initial = {"title": preview.title, "licence": preview.report.licence, "access": preview.access}
        super().__init__(*arguments, **{"initial": initial, **options})
        choices = readers(viewer, territory)
        cast(forms.ChoiceField, self.fields["access"]).choices = choices
        for column in preview.columns:
            self.fields[f"access_{column.key}"] = forms.ChoiceField(
                label=_("Qui peut lire « %(column)s »") % {"column": column.title},
                choices=choices,
                required=False,
                initial=column.access,
            )

    @property
    def column_access(self) -> dict[str, str]:
        """Return who may read each column, by key."""
        return {
            name.removeprefix("access_"): value
            for name, value in self.cleaned_data.items()
            if name.startswith("access_") and value
        }


def readers(viewer: Viewer, territory: str) -> list[tuple[str, str]]:
    """Return who a viewer may let read data: everyone, the agents, one of her services."""
    services = sorted(name for name in viewer.clearances(territory) if name.startswith(SERVICE_PREFIX))
    return [
        (PUBLIC, _("Tout le monde")),
        (AGENTS, _("Les agents")),
        *((name, _("Le service %(name)s") % {"name": name.removeprefix(SERVICE_PREFIX)}) for name in services),
    ]


def _territory(request: HttpRequest) -> str:
    commune = cast(Request, request).commune
    if commune is None:
        raise NotFound("aucune commune n'est encore créée", remedy="créez-la : beffroi territory add <code INSEE>")
    return commune.code


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def uploads(request: HttpRequest) -> HttpResponse:
    """List the files sent, and take a new one."""
    viewer, territory = cast(Request, request).viewer, _territory(request)
    known = queries.datasets(viewer, territory=territory)
    form = SendForm(request.POST or None, request.FILES or None, known=known)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        try:
            number = operations.stage_upload(
                viewer,
                territory=territory,
                file=sent.file,
                filename=sent.name,
                slug=form.cleaned_data["dataset"] or form.cleaned_data["name"] or None,
                at=timezone.now(),
            )
        except BeffroiError as fault:
            form.add_error("file", said(fault))
        else:
            return redirect("backoffice:upload", number)
    page = {"form": form, "uploads": queries.uploads(viewer, territory=territory)}
    return render(request, "backoffice/uploads/list.html", page, status=400 if form.errors else 200)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def upload(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show what a file would become, or where its reading stands."""
    return _shown(request, upload_id)


def _shown(request: HttpRequest, upload_id: int, form: PublishForm | None = None, *, refused: str = "") -> HttpResponse:
    viewer = cast(Request, request).viewer
    found = queries.upload(viewer, upload_id)
    page: dict[str, Any] = {"upload": found, "refused": refused}
    if found.state == "staged" and found.is_read:
        preview = queries.upload_preview(viewer, upload_id)
        form = form or PublishForm(viewer=viewer, territory=found.ref.territory, preview=preview)
        page |= {
            "preview": preview,
            "form": form,
            "columns": [column.title for column in preview.columns[:SHOWN_COLUMNS]],
            "rows": [row[:SHOWN_COLUMNS] for row in preview.rows],
            "hidden_columns": max(0, len(preview.columns) - SHOWN_COLUMNS),
            "general": [form[name] for name in ("title", "theme", "licence", "access")],
            "column_rights": [(column, form[f"access_{column.key}"]) for column in preview.columns],
        }
    return render(request, "backoffice/uploads/preview.html", page, status=400 if refused or _faulty(form) else 200)


def _faulty(form: PublishForm | None) -> bool:
    return form is not None and form.is_bound and bool(form.errors)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def publish(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Publish a file as its sender has seen it."""
    viewer = cast(Request, request).viewer
    found = queries.upload(viewer, upload_id)
    preview = queries.upload_preview(viewer, upload_id)
    form = PublishForm(request.POST, viewer=viewer, territory=found.ref.territory, preview=preview)
    if not form.is_valid():
        return _shown(request, upload_id, form)
    outcome = operations.publish_upload(
        viewer,
        upload_id,
        title=form.cleaned_data["title"],
        theme=form.cleaned_data["theme"],
        licence=form.cleaned_data["licence"],
        access=form.cleaned_data["access"],
        column_access=form.column_access,
        at=timezone.now(),
    )
    if outcome.reason is not None:
        return _shown(request, upload_id, form, refused=said(outcome.reason))
    messages.success(request, _("Le jeu de données est publié ; sa carte se prépare."))
    return redirect("backoffice:upload", upload_id)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def discard(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Let go of a file: nothing was published."""
    operations.discard_upload(cast(Request, request).viewer, upload_id, at=timezone.now())
    messages.success(request, _("Le fichier est retiré. Rien n'a été publié."))
    return redirect("backoffice:uploads")
