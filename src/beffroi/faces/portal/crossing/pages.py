"""`/croiser/`: an agent crosses datasets, one step at a time; `/indicateurs/`: what was kept, for its readers.

The recipe is in the address: it is shared, kept among the browser's marks, and taken back by its « back » button.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue import queries as use_cases
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import PUBLIC, Role
from beffroi.faces.portal.crossing.showing import shown, zone_map, zones
from beffroi.faces.portal.crossing.wording import offered, readers, told_steps
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.sheets import sheet_response
from beffroi.lake import queries as lake
from beffroi.lake.crossing import operations, queries
from beffroi.lake.crossing.queries import Crossed, Proposal
from beffroi.lake.crossing.recipe import Recipe, recipe_of
from beffroi.sense.indicators.queries import open_indicators

OWN_ID = "5-14"
SHEET_ROWS = 10_000
PUBLIC_LEAST = 5
NAMED = {
    "adresse": gettext_noop("Par l’adresse"), "batiment": gettext_noop("Par le bâtiment"),
    "parcelle": gettext_noop("Par la parcelle"), "siret": gettext_noop("Par le SIRET"),
    "siren": gettext_noop("Par le SIREN"), "insee": gettext_noop("Par la commune"),
    "iris": gettext_noop("Par l’IRIS"), "finess": gettext_noop("Par le FINESS"), "uai": gettext_noop("Par l’UAI"),
}  # fmt: skip
"""The usual keys of a town (`queries.KEYS`), as a link by them is offered."""


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def bench(request: HttpRequest) -> HttpResponse:
    """Show what the steps `e` give; `ajouter` adds one, `apercu` answers the result alone, `csv` a file."""
    request = cast(Request, request)
    steps = _steps(request.GET)
    if "ajouter" in request.GET and "apercu" not in request.GET:
        return redirect(_address(steps))
    datasets = town_datasets(request)
    if not steps:
        kept = queries.saved_crossings(request.viewer, territory_of(request))
        return render(request, "portal/crossing/start.html", {"datasets": datasets, "kept": kept})
    code = territory_of(request)
    catalogue.count_use(OWN_ID, code, now(), audience=use_cases.audience_of(request.viewer, code))
    titles = {one.ref.slug: one.title for one in datasets}
    context: dict[str, Any] = {
        "steps": steps, "back": _address(steps[:-1]), "here": _address(steps), "datasets": datasets, "titles": titles,
    }  # fmt: skip
    try:
        recipe = recipe_of(steps)
        most = SHEET_ROWS if "csv" in request.GET else queries.PREVIEW_ROWS
        answer = queries.crossed(request.viewer, code, recipe, most=most)
        context |= _linking(request, recipe, context)
    except BeffroiError as problem:
        context |= {"problem": problem, "told": told_steps(steps, titles, {})}
        name = "result" if "apercu" in request.GET else "bench"
        return render(request, f"portal/crossing/{name}.html", context, status=problem.http_status)
    if "csv" in request.GET:
        return _sheet(answer, recipe)
    return _page(request, context, answer, recipe)


def _linking(request: Request, recipe: Recipe, context: dict[str, Any]) -> dict[str, Any]:
    """Return the joins worth trying: with all the datasets when asked (`proposer`), or with one (`avec`)."""
    code, slugs = territory_of(request), list(context["titles"])
    other = next((one for one in context["datasets"] if one.ref.slug == request.GET.get("avec", "")), None)
    if other is None and "proposer" not in request.GET:
        return {}
    found = queries.proposed_joins(request.viewer, code, recipe, [other.ref.slug] if other else slugs)
    links = [(one, _address([*context["steps"], _join(one)]), _named(one)) for one in found[:15]]
    columns = lake.dataset(request.viewer, other.ref).columns if other else ()
    return {"proposals": links, "other": other, "other_columns": [(one.key, one.title) for one in columns]}


def _named(one: Proposal) -> str:
    """Return the name of the usual key that a link is by, empty where it is none."""
    return _(NAMED[one.family]) if one.family else ""


def _page(request: Request, context: dict[str, Any], answer: Crossed, recipe: Recipe) -> HttpResponse:
    steps = context["steps"]
    context |= {
        "recipe": recipe, "shown": shown(answer, recipe), "offered": offered(answer),
        "told": told_steps(steps, context["titles"], {ref: column for ref, column, _title in answer.references}),
        "readers": readers(request.viewer, territory_of(request)), "sheet": f"{context['here']}&csv=1",
    }  # fmt: skip
    if "apercu" in request.GET:
        return render(request, "portal/crossing/result.html", context)
    url = f"{reverse('portal:crossing-zones')}?{urlencode([('e', one) for one in steps])}"
    mapped = [one for one in context["datasets"] if one.geometry_type]
    return render(request, "portal/crossing/bench.html", context | {"map": zone_map(request, answer, mapped, url)})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def bench_zones(request: HttpRequest) -> JsonResponse:
    """Answer the zones of a recipe with their classes."""
    request = cast(Request, request)
    answer = queries.crossed(request.viewer, territory_of(request), recipe_of(_steps(request.GET)))
    return _zones(request, answer)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep a recipe as an indicator or as a dataset; what is refused comes back with its steps."""
    request = cast(Request, request)
    steps, code = request.POST.getlist("e"), territory_of(request)
    access = request.POST.get("access", "")
    least = whole_number(request.POST.get("least", ""), digits=5)
    try:
        saved = operations.save_crossing(
            request.viewer, code, recipe_of(steps), title=request.POST.get("titre", ""),
            kind=operations.DATASET if request.POST.get("genre") == operations.DATASET else operations.INDICATOR,
            access=access, at=now(),
            least=least if least is not None else PUBLIC_LEAST if access == PUBLIC else 1,
        )  # fmt: skip
    except BeffroiError as problem:
        messages.error(request, str(problem))
        return redirect(_address(steps))
    if saved.kind == operations.DATASET:
        messages.success(request, _("Le jeu de données se prépare ; il paraîtra dans quelques instants."))
        return redirect("portal:crossing")
    messages.success(request, _("L’indicateur est enregistré ; il se recompte à chaque version de ses sources."))
    return redirect("portal:indicator", saved.slug)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def forget(request: HttpRequest, slug: str) -> HttpResponse:
    """Forget a recipe; the dataset it made stays as it is."""
    request = cast(Request, request)
    operations.delete_crossing(request.viewer, territory_of(request), slug)
    messages.success(request, _("Le croisement est retiré. Un jeu de données déjà fait reste, et ne change plus."))
    return redirect("portal:crossing")


@open_to(EVERYONE)
@require_safe
def indicators(request: HttpRequest) -> HttpResponse:
    """List the indicators that this reader may read: those of the use cases, then those agents kept."""
    request = cast(Request, request)
    kept = queries.saved_crossings(request.viewer, territory_of(request))
    shown_ones = [one for one in kept if one.kind == operations.INDICATOR]
    declared = [one.use_case for one in open_indicators(request.viewer, territory_of(request))]
    return render(request, "portal/crossing/indicators.html", {"indicators": shown_ones, "declared": declared})


@open_to(EVERYONE)
@require_safe
def indicator(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an indicator as it stands today: figures, chart, map, sources and the recipe; `csv` gives a file."""
    request = cast(Request, request)
    saved = queries.saved_crossing(request.viewer, territory_of(request), slug)
    datasets = town_datasets(request)
    titles = {one.ref.slug: one.title for one in datasets}
    context: dict[str, Any] = {"saved": saved, "trail": [(_("Indicateurs"), reverse("portal:indicators"))]}
    try:
        answer = queries.indicator(saved)
    except BeffroiError as problem:
        return render(request, "portal/crossing/indicator.html", context | {"problem": problem})
    if "csv" in request.GET:
        return _sheet(answer, saved.recipe, name=saved.slug)
    columns = {ref: column for ref, column, _title in answer.references}
    mapped = [one for one in datasets if one.geometry_type]
    context |= {
        "shown": shown(answer, saved.recipe), "told": told_steps(saved.recipe.steps(), titles, columns),
        "map": zone_map(request, answer, mapped, reverse("portal:indicator-zones", args=[saved.slug])),
        "sheet": "?csv=1", "again": _address(saved.recipe.steps()),
        "is_agent": any(request.viewer.has(role, saved.territory) for role in (Role.AGENT, Role.ADMINISTRATOR)),
    }  # fmt: skip
    return render(request, "portal/crossing/indicator.html", context)


@open_to(EVERYONE)
@require_safe
def indicator_zones(request: HttpRequest, slug: str) -> JsonResponse:
    """Answer the zones of an indicator with their classes."""
    request = cast(Request, request)
    saved = queries.saved_crossing(request.viewer, territory_of(request), slug)
    return _zones(request, queries.indicator(saved))


def _zones(request: Request, answer: Crossed) -> JsonResponse:
    payload = zones(request, answer, answer.area) if answer.area else {"type": "FeatureCollection", "features": []}
    return JsonResponse(payload, json_dumps_params={"ensure_ascii": False}, content_type="application/geo+json")


def _sheet(answer: Crossed, recipe: Recipe, *, name: str = "croisement") -> HttpResponse:
    if answer.measure is None:
        return sheet_response(f"{name}.csv", [one.title for one in answer.columns], answer.rows)
    told = shown(answer, recipe)
    heads = [told.by or _("Ensemble"), _("Nombre de lignes"), told.measure]
    rows = [[one.key, one.count if not one.hushed else None, one.figure] for one in answer.groups]
    return sheet_response(f"{name}.csv", heads, rows)


def _address(steps: list[str]) -> str:
    query = urlencode([("e", one) for one in steps])
    return reverse("portal:crossing") + (f"?{query}" if query else "")


def _join(proposal: queries.Proposal) -> str:
    return f"lier|{proposal.dataset}|{proposal.on}|{proposal.to}" if proposal.on else f"dans|{proposal.dataset}"


def _steps(asked: QueryDict) -> list[str]:
    """Return the steps of an address, with the one that its form adds; a new summary replaces the one before."""
    steps, kind = asked.getlist("e"), asked.get("ajouter", "")
    given = {name: asked.get(name, "").replace("|", " ").strip() for name in ("jeu", "autre", "ici", "la", "colonne")}
    if kind == "jeu" and given["jeu"]:
        return [f"jeu|{given['jeu']}"]
    if kind == "dans" and given["autre"]:
        return [*steps, f"dans|{given['autre']}"]
    if kind == "lier" and given["autre"]:
        return [*steps, f"lier|{given['autre']}|{given['ici']}|{given['la']}"]
    if kind == "garder" and given["colonne"]:
        test = asked.get("test", "contains")
        value = "oui" if test == "null" else asked.get("valeur", "").strip()
        return [*steps, f"garder|{given['colonne']}|{test}|{value}"] if value else steps
    if kind == "resumer":
        function = asked.get("calcul", "count")
        of = "" if function == "count" else asked.get("sur", "")
        kept = [one for one in steps if not one.startswith("resumer|")]
        return [*kept, f"resumer|{asked.get('par', '')}|{function}|{of}"]
    return steps
