"""The pages every face shares, and those of the errors."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.faces.shell.access import EVERYONE, open_to
from beffroi.faces.shell.middleware import problem, wants_json
from beffroi.faces.shell.preferences import ONE_YEAR_S, THEME_COOKIE, THEMES, theme_of


def _next_page(request: HttpRequest) -> str:
    """Return the page to go back to: `suite`, when it is one of ours."""
    wanted = request.GET.get("suite", "/")
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else "/"


@open_to(EVERYONE)
@require_safe
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language chosen by `vers` in a cookie and go back to `suite`; without `vers`, offer the languages."""
    wanted = request.GET.get("vers", "")
    if wanted not in dict(settings.LANGUAGES):
        return render(request, "shell/language.html", {"languages": settings.LANGUAGES})
    response = HttpResponseRedirect(_next_page(request))
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, wanted, max_age=ONE_YEAR_S, samesite="Lax")
    return response


@open_to(EVERYONE)
@require_safe
def appearance(request: HttpRequest) -> HttpResponse:
    """Keep the appearance chosen by `vers` in a cookie; without it, offer the appearances."""
    wanted = request.GET.get("vers", "")
    if wanted not in THEMES:
        choices = [
            ("auto", _("Comme mon appareil"), _("Clair ou sombre selon le réglage de l’appareil.")),
            ("light", _("Claire"), _("Fond clair, à toute heure.")),
            ("dark", _("Sombre"), _("Fond sombre, moins éblouissant la nuit.")),
            ("contrast", _("Contraste renforcé"), _("Noir sur blanc, traits marqués.")),
        ]
        return render(request, "shell/appearance.html", {"choices": choices, "chosen": theme_of(request)})
    response = HttpResponseRedirect(_next_page(request))
    response.set_cookie(THEME_COOKIE, wanted, max_age=ONE_YEAR_S, samesite="Lax", httponly=True)
    return response


@open_to(EVERYONE)
@require_safe
def legal(request: HttpRequest) -> HttpResponse:
    """Show the legal notice."""
    return render(request, "shell/legal.html")


@open_to(EVERYONE)
@require_safe
def site_map(request: HttpRequest) -> HttpResponse:
    """List every page a reader may start from."""
    return render(request, "shell/sitemap.html")


def _error_page(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, f"errors/{status}.html", status=status)


@open_to(EVERYONE)
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400: the request cannot be understood."""
    if wants_json(request):
        remedy = _("L’adresse ou le formulaire contient une valeur que cette page ne sait pas lire.")
        return problem(400, _("Nous n’avons pas compris cette demande"), remedy)
    return _error_page(request, 400)


@open_to(EVERYONE)
def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403: the page is not for this reader."""
    return _error_page(request, 403)


@open_to(EVERYONE)
def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404: nothing there, or nothing this reader may know of."""
    return _error_page(request, 404)


@open_to(EVERYONE)
def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 from a page that asks nothing of the registry nor of the lake."""
    return _error_page(request, 500)
